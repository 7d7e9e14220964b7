import type { ConversationDetail } from "@/api/types";
import { type Conversation, emptyConversation, LIFETIME } from "./model";
import type { Unsent } from "./outbox";
import { type Message, newestUnder, pathTo } from "./tree";

/** What a message of this page brings itself; the rest is added until the server says it better. */
export type NewMessage = Pick<Message, "id" | "parent_id" | "role" | "text" | "status">;

/** With messages at the end of the branch that is shown. */
export function withMessages(now: Conversation, ...added: NewMessage[]): Conversation {
  const times = timesFrom(Date.now());
  const whole = added.map((message) => ({ ...message, ...times, key: message.id, error: null }));
  return { ...now, load: "ready", messages: [...now.messages, ...whole], leaf: whole.at(-1)?.id ?? now.leaf };
}

function timesFrom(at: number): Pick<Message, "created_at" | "expires_at"> {
  return { created_at: new Date(at).toISOString(), expires_at: new Date(at + LIFETIME).toISOString() };
}

/** With a message changed, perhaps in its id. */
export function withChange(now: Conversation, id: string, change: Partial<Message>): Conversation {
  return {
    ...now,
    messages: now.messages.map((message) => (message.id === id ? { ...message, ...change } : message)),
    leaf: now.leaf === id && change.id ? change.id : now.leaf,
  };
}

/** As history has it, on the branch that was shown, or where an answer is being written that the page did not know of. */
export function withHistory(now: Conversation, { messages, title, expires_at }: ConversationDetail): Conversation {
  const known = new Map(now.messages.map((message) => [message.id, message]));
  const stored = messages.map((message) => keep(known.get(message.id), { ...message, key: message.id }));
  const ids = new Set(messages.map(({ id }) => id));
  const running = stored.findLast(({ id, status }) => status === "streaming" && !known.has(id));
  const leaf = running?.id ?? (now.leaf !== null && ids.has(now.leaf) ? now.leaf : stored.at(-1)?.id);
  return {
    ...now,
    load: "ready",
    title,
    expiresAt: expires_at,
    messages: stored,
    leaf: leaf === undefined ? null : newestUnder(stored, leaf),
    unsent: stillUnsent(now.unsent, ids),
  };
}

/** Where nothing is stored there may still be questions that could not be. */
export function withoutHistory({ id, unsent, problem }: Conversation): Conversation {
  const waiting = stillUnsent(unsent, new Set());
  return { ...emptyConversation(id, waiting.length > 0 ? "ready" : "missing"), unsent: waiting, problem };
}

/** Without what is stored; and the edit of a message that is not stored any more is a question like any other. */
function stillUnsent(unsent: readonly Unsent[], stored: ReadonlySet<string>): Unsent[] {
  return unsent
    .filter(({ id }) => !stored.has(id))
    .map((one) => (one.edited === undefined || stored.has(one.edited) ? one : { id: one.id, text: one.text, at: one.at }));
}

/** What is shown: the branch, and after it what was not sent. */
export function shownMessages({ messages, leaf, unsent }: Pick<Conversation, "messages" | "leaf" | "unsent">): Message[] {
  const waiting = unsent.map(({ id, text, at }): Message => ({
    id,
    key: id,
    parent_id: null,
    role: "user",
    text,
    status: "unsent",
    error: null,
    ...timesFrom(at),
  }));
  return [...pathTo(messages, leaf), ...waiting];
}

/** The old object if nothing that is shown differs, so that an unchanged message is not rendered again. */
function keep(old: Message | undefined, next: Message): Message {
  if (!old) return next;
  const shown = ["text", "status", "error", "expires_at", "parent_id"] as const;
  return shown.every((name) => old[name] === next[name]) ? old : { ...next, key: old.key };
}
