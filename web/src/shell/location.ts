import { createStore } from "@/shared/store";

/** The conversation in the address (`/c/<id>`), null on the start page; undefined until the address was looked at. */
export const place = createStore<string | null | undefined>(undefined);

const ADDRESS = /^\/c\/([^/]+)\/?$/;

function here(): string | null {
  return ADDRESS.exec(location.pathname)?.[1]?.toLowerCase() ?? null;
}

/**
 * Follow the address from now on. One exported page serves every conversation, so Next's router has nothing to load:
 * the History API alone moves between them, and Next keeps its own state in step with it.
 */
export function followAddress(): () => void {
  const update = (): void => place.set(here());
  update();
  addEventListener("popstate", update);
  return () => removeEventListener("popstate", update);
}

export function addressOf(conversation: string | null): string {
  return conversation === null ? "/" : `/c/${conversation}`;
}

export function goTo(conversation: string | null): void {
  if (conversation === place.get() && location.pathname === addressOf(conversation)) return;
  history.pushState(null, "", addressOf(conversation));
  place.set(conversation);
}
