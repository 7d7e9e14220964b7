import { signOut as endSession } from "@/api/account";
import { drafts } from "@/composer/drafts";
import { outbox } from "@/conversation/outbox";
import { announce, onSignal } from "@/shared/signals";
import { commitRemovals } from "@/sidebar/removal";
import { forgetUser } from "./user";

/** Nothing of a person stays in the browser when they leave. */
export function leave(): void {
  drafts.sweep(true);
  outbox.sweep(true);
  forgetUser();
  announce({ type: "signed-out" });
  location.replace("/sign-in");
}

/** @throws when the session goes on, or something that was deleted could not be: nobody could delete it afterwards */
export async function signOut(): Promise<void> {
  if (!(await commitRemovals())) throw new Error("a conversation could not be deleted");
  await endSession();
  leave();
}

/** When another tab signs out, this one goes with it. */
export function followSignOut(): () => void {
  return onSignal((signal, fromHere) => {
    if (signal.type === "signed-out" && !fromHere) location.replace("/sign-in");
  });
}
