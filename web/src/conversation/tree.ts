import type { StoredMessage } from "@/api/types";

/** A message as the page knows it: stored, or on its way to be. */
export interface Message extends Omit<StoredMessage, "status" | "model"> {
  /** What it is called in the page's list; stays when the server gives an answer its id. */
  key: string;
  /** `unsent`: a question that never arrived. `cut`: an answer whose end did not come, and whose fate is unknown. */
  status: StoredMessage["status"] | "unsent" | "cut";
}

/** Messages from the first to `leaf`, in order. */
export function pathTo(messages: readonly Message[], leaf: string | null): Message[] {
  const byId = new Map(messages.map((message) => [message.id, message]));
  const path: Message[] = [];
  let at = leaf === null ? undefined : byId.get(leaf);
  while (at) {
    path.push(at);
    byId.delete(at.id);
    at = at.parent_id === null ? undefined : byId.get(at.parent_id);
  }
  return path.reverse();
}

/** The newest message at or under `id`: where a person who chooses a version arrives. */
export function newestUnder(messages: readonly Message[], id: string): string {
  const under = new Set([id]);
  let newest = id;
  // Oldest first, parents before children: one pass finds all descendants.
  for (const message of messages) {
    if (message.parent_id !== null && under.has(message.parent_id)) {
      under.add(message.id);
      newest = message.id;
    }
  }
  return newest;
}
