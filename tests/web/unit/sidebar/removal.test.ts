import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { signOut } from "@/account/leaving";
import { drafts } from "@/composer/drafts";
import { outbox } from "@/conversation/outbox";
import { notices } from "@/shell/notices";
import { commitRemovals, removeConversation, undoRemoval } from "@/sidebar/removal";

const ID = "3d6f3c0a-5d07-4f0e-9a53-0c9d2f0f8a11";
const OTHER = "4d6f3c0a-5d07-4f0e-9a53-0c9d2f0f8a11";

/** Every request that changes something, in order. */
let requests: string[];
let deletion: number;

beforeEach(() => {
  requests = [];
  deletion = 204;
  localStorage.clear();
  notices.set([]);
  vi.stubGlobal("location", { pathname: "/", replace: vi.fn() });
  vi.stubGlobal("fetch", async (address: string, { method = "GET" }: RequestInit = {}) => {
    if (method !== "GET") requests.push(`${method} ${address}`);
    const status = method === "DELETE" ? deletion : method === "GET" ? 503 : 204;
    return new Response(status === 204 ? null : JSON.stringify({ title: "No", status, detail: "-" }), { status });
  });
});
afterEach(async () => {
  while (undoRemoval());
  vi.unstubAllGlobals();
});

describe("a deletion that can be undone", () => {
  it("is undone by the last one first", async () => {
    removeConversation(ID, "First");
    removeConversation(OTHER, "Second");
    expect(undoRemoval()).toBe(true);
    expect(notices.get().map(({ text }) => text)).toEqual(["“First” deleted"]);
    expect(undoRemoval()).toBe(true);
    expect(undoRemoval()).toBe(false);
    await commitRemovals();
    expect(requests).toEqual([]);
  });

  it("happens before the session ends, since nobody could delete it afterwards", async () => {
    drafts.set(OTHER, "half a thought");
    outbox.put(OTHER, { id: "q", text: "Lost?", at: Date.now() });
    removeConversation(ID, "Gone");
    await signOut();
    expect(requests).toEqual([`DELETE /api/conversations/${ID}`, "POST /api/auth/logout"]);
    expect(Object.keys(localStorage)).toEqual([]);
    expect(location.replace).toHaveBeenCalledWith("/sign-in");
  });

  it("keeps one signed in when it fails, and says so", async () => {
    deletion = 500;
    removeConversation(ID, "Stays");
    await expect(signOut()).rejects.toThrow();
    expect(requests).toEqual([`DELETE /api/conversations/${ID}`]);
    expect(notices.get().map(({ text }) => text)).toEqual(["The conversation could not be deleted."]);
  });
});
