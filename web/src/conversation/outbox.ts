import { Keepsakes } from "@/shared/keepsakes";

/** A question that the server has not acknowledged. */
export interface Unsent {
  id: string;
  text: string;
  /** The message that it replaces, if it is an edit. */
  edited?: string;
  /** When it was last sent (Unix, milliseconds). */
  at: number;
}

const kept = new Keepsakes<Unsent>("unsent");

/** The questions that did not arrive, each by itself: one more makes none forgotten. */
export const outbox = {
  of(conversation: string): Unsent[] {
    const all = kept.ids(`${conversation}.`).map((id) => kept.get(id));
    return all.filter((one) => one !== null).sort((one, other) => one.at - other.at);
  },
  put(conversation: string, question: Unsent): void {
    kept.set(`${conversation}.${question.id}`, question);
  },
  drop(conversation: string, id: string): void {
    kept.set(`${conversation}.${id}`, null);
  },
  clear(conversation: string): void {
    for (const { id } of outbox.of(conversation)) outbox.drop(conversation, id);
  },
  /** Forget what is too old, or everything. */
  sweep(all = false): void {
    kept.sweep(all);
  },
};
