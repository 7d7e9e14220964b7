import { fireEvent, render, screen } from "@testing-library/react";
import { afterEach, describe, expect, it, vi } from "vitest";
import { RenameField } from "@/sidebar/rename-field";

afterEach(() => {
  document.body.innerHTML = "";
});

function show(): { field: HTMLInputElement; onDone: ReturnType<typeof vi.fn> } {
  const onDone = vi.fn();
  render(<RenameField title="Before" onDone={onDone} />);
  return { field: screen.getByRole("textbox"), onDone };
}

describe("renaming in place", () => {
  it("takes the new title with Enter, once", () => {
    const { field, onDone } = show();
    fireEvent.change(field, { target: { value: " After " } });
    fireEvent.keyDown(field, { key: "Enter" });
    fireEvent.blur(field);
    expect(onDone).toHaveBeenCalledExactlyOnceWith("After", true);
  });

  it("leaves Enter and Escape to a conversion", () => {
    const { field, onDone } = show();
    fireEvent.keyDown(field, { key: "Enter", keyCode: 229 });
    fireEvent.keyDown(field, { key: "Escape", isComposing: true });
    expect(onDone).not.toHaveBeenCalled();
  });

  it("keeps the old title with Escape, and for an empty one", () => {
    const first = show();
    fireEvent.change(first.field, { target: { value: "After" } });
    fireEvent.keyDown(first.field, { key: "Escape" });
    expect(first.onDone).toHaveBeenCalledExactlyOnceWith(null, true);
    document.body.innerHTML = "";

    const second = show();
    fireEvent.change(second.field, { target: { value: "  " } });
    fireEvent.blur(second.field);
    expect(second.onDone).toHaveBeenCalledExactlyOnceWith(null, false);
  });
});
