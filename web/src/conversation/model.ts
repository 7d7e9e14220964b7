import type { Problem } from "@/api/client";
import type { Unsent } from "./outbox";
import type { Message } from "./tree";

/**
 * What happens with the answer now asked for. `sending`: not accepted yet; `waking`: that takes as long as a function
 * needs to start from zero; `thinking`: accepted, no word yet; `reconnecting`: the connection broke and is tried again.
 */
export type Phase = "idle" | "sending" | "waking" | "thinking" | "writing" | "reconnecting" | "stopping";

export interface Conversation {
  id: string;
  /** `new`: nothing asked yet. `missing`: expired, deleted, or never there. */
  load: "new" | "loading" | "ready" | "missing" | "failed";
  title: string | null;
  expiresAt: string | null;
  messages: readonly Message[];
  /** The last message of the branch that is shown. */
  leaf: string | null;
  /** The questions that did not arrive. They are in no branch yet, and are shown after any. */
  unsent: readonly Unsent[];
  phase: Phase;
  /** Why the last question was refused. */
  problem: Problem | null;
}

export function emptyConversation(id: string, load: Conversation["load"]): Conversation {
  const nothing = { title: null, expiresAt: null, messages: [], leaf: null, unsent: [], problem: null };
  return { id, load, phase: "idle", ...nothing };
}

/** Seven days, in milliseconds: what a message lives. */
export const LIFETIME = 168 * 3600 * 1000;
