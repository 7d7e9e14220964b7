import { getUser } from "@/api/account";
import type { User } from "@/api/types";
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

export function forgetUser(): void {
  write(SIGNED_IN, null);
}

/** To the sign-in page, and back here afterwards. */
export function toSignIn(): void {
  forgetUser();
  const here = location.pathname + location.search;
  location.replace(here === "/" ? "/sign-in" : `/sign-in?next=${encodeURIComponent(here)}`);
}
