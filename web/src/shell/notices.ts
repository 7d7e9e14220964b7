import { createStore } from "@/shared/store";

/** What a notice is about, besides its words. */
interface Details {
  /** Something to do about it. */
  action?: { label: string; run: () => void; shortcut?: string };
  /** How long it stays (milliseconds), not counting while somebody is on it. */
  time?: number;
  /** What happens when its time is over. */
  onEnd?: () => void;
}

/** A short message at the edge of the page. */
export interface Notice extends Details {
  id: number;
  text: string;
  time: number;
}

export const notices = createStore<readonly Notice[]>([]);

const SHOWN_MS = 6000;
const SHOWN_AT_ONCE = 3;

let last = 0;

export function notify(text: string, details: Details = {}): number {
  last += 1;
  const all = [...notices.get(), { time: SHOWN_MS, ...details, id: last, text }];
  notices.set(all.slice(-SHOWN_AT_ONCE));
  for (const { onEnd } of all.slice(0, -SHOWN_AT_ONCE)) onEnd?.();
  return last;
}

export function dismiss(id: number): void {
  notices.update((now) => now.filter((notice) => notice.id !== id));
}
