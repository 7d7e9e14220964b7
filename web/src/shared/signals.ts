/**
 * What happened to conversations, told to every part of this page and to the person's other tabs.
 * `changed`: its messages or its place in the list; `deleted` with id null: all of them.
 */
export type Signal =
  | { type: "changed"; id: string }
  | { type: "titled"; id: string; title: string }
  | { type: "deleted"; id: string | null }
  | { type: "signed-out" };

type Listener = (signal: Signal, fromHere: boolean) => void;

const listeners = new Set<Listener>();
const channel = typeof BroadcastChannel === "undefined" ? null : new BroadcastChannel("nanoka");

channel?.addEventListener("message", ({ data }: MessageEvent<Signal>) => {
  for (const listener of listeners) listener(data, false);
});

export function announce(signal: Signal): void {
  for (const listener of listeners) listener(signal, true);
  channel?.postMessage(signal);
}

export function onSignal(listener: Listener): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
