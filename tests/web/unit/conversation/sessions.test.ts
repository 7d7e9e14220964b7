import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { followOtherTabs, sessionOf } from "@/conversation/sessions";
import type { Signal } from "@/shared/signals";

const GONE = "3d6f3c0a-5d07-4f0e-9a53-0c9d2f0f8a11";
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
  const gone = sessionOf(GONE);
  const other = sessionOf("4d6f3c0a-5d07-4f0e-9a53-0c9d2f0f8a11");
  say({ type: "deleted", id: GONE });
  await vi.waitFor(() => expect(gone.state.get().load).toBe("missing"));
  expect(other.state.get().load).toBe("loading");
  say({ type: "deleted", id: null });
  await vi.waitFor(() => expect(other.state.get().load).toBe("missing"));
});

it("knows that no conversation is called what is no id", () => {
  expect(sessionOf("not-a-uuid").state.get().load).toBe("missing");
});
