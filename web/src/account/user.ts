import { getUser, signOut as endSession } from "@/api/account";
import type { User } from "@/api/types";
import { drafts } from "@/composer/drafts";
import { outbox } from "@/conversation/outbox";
import { announce, onSignal } from "@/shared/signals";
import { read, write } from "@/shared/storage";
import { createStore } from "@/shared/store";

export const user = createStore<User | null>(null);

/** Set while somebody is signed in, so that the sign-in page need not ask, and be refused, to know that nobody is. */
const SIGNED_IN = "signed-in";

export function wasSignedIn(): boolean {
  return read(SIGNED_IN) !== null;
}

export async function loadUser(): Promise<void> {
  user.set(await getUser());
  write(SIGNED_IN, "yes");
}

/** To the sign-in page, and back here afterwards. */
export function toSignIn(): void {
  write(SIGNED_IN, null);
  const here = location.pathname + location.search;
  location.replace(here === "/" ? "/sign-in" : `/sign-in?next=${encodeURIComponent(here)}`);
}

/** Nothing of a person stays in the browser when they leave. */
export function leave(): void {
  drafts.sweep(true);
  outbox.sweep(true);
  write(SIGNED_IN, null);
  announce({ type: "signed-out" });
  location.replace("/sign-in");
}

export async function signOut(): Promise<void> {
  await endSession();
  leave();
}

/** When another tab signs out, this one goes with it. */
export function followSignOut(): () => void {
  return onSignal((signal, fromHere) => {
    if (signal.type === "signed-out" && !fromHere) location.replace("/sign-in");
  });
}
