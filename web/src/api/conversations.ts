import { request, requestJson } from "./client";
import type { ConversationDetail, ConversationList, ConversationSummary } from "./types";

const ROOT = "/api/conversations";

export interface Listing {
  q?: string;
  cursor?: string | null;
  limit?: number;
}

export function listConversations({ q, cursor, limit = 40 }: Listing, signal?: AbortSignal): Promise<ConversationList> {
  const query = new URLSearchParams({ limit: String(limit) });
  if (q) query.set("q", q);
  if (cursor) query.set("cursor", cursor);
  return requestJson(`${ROOT}?${query}`, signal ? { signal } : {});
}

export function getConversation(id: string, signal?: AbortSignal): Promise<ConversationDetail> {
  return requestJson(`${ROOT}/${id}`, signal ? { signal } : {});
}

export function renameConversation(id: string, title: string): Promise<ConversationSummary> {
  return requestJson(`${ROOT}/${id}`, { method: "PATCH", json: { title } });
}

/** Outlives the page: a deletion that a person asked for also happens when they close the tab. */
export async function deleteConversation(id: string): Promise<void> {
  await request(`${ROOT}/${id}`, { method: "DELETE", keepalive: true });
}

export async function deleteAllConversations(): Promise<void> {
  await request(ROOT, { method: "DELETE" });
}

export type ExportFormat = "markdown" | "json";

export function exportAddress(id: string, format: ExportFormat): string {
  return `${ROOT}/${id}/export?format=${format}`;
}
