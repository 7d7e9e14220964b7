import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { ConversationSummary } from "@/api/types";
import { announce } from "@/shared/signals";
import { followList, list, loadMore, refresh } from "@/sidebar/list";

/** Each request of a page, to be answered when the test says so; null for a failure. */
let asked: ((page: { conversations: ConversationSummary[]; next_cursor: string | null } | null) => void)[];
let leave: () => void;

function conversation(id: string, title: string): ConversationSummary {
  const at = "2026-01-01T00:00:00Z";
  return { id, title, created_at: at, updated_at: at, expires_at: "2026-01-08T00:00:00Z" };
}

function answer(conversations: ConversationSummary[], next_cursor: string | null = null): void {
  asked.shift()?.({ conversations, next_cursor });
}

function fail(): void {
  asked.shift()?.(null);
}

/** Some conversations in order, called by their numbers. */
function numbered(from: number, to: number): ConversationSummary[] {
  return Array.from({ length: to - from }, (_, index) => conversation(`${from + index}`, `${from + index}`));
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
    () =>
      new Promise<Response>((resolve, reject) =>
        asked.push((page) => (page ? resolve(Response.json(page)) : reject(new TypeError("no network")))),
      ),
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

describe("a list that is asked for anew", () => {
  async function loaded(count: number): Promise<void> {
    const first = refresh();
    answer(numbered(0, 40), "after 40");
    await first;
    const rest = loadMore();
    answer(numbered(40, count), `after ${count}`);
    await rest;
  }

  it("keeps what is longer than any page, with what has come to its beginning", async () => {
    await loaded(150);
    const again = refresh();
    answer([conversation("new", "new"), conversation("120", "120"), ...numbered(0, 98)], "after 98");
    await again;
    const numbers = numbered(0, 150).map(({ title }) => title);
    expect(titles()).toEqual(["new", "120", ...numbers.filter((title) => title !== "120")]);
    expect(list.get().cursor).toBe("after 150");
  });

  it("is as short as it has become", async () => {
    await loaded(60);
    const again = refresh();
    answer(numbered(0, 3));
    await again;
    expect(titles()).toEqual(["0", "1", "2"]);
    expect(list.get().cursor).toBeNull();
  });

  it("stays as it was when it cannot be had", async () => {
    await loaded(60);
    const again = refresh();
    fail();
    await again;
    expect(list.get()).toMatchObject({ status: "ready", cursor: "after 60" });
    expect(titles()).toHaveLength(60);
  });

  it("shows no list as what was found when a search fails", async () => {
    await loaded(60);
    const search = refresh("words");
    fail();
    await search;
    expect(list.get()).toMatchObject({ status: "failed", items: [], cursor: null, q: "words" });
  });
});
