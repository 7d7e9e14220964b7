import { Keepsakes } from "@/shared/keepsakes";

/** A question that the server has not acknowledged yet. */
export interface Unsent {
  id: string;
  parent: string | null;
  text: string;
  /** The message that it replaces, if it is an edit. */
  edited?: string;
}

export const outbox = new Keepsakes<Unsent>("unsent");
