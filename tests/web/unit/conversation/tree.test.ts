import { describe, expect, it } from "vitest";
import { type Message, newestUnder, pathTo } from "@/conversation/tree";

function message(id: string, parent_id: string | null, role: "user" | "assistant" = "user"): Message {
  return { id, key: id, parent_id, role, text: id, status: "complete", error: null, created_at: "", expires_at: "" };
}

// One question, two answers to it, and a second question after the first answer.
const messages = [
  message("q1", null),
  message("a1", "q1", "assistant"),
  message("a2", "q1", "assistant"),
  message("q2", "a1"),
];

describe("a conversation's tree", () => {
  it("reads from the first message to the leaf", () => {
    expect(pathTo(messages, "q2").map(({ id }) => id)).toEqual(["q1", "a1", "q2"]);
    expect(pathTo(messages, "a2").map(({ id }) => id)).toEqual(["q1", "a2"]);
    expect(pathTo(messages, null)).toEqual([]);
  });

  it("begins where the message before has expired", () => {
    expect(pathTo([message("a", "gone", "assistant")], "a").map(({ id }) => id)).toEqual(["a"]);
  });

  it("ends, whatever the parents say", () => {
    expect(pathTo([message("a", "b"), message("b", "a")], "a")).toHaveLength(2);
  });

  it("arrives at the newest message of a chosen version", () => {
    expect(newestUnder(messages, "a1")).toBe("q2");
    expect(newestUnder(messages, "a2")).toBe("a2");
    expect(newestUnder(messages, "q1")).toBe("q2");
  });
});
