import { useWords } from "@/i18n";
import { IconButton } from "@/shared/icon-button";
import { SidebarIcon } from "@/shared/icons";
import { write } from "@/shared/storage";
import { createStore } from "@/shared/store";

/** Whether the list lies open over the conversation, which it does on phones only. */
export const drawer = createStore(false);

const phone = "(width < 48rem)";

export function isPhone(): boolean {
  return matchMedia(phone).matches;
}

/** A phone that is turned may be wide enough for the list beside the conversation, which must not stay out of reach. */
export function followWidth(): () => void {
  const width = matchMedia(phone);
  const close = (): void => drawer.set(false);
  width.addEventListener("change", close);
  return () => width.removeEventListener("change", close);
}

export function isOpen(): boolean {
  return isPhone() ? drawer.get() : document.documentElement.dataset.sidebar !== "closed";
}

/** On a phone this opens the drawer for now; on a wider screen it is a choice that is kept. */
export function setSidebar(open: boolean): void {
  if (isPhone()) {
    drawer.set(open);
  } else {
    write("sidebar", open ? null : "closed");
    if (open) delete document.documentElement.dataset.sidebar;
    else document.documentElement.dataset.sidebar = "closed";
  }
  // The button that was pressed has gone; its counterpart takes the focus.
  if (!isPhone()) document.getElementById(open ? "close-sidebar" : "open-sidebar")?.focus();
}

export function OpenSidebar() {
  return (
    <IconButton
      id="open-sidebar"
      className="opens-sidebar"
      label={useWords().sidebar.open}
      onClick={() => setSidebar(true)}
    >
      <SidebarIcon />
    </IconButton>
  );
}

export function CloseSidebar() {
  return (
    <IconButton id="close-sidebar" label={useWords().sidebar.close} onClick={() => setSidebar(false)}>
      <SidebarIcon />
    </IconButton>
  );
}
