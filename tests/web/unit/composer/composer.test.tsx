import { act, fireEvent, render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { createRef } from "react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Composer, type ComposerHandle } from "@/composer/composer";
import { drafts, NEW } from "@/composer/drafts";
import type { Phase } from "@/conversation/model";

const onSend = vi.fn();
const onStop = vi.fn();
const onEditLast = vi.fn();

function show(phase: Phase = "idle"): { field: HTMLTextAreaElement; unmount: () => void } {
  const ref = createRef<ComposerHandle>();
  const { unmount } = render(
    <Composer conversation={null} phase={phase} onSend={onSend} onStop={onStop} onEditLast={onEditLast} ref={ref} />,
  );
  return { field: screen.getByRole("textbox", { name: "Message" }), unmount };
}

beforeEach(() => {
  localStorage.clear();
  vi.stubGlobal("fetch", vi.fn(async () => new Response(null, { status: 204 })));
});
afterEach(() => {
  document.body.innerHTML = "";
  vi.clearAllMocks();
  vi.unstubAllGlobals();
});

describe("the message field", () => {
  it("sends with Enter and empties", async () => {
    const { field } = show();
    await userEvent.type(field, "  Hello{Enter}");
    expect(onSend).toHaveBeenCalledExactlyOnceWith("Hello");
    expect(field.value).toBe("");
  });

  it("breaks the line with Shift and Enter", async () => {
    const { field } = show();
    await userEvent.type(field, "a{Shift>}{Enter}{/Shift}b");
    expect(onSend).not.toHaveBeenCalled();
    expect(field.value).toBe("a\nb");
  });

  it("never sends with the Enter of a conversion, in either order of events", () => {
    const { field } = show();
    fireEvent.change(field, { target: { value: "七日" } });
    // Chromium: keydown while composing, then compositionend.
    fireEvent.compositionStart(field);
    fireEvent.keyDown(field, { key: "Enter", isComposing: true, keyCode: 229 });
    fireEvent.compositionEnd(field);
    // Safari: compositionend, then keydown that only keyCode 229 tells from a plain one.
    fireEvent.compositionStart(field);
    fireEvent.compositionEnd(field);
    fireEvent.keyDown(field, { key: "Enter", isComposing: false, keyCode: 229 });
    expect(onSend).not.toHaveBeenCalled();
    fireEvent.keyDown(field, { key: "Enter", keyCode: 13 });
    expect(onSend).toHaveBeenCalledExactlyOnceWith("七日");
  });

  it("sends nothing while an answer is being written", async () => {
    const { field } = show("writing");
    await userEvent.type(field, "next{Enter}");
    expect(onSend).not.toHaveBeenCalled();
  });

  it("stops an answer by its button, but not by the second press of the one that sent the question", () => {
    show("writing");
    const button = screen.getByRole("button", { name: "Stop answering" });
    fireEvent.click(button, { detail: 2 });
    expect(onStop).not.toHaveBeenCalled();
    fireEvent.click(button, { detail: 1 });
    fireEvent.click(button, { detail: 0 }); // by key
    expect(onStop).toHaveBeenCalledTimes(2);
  });

  it("counts characters, not code units", () => {
    const { field } = show();
    fireEvent.change(field, { target: { value: "😀".repeat(32_000) } });
    expect(screen.queryByRole("alert")).toBeNull();
    fireEvent.change(field, { target: { value: "😀".repeat(32_001) } });
    expect(screen.getByRole("alert").textContent).toContain("1 character too many");
    fireEvent.keyDown(field, { key: "Enter" });
    expect(onSend).not.toHaveBeenCalled();
  });

  it("edits the last message with the arrow up in an empty field", async () => {
    const { field } = show();
    await userEvent.type(field, "{ArrowUp}");
    expect(onEditLast).toHaveBeenCalledOnce();
  });

  it("keeps a draft until it is sent", async () => {
    const first = show();
    await userEvent.type(first.field, "half a thou");
    act(() => void dispatchEvent(new Event("pagehide")));
    expect(drafts.get(NEW)).toBe("half a thou");
    first.unmount();

    const second = show();
    expect(second.field.value).toBe("half a thou");
    await userEvent.type(second.field, "ght{Enter}");
    expect(drafts.get(NEW)).toBeNull();
  });

  it("forgets drafts that are older than seven days", () => {
    drafts.set("old", "words");
    vi.useFakeTimers({ now: Date.now() + 169 * 3600 * 1000 });
    drafts.sweep();
    vi.useRealTimers();
    expect(localStorage.getItem("nanoka.draft.old")).toBeNull();
  });
});
