import { request, requestJson } from "./client";
import type { User } from "./types";

export function getUser(): Promise<User> {
  return requestJson("/api/auth/me");
}

export async function signOut(): Promise<void> {
  await request("/api/auth/logout", { method: "POST" });
}

export async function deleteAccount(): Promise<void> {
  await request("/api/auth/me", { method: "DELETE" });
}

/** Where a browser goes to sign in; the login function brings it back to `next`. */
export function signInAddress(next: string): string {
  return `/api/auth/login?next=${encodeURIComponent(next)}`;
}
