import { memo, useEffect, useRef } from "react";
import { AccountMenu } from "@/account/account-menu";
import { useWords } from "@/i18n";
import { PlusIcon } from "@/shared/icons";
import { Mark } from "@/shared/mark";
import { useStore } from "@/shared/store";
import { goTo } from "@/shell/location";
import { ConversationList } from "./conversation-list";
import { SearchField } from "./search-field";
import { CloseSidebar, drawer } from "./visibility";

/** Remembered: most of what the page renders for, a phase or an address, is nothing to it. */
export const Sidebar = memo(function Sidebar() {
  const words = useWords();
  const open = useStore(drawer);
  const aside = useRef<HTMLElement>(null);

  useEffect(() => {
    const list = aside.current;
    if (!open || !list) return;
    const before = document.activeElement;
    list.focus();
    return () => {
      // Back to where one was, unless what was chosen here has taken the focus already.
      if (list.contains(document.activeElement) && before instanceof HTMLElement) before.focus();
    };
  }, [open]);

  return (
    <>
      {open && (
        <div
          className="fixed inset-0 z-20 bg-black/40 md:hidden"
          aria-hidden="true"
          onClick={() => drawer.set(false)}
        />
      )}
      <nav
        ref={aside}
        tabIndex={-1}
        aria-label={words.sidebar.label}
        data-open={open ? "" : undefined}
        className="sidebar flex shrink-0 flex-col border-r border-line bg-sunken outline-none"
      >
        <div className="flex h-14 shrink-0 items-center justify-between pr-2 pl-5">
          <span className="flex items-center gap-2 font-semibold tracking-tight">
            <Mark size={20} fading />
            {words.name}
          </span>
          <CloseSidebar />
        </div>
        <button
          id="new-conversation"
          type="button"
          className="mx-3 mb-2 flex min-h-9 items-center gap-2 rounded-lg px-2.5 text-sm font-medium hover:bg-hover pointer-coarse:min-h-11"
          onClick={() => {
            drawer.set(false);
            goTo(null);
          }}
        >
          <PlusIcon />
          {words.sidebar.newConversation}
        </button>
        <SearchField />
        <ConversationList />
        <AccountMenu />
      </nav>
    </>
  );
});
