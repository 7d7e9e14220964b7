import { describe, expect, it, vi } from "vitest";
import type { StreamEvent } from "@/api/types";
import { readEvents } from "@/conversation/stream";
import { delta, finish, start, wire } from "./wire";

async function all(body: ReadableStream<Uint8Array>): Promise<StreamEvent[]> {
  const events: StreamEvent[] = [];
  for await (const some of readEvents(body)) events.push(...some);
  return events;
}

async function read(...frames: (StreamEvent | string)[]): Promise<StreamEvent[]> {
  const { response, send, end } = wire();
  send(...frames);
  end();
  return all(response.body as ReadableStream<Uint8Array>);
}

describe("the answer stream", () => {
  it("is read event by event", async () => {
    const events = [start("a"), delta("七"), delta("日"), finish()];
    expect(await read(...events)).toEqual(events);
  });

  it("passes over comments, [DONE] and what a proxy writes into the body", async () => {
    expect(await read(": keep-alive\n\n", delta("a"), "data: [DONE]\n\n", "activator request timeout")).toEqual([delta("a")]);
    expect(await read("data: {broken\n\n", delta("a"))).toEqual([delta("a")]);
  });

  it("keeps a character together whose bytes come apart", async () => {
    const bytes = new TextEncoder().encode(`data: ${JSON.stringify(delta("日"))}\n\n`);
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        for (const byte of bytes) controller.enqueue(Uint8Array.of(byte));
        controller.close();
      },
    });
    expect(await all(body)).toEqual([delta("日")]);
  });
});

describe("a connection that is dead", () => {
  it("ends when the network has gone", async () => {
    const { response, send } = wire();
    send(delta("a"));
    const reading = all(response.body as ReadableStream<Uint8Array>);
    setTimeout(() => dispatchEvent(new Event("offline")), 20);
    expect(await reading).toEqual([delta("a")]);
  });

  it("ends when nothing has come for longer than the server is ever silent", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const { response, send } = wire();
    send(delta("a"));
    let over = false;
    const reading = all(response.body as ReadableStream<Uint8Array>).finally(() => {
      over = true;
    });
    await vi.advanceTimersByTimeAsync(30_000);
    send(": keep-alive\n\n");
    await vi.advanceTimersByTimeAsync(30_000);
    expect(over).toBe(false);
    await vi.advanceTimersByTimeAsync(15_000);
    expect(await reading).toEqual([delta("a")]);
    vi.useRealTimers();
  });
});
