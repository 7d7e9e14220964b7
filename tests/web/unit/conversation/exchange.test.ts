import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Problem } from "@/api/client";
import { type Exchange, readAnswer } from "@/conversation/exchange";
import { LiveText } from "@/conversation/live-text";
import { delta, finish, start, type Wire, wire } from "./wire";

let text: LiveText;
let breaks = 0;
let abort: AbortController;

function exchange(open: Exchange["open"], resume: Exchange["resume"]): Exchange {
  return {
    open,
    resume,
    onOpen: () => undefined,
    onEvents: (events, fresh) => {
      if (fresh) text.restart();
      const before = text.length;
      for (const event of events) if (event.type === "text-delta") text.append(event.delta);
      return text.length > before;
    },
    onBreak: () => {
      breaks += 1;
    },
    signal: abort.signal,
  };
}

function whole(): Wire {
  const connection = wire();
  connection.send(start("a"), delta("whole answer"), finish());
  connection.end();
  return connection;
}

beforeEach(() => {
  vi.useFakeTimers();
  text = new LiveText();
  breaks = 0;
  abort = new AbortController();
});
afterEach(() => void vi.useRealTimers());

async function ended<T>(promise: Promise<T>): Promise<T> {
  let over = false;
  const result = promise.finally(() => {
    over = true;
  });
  result.catch(() => undefined);
  for (let step = 0; !over && step < 500; step += 1) await vi.advanceTimersByTimeAsync(250);
  return result;
}

describe("reading an answer", () => {
  it("is finished by `finish` alone", async () => {
    const resume = vi.fn();
    expect(await ended(readAnswer(exchange(async () => whole().response, resume)))).toBe("finished");
    expect(resume).not.toHaveBeenCalled();
  });

  it("resumes a stream that ends without it", async () => {
    const cut = wire();
    cut.send(start("a"), delta("whole"));
    cut.end();
    const resume = vi.fn(async () => whole().response);
    expect(await ended(readAnswer(exchange(async () => cut.response, resume)))).toBe("finished");
    expect(text.end()).toBe("whole answer");
    expect(breaks).toBe(1);
  });

  it("resumes a connection that breaks", async () => {
    const broken = wire();
    broken.send(start("a"), delta("whole"));
    setTimeout(broken.break, 100);
    const resume = vi.fn(async () => whole().response);
    expect(await ended(readAnswer(exchange(async () => broken.response, resume)))).toBe("finished");
    expect(resume).toHaveBeenCalledOnce();
  });

  it("is gone when nothing is being written any more", async () => {
    expect(await ended(readAnswer(exchange(null, async () => null)))).toBe("gone");
  });

  it("asks again while the network or a starting pod fails, and then gives up", async () => {
    const open = vi.fn().mockRejectedValueOnce(new Problem(0, "offline")).mockRejectedValueOnce(new Problem(503, "busy"));
    open.mockResolvedValueOnce(whole().response);
    expect(await ended(readAnswer(exchange(open, vi.fn())))).toBe("finished");
    expect(open).toHaveBeenCalledTimes(3);

    const never = vi.fn().mockRejectedValue(new Problem(0, "offline"));
    await expect(ended(readAnswer(exchange(never, vi.fn())))).rejects.toMatchObject({ status: 0 });
    expect(never.mock.calls.length).toBeGreaterThan(3);
  });

  it("does not ask again what was refused", async () => {
    const open = vi.fn().mockRejectedValue(new Problem(422, "too long", "text"));
    await expect(ended(readAnswer(exchange(open, vi.fn())))).rejects.toMatchObject({ status: 422, field: "text" });
    expect(open).toHaveBeenCalledOnce();
  });

  it("is lost, not endless, when every connection is cut at the same place", async () => {
    const cut = async (): Promise<Response> => {
      const connection = wire();
      connection.send(start("a"), delta("half"));
      connection.end();
      return connection.response;
    };
    expect(await ended(readAnswer(exchange(cut, cut)))).toBe("lost");
    expect(text.end()).toBe("half");
  });

  it("ends when the page does not want it any more", async () => {
    const endless = wire();
    endless.send(start("a"));
    const reading = readAnswer(exchange(async () => endless.response, vi.fn()));
    setTimeout(() => {
      abort.abort();
      endless.break();
    }, 100);
    expect(await ended(reading)).toBe("lost");
  });
});
