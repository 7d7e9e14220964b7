import { act, cleanup, fireEvent, render, screen } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { NoticeList } from "@/shell/notice-list";
import { notices, notify } from "@/shell/notices";

const undo = vi.fn();
const onEnd = vi.fn();

function pass(milliseconds: number): void {
  act(() => void vi.advanceTimersByTime(milliseconds));
}

beforeEach(() => {
  vi.useFakeTimers();
  notices.set([]);
  render(
    <>
      <NoticeList />
      <textarea id="composer" />
    </>,
  );
});
afterEach(() => {
  cleanup();
  vi.useRealTimers();
  vi.clearAllMocks();
});

function offer(): HTMLElement {
  act(() => void notify("Deleted", { action: { label: "Undo", run: undo }, time: 8000, onEnd }));
  return screen.getByRole("button", { name: "Undo" });
}

describe("a notice", () => {
  it("goes by itself, and then ends what it offered", () => {
    offer();
    pass(7900);
    expect(onEnd).not.toHaveBeenCalled();
    pass(200);
    expect(onEnd).toHaveBeenCalledOnce();
    expect(screen.queryByText("Deleted")).toBeNull();
  });

  it("stays while it has the focus, and for its whole time afterwards", () => {
    const button = offer();
    act(() => button.focus());
    pass(60_000);
    expect(onEnd).not.toHaveBeenCalled();
    act(() => button.blur());
    pass(7900);
    expect(onEnd).not.toHaveBeenCalled();
    pass(200);
    expect(onEnd).toHaveBeenCalledOnce();
  });

  it("stays while the pointer is on it", () => {
    const button = offer();
    fireEvent.pointerEnter(button.parentElement as HTMLElement);
    pass(60_000);
    expect(onEnd).not.toHaveBeenCalled();
    fireEvent.pointerLeave(button.parentElement as HTMLElement);
    pass(8100);
    expect(onEnd).toHaveBeenCalledOnce();
  });

  it("gives its focus to the message field when it goes", () => {
    const button = offer();
    act(() => button.focus());
    act(() => notices.set([]));
    pass(100);
    expect(document.activeElement?.id).toBe("composer");
  });

  it("ends early what makes room for three newer ones", () => {
    offer();
    for (const text of ["one", "two", "three"]) act(() => void notify(text));
    expect(onEnd).toHaveBeenCalledOnce();
    expect(screen.queryByText("Deleted")).toBeNull();
    expect(screen.getByText("three")).toBeTruthy();
  });
});
