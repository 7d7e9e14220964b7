import { Keepsakes } from "@/shared/keepsakes";

/** Sentences begun and not sent, by conversation; the start page's is under `NEW`. */
export const drafts = new Keepsakes<string>("draft");

export const NEW = "new";
