import type { ConversationDetail } from "@/api/types";
import { type Conversation, LIFETIME } from "./model";
import { type Message, newestUnder } from "./tree";

/** What a message of this page brings itself; the rest is added until the server says it better. */
export type NewMessage = Pick<Message, "id" | "parent_id" | "role" | "text" | "status">;

/** With a message at the end of the branch that is shown. */
export function withMessage(now: Conversation, message: NewMessage): Conversation {
  const at = Date.now();
  const times = { created_at: new Date(at).toISOString(), expires_at: new Date(at + LIFETIME).toISOString() };
  const whole = { ...message, ...times, key: message.id, error: null };
  return {
    ...now,
    load: "ready",
    expiresAt: times.expires_at,
    messages: [...now.messages, whole],
    leaf: message.id,
  };
}

/** With a message changed, perhaps in its id. */
export function withChange(now: Conversation, id: string, change: Partial<Message>): Conversation {
  return {
    ...now,
    messages: now.messages.map((message) => (message.id === id ? { ...message, ...change } : message)),
    leaf: now.leaf === id && change.id ? change.id : now.leaf,
  };
}

/** Without a message, shown up to the one before it. */
export function withoutMessage(now: Conversation, id: string): Conversation {
  const gone = now.messages.find((message) => message.id === id);
  return {
    ...now,
    messages: now.messages.filter((message) => message !== gone),
    leaf: now.leaf === id ? (gone?.parent_id ?? null) : now.leaf,
  };
}

/** As history has it, with the questions that it does not know yet, and on the branch that was shown. */
export function withHistory(now: Conversation, { messages, title, expires_at }: ConversationDetail): Conversation {
  const known = new Map(now.messages.map((message) => [message.id, message]));
  const stored = messages.map((message) => keep(known.get(message.id), { ...message, key: message.id }));
  const ids = new Set(messages.map(({ id }) => id));
  const merged = [...stored, ...now.messages.filter(({ id, status }) => status === "unsent" && !ids.has(id))];
  const leaf = merged.some(({ id }) => id === now.leaf) ? now.leaf : (merged.at(-1)?.id ?? null);
  return {
    ...now,
    load: "ready",
    title,
    expiresAt: expires_at,
    messages: merged,
    leaf: leaf === null ? null : newestUnder(merged, leaf),
  };
}

/** The old object if nothing that is shown differs, so that an unchanged message is not rendered again. */
function keep(old: Message | undefined, next: Message): Message {
  if (!old) return next;
  const shown = ["text", "status", "error", "expires_at", "parent_id"] as const;
  return shown.every((name) => old[name] === next[name]) ? old : { ...next, key: old.key };
}
