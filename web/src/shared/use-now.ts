import { useSyncExternalStore } from "react";

const MINUTE = 60_000;
let now = 0;
const listeners = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | null = null;

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  timer ??= setInterval(() => {
    now = Date.now();
    for (const each of listeners) each();
  }, MINUTE);
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0 || timer === null) return;
    clearInterval(timer);
    timer = null;
  };
}

function current(): number {
  if (Date.now() - now >= MINUTE) now = Date.now();
  return now;
}

/** The time (Unix, milliseconds), renewed each minute; 0 in the exported page, which has no time. */
export function useNow(): number {
  return useSyncExternalStore(subscribe, current, () => 0);
}
