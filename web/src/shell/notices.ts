import { createStore } from "@/shared/store";

/** A short message at the edge of the page, with something to do about it if there is. */
export interface Notice {
  id: number;
  text: string;
  action?: { label: string; run: () => void };
}

export const notices = createStore<readonly Notice[]>([]);

let last = 0;

export function notify(text: string, action?: Notice["action"]): number {
  last += 1;
  const notice: Notice = { id: last, text, ...(action ? { action } : {}) };
  notices.update((now) => [...now.slice(-2), notice]);
  return last;
}

export function dismiss(id: number): void {
  notices.update((now) => now.filter((notice) => notice.id !== id));
}
