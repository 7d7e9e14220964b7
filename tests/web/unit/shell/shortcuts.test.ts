import { fireEvent, renderHook } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { sessionOf } from "@/conversation/sessions";
import { place } from "@/shell/location";
import { useShortcuts } from "@/shell/shortcuts";
import { sheet } from "@/shell/sheets";

const ID = "3d6f3c0a-5d07-4f0e-9a53-0c9d2f0f8a11";

beforeEach(() => {
  vi.stubGlobal("fetch", vi.fn(async () => new Response(null, { status: 202 })));
  place.set(ID);
  sessionOf(ID).state.update((now) => ({ ...now, load: "ready", phase: "writing" }));
  renderHook(useShortcuts);
});
afterEach(() => {
  sheet.set(null);
  vi.unstubAllGlobals();
});

describe("Escape", () => {
  it("stops the answer wherever one is on the page, and does nothing without one", () => {
    expect(fireEvent.keyDown(document.body, { key: "Escape" })).toBe(false);
    expect(fetch).toHaveBeenCalledExactlyOnceWith(`/api/messages/${ID}/stop`, expect.anything());
    sessionOf(ID).state.update((now) => ({ ...now, phase: "idle" }));
    expect(fireEvent.keyDown(document.body, { key: "Escape" })).toBe(true);
    expect(fetch).toHaveBeenCalledOnce();
  });

  it("leaves the answer alone when it ends a conversion, closes a dialog, or was used already", () => {
    fireEvent.keyDown(document.body, { key: "Escape", isComposing: true, keyCode: 229 });
    document.body.addEventListener("keydown", (event) => event.preventDefault(), { once: true });
    fireEvent.keyDown(document.body, { key: "Escape" });
    sheet.set("settings");
    fireEvent.keyDown(document.body, { key: "Escape" });
    expect(fetch).not.toHaveBeenCalled();
  });
});
