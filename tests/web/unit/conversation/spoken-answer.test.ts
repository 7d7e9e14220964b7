import { renderHook } from "@testing-library/react";
import { describe, expect, it, vi } from "vitest";
import { Problem } from "@/api/client";
import { type Conversation, emptyConversation, type Phase } from "@/conversation/model";
import type { Message } from "@/conversation/tree";
import { useSpokenAnswer } from "@/conversation/use-spoken-answer";
import { speak } from "@/shell/announcer";

vi.mock(import("@/shell/announcer"), () => ({ speak: vi.fn() }));

function conversation(phase: Phase, status: Message["status"], more: Partial<Conversation> = {}): Conversation {
  const times = { created_at: "", expires_at: "" };
  const answer = { id: "a", key: "a", parent_id: null, role: "assistant", text: "", error: null, status, ...times } as const;
  return { ...emptyConversation("one", "ready"), phase, messages: [answer], leaf: "a", ...more };
}

/** Every sentence that is said while a conversation goes through these states. */
function heard(first: Conversation, ...others: Conversation[]): string[] {
  vi.mocked(speak).mockClear();
  const { rerender } = renderHook(useSpokenAnswer, { initialProps: first });
  for (const state of others) rerender(state);
  return vi.mocked(speak).mock.calls.map(([sentence]) => sentence);
}

describe("an answer, to listeners", () => {
  it("begins and ends, once each, however often the connection breaks", () => {
    const states = (["sending", "thinking", "writing", "reconnecting", "thinking", "writing"] as const).map((phase) =>
      conversation(phase, "streaming"),
    );
    expect(heard(conversation("idle", "complete"), ...states, conversation("idle", "complete"))).toEqual([
      "Nanoka is answering.",
      "The connection was lost. Reconnecting – your answer goes on being written.",
      "The answer is complete.",
    ]);
  });

  it.each([
    ["failed", "The answer failed."],
    ["stopped", "The answer was stopped."],
    ["cut", "The answer was cut off."],
    ["interrupted", "The answer was cut off."],
  ] as const)("ends before its first word: %s", (status, sentence) => {
    expect(heard(conversation("thinking", "streaming"), conversation("idle", status))).toEqual([sentence]);
  });

  it("is not told of a question that was not sent, nor of an answer that was refused", () => {
    const refused = { problem: new Problem(409, "-") };
    const waiting = { ...refused, unsent: [{ id: "q", text: "Q", at: 0 }] };
    const sending = conversation("sending", "streaming");
    expect(heard(sending, conversation("idle", "complete", waiting))).toEqual(["Your message was not sent."]);
    expect(heard(sending, conversation("idle", "complete", refused))).toEqual([]);
  });

  it("is not said to be complete when another conversation is shown in its place", () => {
    const other = conversation("idle", "complete", { id: "two" });
    expect(heard(conversation("writing", "streaming"), other, conversation("idle", "complete"))).toEqual([]);
  });
});
