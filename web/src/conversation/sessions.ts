import { onSignal } from "@/shared/signals";
import { Session } from "./session";

/** Idle conversations that are kept in memory, so that going back to one is instant. */
const KEPT = 12;

const sessions = new Map<string, Session>();

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** The session of a conversation; `fresh` when this page has just invented its id. */
export function sessionOf(id: string, fresh = false): Session {
  const known = sessions.get(id);
  if (known) return known;
  const session = new Session(id, fresh);
  sessions.set(id, session);
  if (!UUID.test(id)) session.close(); // no conversation is called that
  for (const [old, { state }] of sessions) {
    if (sessions.size <= KEPT) break;
    if (old !== id && state.get().phase === "idle") sessions.delete(old);
  }
  return session;
}

/** A conversation was deleted, or all of them (null): where one is still shown, it is gone. */
export function closeSession(id: string | null): void {
  for (const [known, session] of sessions) if (id === null || known === id) session.close();
}

/** Follow what other tabs do to the conversations that this one holds. */
export function followOtherTabs(shown: () => string | null): () => void {
  return onSignal((signal, fromHere) => {
    if (signal.type === "titled") sessions.get(signal.id)?.rename(signal.title);
    if (fromHere) return;
    if (signal.type === "changed") {
      if (signal.id === shown()) void sessions.get(signal.id)?.sync();
      else if (sessions.get(signal.id)?.state.get().phase === "idle") sessions.delete(signal.id);
    }
    if (signal.type === "deleted") closeSession(signal.id);
  });
}
