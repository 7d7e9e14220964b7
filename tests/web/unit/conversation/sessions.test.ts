import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { followOtherTabs, sessionOf } from "@/conversation/sessions";
import type { Signal } from "@/shared/signals";

/** What the person's other tabs say. */
const elsewhere = new BroadcastChannel("nanoka");
let leave: () => void;

function say(signal: Signal): void {
  elsewhere.postMessage(signal);
}

beforeEach(() => {
  leave = followOtherTabs(() => null);
  vi.stubGlobal("fetch", async () => Response.json({ title: "No", status: 503, detail: "-" }, { status: 503 }));
});
afterEach(() => {
  leave();
  vi.unstubAllGlobals();
});

it("shows as gone what another tab deleted", async () => {
  const gone = sessionOf("gone");
  const other = sessionOf("other");
  say({ type: "deleted", id: "gone" });
  await vi.waitFor(() => expect(gone.state.get().load).toBe("missing"));
  expect(other.state.get().load).toBe("loading");
  say({ type: "deleted", id: null });
  await vi.waitFor(() => expect(other.state.get().load).toBe("missing"));
});
