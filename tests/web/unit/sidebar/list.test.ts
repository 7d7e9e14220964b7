import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { ConversationSummary } from "@/api/types";
import { announce } from "@/shared/signals";
import { followList, list, loadMore, refresh } from "@/sidebar/list";

/** Each request of a page, to be answered when the test says so. */
let asked: ((page: { conversations: ConversationSummary[]; next_cursor: string | null }) => void)[];
let leave: () => void;

function conversation(id: string, title: string): ConversationSummary {
  const at = "2026-01-01T00:00:00Z";
  return { id, title, created_at: at, updated_at: at, expires_at: "2026-01-08T00:00:00Z" };
}

function answer(conversations: ConversationSummary[], next_cursor: string | null = null): void {
  asked.shift()?.({ conversations, next_cursor });
}

function titles(): string[] {
  return list.get().items.map(({ title }) => title);
}

beforeEach(() => {
  asked = [];
  list.set(list.initial());
  leave = followList();
  vi.stubGlobal(
    "fetch",
    () => new Promise<Response>((resolve) => asked.push((page) => resolve(Response.json(page)))),
  );
});
afterEach(() => {
  leave();
  vi.unstubAllGlobals();
});

describe("what is told while a page of the list is on its way", () => {
  it("keeps a title that is newer than the page", async () => {
    const done = refresh();
    announce({ type: "changed", id: "a" });
    announce({ type: "titled", id: "a", title: "The model's title" });
    answer([conversation("a", "First words")]);
    await done;
    expect(titles()).toEqual(["The model's title"]);
  });

  it("keeps a conversation that the page does not know yet", async () => {
    const done = refresh();
    announce({ type: "changed", id: "new" });
    answer([conversation("a", "Old")]);
    await done;
    expect(list.get().items.map(({ id }) => id)).toEqual(["new", "a"]);
  });

  it("does not bring back what was deleted, in the first page or a later one", async () => {
    const first = refresh();
    announce({ type: "deleted", id: "a" });
    answer([conversation("a", "Gone"), conversation("b", "Here")], "more");
    await first;
    expect(titles()).toEqual(["Here"]);
    const second = loadMore();
    announce({ type: "deleted", id: "c" });
    answer([conversation("c", "Gone too"), conversation("d", "There")]);
    await second;
    expect(titles()).toEqual(["Here", "There"]);
  });

  it("is forgotten once the page has come", async () => {
    const first = refresh();
    announce({ type: "titled", id: "a", title: "Then" });
    answer([conversation("a", "Before")]);
    await first;
    const second = refresh();
    answer([conversation("a", "Renamed elsewhere")]);
    await second;
    expect(titles()).toEqual(["Renamed elsewhere"]);
  });
});
