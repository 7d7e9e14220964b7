import { deleteConversation } from "@/api/conversations";
import { Problem } from "@/api/client";
import { sessionOf } from "@/conversation/sessions";
import { drafts } from "@/composer/drafts";
import { outbox } from "@/conversation/outbox";
import { words } from "@/i18n";
import { focusSoon } from "@/shared/focus";
import { announce } from "@/shared/signals";
import { dismiss, notify } from "@/shell/notices";
import { addressOf, goTo, place } from "@/shell/location";
import { hide } from "./list";

/** How long a deletion can be undone. The server deletes at once, so the page waits before it asks. */
export const UNDO_MS = 8000;

/** Delete a conversation with a way back; closing the page in between deletes it too. */
export function removeConversation(id: string, title: string): void {
  const restore = hide(id);
  const wasShown = place.get() === id;
  if (wasShown) goTo(null);
  sessionOf(id).close(); // who comes back to it before it is deleted must not add to it

  const settle = (): void => {
    clearTimeout(timer);
    removeEventListener("pagehide", commit);
    dismiss(notice);
  };
  const comeBack = (): void => {
    restore();
    void sessionOf(id).reopen();
  };
  const commit = (): void => {
    settle();
    drafts.set(id, null);
    outbox.clear(id);
    deleteConversation(id).then(
      () => announce({ type: "deleted", id }),
      (error: unknown) => {
        if (error instanceof Problem && error.status === 404) return; // gone already, as wished
        comeBack();
        notify(words().sidebar.removeFailed);
      },
    );
  };
  const undo = (): void => {
    settle();
    comeBack();
    if (wasShown) goTo(id);
    focusSoon(() => document.querySelector<HTMLElement>(`a[href="${addressOf(id)}"]`));
  };
  const notice = notify(words().sidebar.removed(title), { label: words().sidebar.undo, run: undo });
  const timer = setTimeout(commit, UNDO_MS);
  addEventListener("pagehide", commit);
}
