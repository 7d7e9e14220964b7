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

interface Removal {
  undo: () => void;
  /** Says whether the conversation is gone. */
  commit: () => Promise<boolean>;
}

/** What can still be undone, oldest first. */
const pending = new Set<Removal>();

/** Undo the last deletion that can be; false if there is none. */
export function undoRemoval(): boolean {
  const last = [...pending].at(-1);
  last?.undo();
  return last !== undefined;
}

/** Delete for good what was deleted a moment ago; false if any of it could not be. */
export async function commitRemovals(): Promise<boolean> {
  const gone = await Promise.all([...pending].map(({ commit }) => commit()));
  return gone.every(Boolean);
}

/** Delete a conversation with a way back; closing the page in between deletes it too. */
export function removeConversation(id: string, title: string): void {
  const restore = hide(id);
  const wasShown = place.get() === id;
  if (wasShown) goTo(null);
  sessionOf(id).close(); // who comes back to it before it is deleted must not add to it

  const settle = (): void => {
    pending.delete(removal);
    removeEventListener("pagehide", commit);
    dismiss(notice);
  };
  const comeBack = (): void => {
    restore();
    void sessionOf(id).reopen();
  };
  const removal: Removal = {
    undo: () => {
      settle();
      comeBack();
      if (wasShown) goTo(id);
      focusSoon(() => document.querySelector<HTMLElement>(`a[href="${addressOf(id)}"]`));
    },
    commit: async () => {
      settle();
      drafts.set(id, null);
      outbox.clear(id);
      try {
        await deleteConversation(id);
        announce({ type: "deleted", id });
      } catch (error) {
        if (error instanceof Problem && error.status === 404) return true; // gone already, as wished
        comeBack();
        notify(words().sidebar.removeFailed);
        return false;
      }
      return true;
    },
  };
  const commit = (): void => void removal.commit();
  const notice = notify(words().sidebar.removed(title), {
    action: { label: words().sidebar.undo, run: removal.undo, shortcut: "Control+Z Meta+Z" },
    time: UNDO_MS,
    onEnd: commit,
  });
  pending.add(removal);
  addEventListener("pagehide", commit);
}
