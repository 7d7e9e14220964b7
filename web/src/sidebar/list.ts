import { type Listing, listConversations } from "@/api/conversations";
import type { ConversationList, ConversationSummary } from "@/api/types";
import { LIFETIME } from "@/conversation/model";
import { onSignal, type Signal } from "@/shared/signals";
import { createStore } from "@/shared/store";

export interface List {
  status: "loading" | "ready" | "failed";
  items: readonly ConversationSummary[];
  cursor: string | null;
  loadingMore: boolean;
  q: string;
}

export const list = createStore<List>({ status: "loading", items: [], cursor: null, loadingMore: false, q: "" });

/** Deleted on this page, though the server may not have been told yet. */
const hidden = new Set<string>();
let asking: AbortController | null = null;
/** What was told while pages were on their way, for each of them. */
const unheard = new Set<Signal[]>();

/** Ask for a page and take it; what is told before it comes may be newer than the page, so it is taken once more. */
async function fetchPage(listing: Listing, signal: AbortSignal, take: (page: ConversationList) => void): Promise<void> {
  const told: Signal[] = [];
  unheard.add(told);
  try {
    take(await listConversations(listing, signal));
    told.forEach(hear);
  } finally {
    unheard.delete(told);
  }
}

function shown(items: readonly ConversationSummary[]): ConversationSummary[] {
  return items.filter(({ id }) => !hidden.has(id));
}

/** The longest page that the API gives, and the first one. */
const LONGEST_PAGE = 100;
const FIRST_PAGE = 40;

/** Ask for the list anew from its beginning, with what is searched. A newer call makes an older one void. */
export async function refresh(q = list.get().q): Promise<void> {
  asking?.abort();
  const mine = new AbortController();
  asking = mine;
  const before = list.get();
  const same = q === before.q;
  list.set({ ...before, q, status: same ? before.status : "loading" });
  const limit = same ? Math.min(LONGEST_PAGE, Math.max(FIRST_PAGE, before.items.length)) : FIRST_PAGE;
  try {
    await fetchPage({ q, limit }, mine.signal, ({ conversations, next_cursor }) => {
      list.update((now) => {
        const items = shown(conversations);
        const tail = same && next_cursor !== null ? itemsAfter(now.items, items) : [];
        const cursor = tail.length > 0 ? now.cursor : next_cursor;
        return { status: "ready", items: [...items, ...tail], cursor, loadingMore: false, q };
      });
    });
  } catch {
    if (mine.signal.aborted) return;
    // A list that cannot be renewed is better than none, unless it answers another question.
    list.update((now) => (now.status === "ready" ? now : { ...now, status: "failed", items: [], cursor: null }));
  }
}

/** What stood in the list after the end of a page: it is longer than any page, and nobody is to lose their place in it. */
function itemsAfter(items: List["items"], page: List["items"]): List["items"] {
  const end = items.findIndex(({ id }) => id === page.at(-1)?.id);
  const known = new Set(page.map(({ id }) => id));
  return end < 0 ? [] : items.slice(end + 1).filter(({ id }) => !known.has(id));
}

export async function loadMore(): Promise<void> {
  const { cursor, q, loadingMore } = list.get();
  if (cursor === null || loadingMore) return;
  list.update((now) => ({ ...now, loadingMore: true }));
  const { signal } = asking ?? new AbortController();
  try {
    await fetchPage({ q, cursor }, signal, ({ conversations, next_cursor }) => {
      list.update((now) => {
        const known = new Set(now.items.map(({ id }) => id));
        const more = shown(conversations).filter(({ id }) => !known.has(id));
        return { ...now, items: [...now.items, ...more], cursor: next_cursor, loadingMore: false };
      });
    });
  } catch {
    if (!signal.aborted) list.update((now) => ({ ...now, loadingMore: false }));
  }
}

export function retitle(id: string, title: string): void {
  list.update((now) => ({ ...now, items: now.items.map((item) => (item.id === id ? { ...item, title } : item)) }));
}

/** Take a conversation out of the list; the function that is returned puts it back. */
export function hide(id: string): () => void {
  const before = list.get().items;
  hidden.add(id);
  list.update((now) => ({ ...now, items: shown(now.items) }));
  return () => {
    hidden.delete(id);
    list.update((now) => {
      const present = new Set([...now.items.map((item) => item.id), id]);
      const back = before.filter((item) => present.has(item.id));
      const added = now.items.filter((item) => !before.some((old) => old.id === item.id));
      return { ...now, items: [...added, ...back] };
    });
  };
}

/** Move a conversation to the top, or enter it there, as a new message does. */
function touch(id: string): void {
  const at = Date.now();
  const times = { updated_at: new Date(at).toISOString(), expires_at: new Date(at + LIFETIME).toISOString() };
  list.update((now) => {
    const known = now.items.find((item) => item.id === id);
    if (!known && now.q !== "") return now;
    const item = known ?? { id, title: "", created_at: times.updated_at };
    return { ...now, items: [{ ...item, ...times }, ...now.items.filter((other) => other.id !== id)] };
  });
}

function hear(signal: Signal): void {
  if (signal.type === "changed" && !hidden.has(signal.id)) touch(signal.id);
  if (signal.type === "titled") retitle(signal.id, signal.title);
  if (signal.type === "deleted") {
    list.update((now) => ({
      ...now,
      items: signal.id === null ? [] : now.items.filter(({ id }) => id !== signal.id),
    }));
  }
}

export function followList(): () => void {
  return onSignal((signal) => {
    for (const told of unheard) told.push(signal);
    hear(signal);
  });
}
