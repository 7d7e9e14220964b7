import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { ConversationDetail, SendRequest, StoredMessage } from "@/api/types";
import type { Message } from "@/conversation/tree";
import { outbox } from "@/conversation/outbox";
import { Session } from "@/conversation/session";
import { delta, finish, start, type Wire, wire } from "./wire";

const ID = "3d6f3c0a-5d07-4f0e-9a53-0c9d2f0f8a11";

let posted: SendRequest[];
let answers: (() => Response | Promise<Response>)[];
let resumed: (() => Response)[];
let stored: ConversationDetail | null;
let stops: number;

/** Our own API, as far as a session knows it. */
async function api(address: string, init: RequestInit = {}): Promise<Response> {
  if (address.endsWith("/stream")) return resumed.shift()?.() ?? new Response(null, { status: 204 });
  if (address.endsWith("/stop")) {
    stops += 1;
    return new Response(null, { status: 202 });
  }
  if (address === "/api/messages") {
    posted.push(JSON.parse(String(init.body)) as SendRequest);
    const answer = answers.shift();
    if (!answer) throw new TypeError("no network");
    return answer();
  }
  return stored ? Response.json(stored) : refusal(404);
}

function refusal(status: number): Response {
  return Response.json({ title: "No", status, detail: "-" }, { status });
}

function answered(id: string, text: string, status: "complete" | "stopped" = "complete"): () => Response {
  return () => {
    const connection = wire();
    connection.send(start(id), delta(text), finish(status));
    connection.end();
    return connection.response;
  };
}

function history(...messages: Partial<StoredMessage>[]): ConversationDetail {
  const times = { created_at: "2026-01-01T00:00:00Z", expires_at: "2026-01-08T00:00:00Z" };
  const whole = messages.map((message) => ({
    id: "",
    parent_id: null,
    role: "user" as const,
    text: "",
    status: "complete" as const,
    error: null,
    model: null,
    ...times,
    ...message,
  }));
  return { id: ID, title: "Title", updated_at: times.created_at, ...times, messages: whole };
}

function last(session: Session): Message {
  const message = session.state.get().messages.at(-1);
  if (!message) throw new Error("no message");
  return message;
}

beforeEach(() => {
  posted = [];
  answers = [];
  resumed = [];
  stored = null;
  stops = 0;
  localStorage.clear();
  vi.stubGlobal("fetch", vi.fn(api));
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

async function settle<T>(promise: Promise<T>): Promise<T> {
  let over = false;
  const result = promise.finally(() => {
    over = true;
  });
  for (let step = 0; !over && step < 2000; step += 1) await vi.advanceTimersByTimeAsync(100);
  return result;
}

describe("a session", () => {
  it("asks, shows the question at once, and takes the answer's id from the stream", async () => {
    const connection: Wire = wire();
    answers.push(() => connection.response);
    const session = new Session(ID, true);
    const asked = session.ask("Hello");
    expect(session.state.get().messages.map(({ text }) => text)).toEqual(["Hello", ""]);
    expect(session.state.get().phase).toBe("sending");

    connection.send(start("answer"), delta("Hi"));
    await vi.waitFor(() => expect(session.state.get().phase).toBe("writing"));
    connection.send(delta(" there"), { type: "data-title", data: { title: "Greeting" }, transient: true }, finish());
    await settle(asked);

    expect(last(session)).toMatchObject({ id: "answer", text: "Hi there", status: "complete" });
    expect(session.state.get()).toMatchObject({ phase: "idle", title: "Greeting", leaf: "answer" });
  });

  it("goes on from the branch that is shown, and edits beside what was there", async () => {
    answers.push(answered("a1", "one"), answered("a2", "two"), answered("a3", "three"));
    const session = new Session(ID, true);
    await settle(session.ask("first"));
    const question = session.state.get().messages[0] as Message;
    await settle(session.ask("second"));
    expect(posted[1]?.messages.map(({ id }) => id)[0]).toBe("a1");

    await settle(session.edit(question, "first, but better"));
    expect(posted[2]).toMatchObject({ trigger: "submit-message", messageId: question.id });
    expect(posted[2]?.messages).toHaveLength(1);
    expect(posted[2]?.messages[0]?.id).not.toBe(question.id);
    expect(session.state.get().messages).toHaveLength(6);

    session.choose(question);
    expect(session.state.get().leaf).toBe("a2");
  });

  it("sends the same question again under the same id while the network is away", async () => {
    answers.push(
      () => Promise.reject(new TypeError("no network")),
      answered("a1", "there"),
    );
    const session = new Session(ID, true);
    await settle(session.ask("Are you there?"));
    expect(posted).toHaveLength(2);
    expect(posted[0]).toEqual(posted[1]);
    expect(last(session).text).toBe("there");
  });

  it("keeps a question that never arrived, over a reload too, and sends it when asked", async () => {
    const session = new Session(ID, true);
    await settle(session.ask("Lost?"));
    expect(session.state.get().messages).toMatchObject([{ text: "Lost?", status: "unsent" }]);
    expect(session.state.get().problem?.status).toBe(0);

    const reloaded = new Session(ID, false);
    await settle(reloaded.sync());
    expect(reloaded.state.get()).toMatchObject({ load: "ready", messages: [{ text: "Lost?", status: "unsent" }] });

    answers.push(answered("a1", "Found."));
    await settle(reloaded.retry(last(reloaded)));
    expect(posted.at(-1)?.messages.at(-1)?.id).toBe(posted[0]?.messages.at(-1)?.id);
    expect(last(reloaded).text).toBe("Found.");
    expect(outbox.get(ID)).toBeNull();
  });

  it("reads on what is being written when the page opens", async () => {
    stored = history(
      { id: "q", text: "Q" },
      { id: "a", parent_id: "q", role: "assistant", text: "so far", status: "streaming" },
    );
    resumed.push(answered("a", "so far, and on"));
    const session = new Session(ID, false);
    await settle(session.sync());
    expect(last(session)).toMatchObject({ id: "a", text: "so far, and on", status: "complete" });
  });

  it("shows what history says when a stream ended without its end", async () => {
    const cut = wire();
    cut.send(start("a"), delta("half"));
    cut.end();
    answers.push(() => cut.response);
    const session = new Session(ID, true);
    stored = history(
      { id: "q", text: "Q" },
      { id: "a", parent_id: "q", role: "assistant", text: "half an", status: "interrupted" },
    );
    await settle(session.ask("Q"));
    expect(last(session)).toMatchObject({ text: "half an", status: "interrupted" });
  });

  it("calls an answer cut when neither the stream nor history can be had", async () => {
    const cut = wire();
    cut.send(start("a"), delta("half"));
    cut.end();
    answers.push(() => cut.response);
    vi.mocked(fetch).mockImplementation(async (address, init) => {
      if (address === "/api/messages") return api(address, init);
      throw new TypeError("no network");
    });
    const session = new Session(ID, true);
    await settle(session.ask("Q"));
    expect(last(session)).toMatchObject({ text: "half", status: "cut" });
  });

  it("tells why an answer failed, and asks for another one", async () => {
    answers.push(() => {
      const connection = wire();
      connection.send(start("a"), { type: "error", errorText: "The model is busy." });
      connection.end();
      return connection.response;
    }, answered("b", "Better."));
    const session = new Session(ID, true);
    await settle(session.ask("Q"));
    expect(last(session)).toMatchObject({ status: "failed", error: "The model is busy." });

    await settle(session.retry(last(session)));
    expect(posted[1]).toMatchObject({ trigger: "regenerate-message", messageId: "a" });
    expect(last(session)).toMatchObject({ id: "b", text: "Better.", parent_id: session.state.get().messages[0]?.id });
  });

  describe("answering again over a broken line", () => {
    async function answeredOnce(): Promise<{ session: Session; question: string }> {
      answers.push(answered("a", "One."), () => Promise.reject(new TypeError("no network")));
      const session = new Session(ID, true);
      await settle(session.ask("Q"));
      return { session, question: session.state.get().messages[0]?.id ?? "" };
    }
    const before = (question: string): Partial<StoredMessage>[] => [
      { id: question, text: "Q" },
      { id: "a", parent_id: question, role: "assistant", text: "One." },
    ];

    it("asks once more when nothing had arrived", async () => {
      const { session, question } = await answeredOnce();
      stored = history(...before(question));
      answers.push(answered("b", "Two."));
      await settle(session.regenerate(last(session)));
      expect(posted).toHaveLength(3);
      expect(last(session)).toMatchObject({ id: "b", text: "Two.", status: "complete" });
    });

    it("takes the answer that has been written meanwhile", async () => {
      const { session, question } = await answeredOnce();
      stored = history(...before(question), { id: "b", parent_id: question, role: "assistant", text: "Two." });
      await settle(session.regenerate(last(session)));
      expect(posted).toHaveLength(2);
      expect(last(session)).toMatchObject({ id: "b", text: "Two.", status: "complete" });
      expect(session.state.get()).toMatchObject({ phase: "idle", leaf: "b", problem: null });
    });

    it("reads on in the answer that is being written", async () => {
      const { session, question } = await answeredOnce();
      const running = { id: "b", parent_id: question, role: "assistant", text: "T", status: "streaming" } as const;
      stored = history(...before(question), running);
      resumed.push(answered("b", "Two."));
      await settle(session.regenerate(last(session)));
      expect(posted).toHaveLength(2);
      expect(last(session)).toMatchObject({ id: "b", text: "Two.", status: "complete" });
    });

    it("reads on when the first request was still under way and overtakes the second", async () => {
      const { session, question } = await answeredOnce();
      stored = history(...before(question));
      answers.push(() => {
        stored = history(...before(question), { id: "b", parent_id: question, role: "assistant", text: "Two." });
        return refusal(409);
      });
      await settle(session.regenerate(last(session)));
      expect(posted).toHaveLength(3);
      expect(last(session)).toMatchObject({ id: "b", text: "Two." });
      expect(session.state.get().problem).toBeNull();
    });

    it("shows the old answer again, and why, when it is refused", async () => {
      answers.push(answered("a", "One."), () => refusal(404));
      const session = new Session(ID, true);
      await settle(session.ask("Q"));
      await settle(session.regenerate(last(session)));
      expect(last(session)).toMatchObject({ id: "a", text: "One." });
      expect(session.state.get()).toMatchObject({ phase: "idle", leaf: "a", problem: { status: 404 } });
    });
  });

  it("shows what is being written elsewhere when a question is refused for it", async () => {
    answers.push(() => refusal(409));
    const other = { id: "q", text: "From elsewhere" };
    stored = history(other, { id: "a", parent_id: "q", role: "assistant", status: "streaming" });
    resumed.push(answered("a", "There."));
    const session = new Session(ID, true);
    await settle(session.ask("Mine"));
    await vi.waitFor(() => expect(session.state.get().messages.map(({ text }) => text)).toContain("There."));
    expect(session.state.get().messages.find(({ text }) => text === "Mine")?.status).toBe("unsent");
  });

  it("goes on thinking while history is asked how an answer ended", async () => {
    stored = history({ id: "q", text: "Q" }, { id: "a", parent_id: "q", role: "assistant", status: "streaming" });
    const session = new Session(ID, false);
    const synced = session.sync();
    await vi.advanceTimersByTimeAsync(300);
    expect(session.state.get().phase).toBe("thinking");
    stored = history({ id: "q", text: "Q" }, { id: "a", parent_id: "q", role: "assistant", text: "Whole." });
    await settle(synced);
    expect(last(session)).toMatchObject({ text: "Whole.", status: "complete" });
    expect(session.state.get().phase).toBe("idle");
  });

  it("says that an answer was cut when history cannot tell how it ended", async () => {
    stored = history({ id: "q", text: "Q" }, { id: "a", parent_id: "q", role: "assistant", status: "streaming" });
    const session = new Session(ID, false);
    const synced = session.sync();
    await vi.advanceTimersByTimeAsync(300);
    stored = null;
    await settle(synced);
    expect(last(session).status).toBe("cut");
  });

  it("stops what is being written, and waits with it until the question has arrived", async () => {
    let arrive: (response: Response) => void = () => undefined;
    answers.push(() => new Promise<Response>((resolve) => (arrive = resolve)));
    const session = new Session(ID, true);
    const asked = session.ask("Q");
    await session.stop();
    expect(stops).toBe(0);
    expect(session.state.get().phase).toBe("stopping");
    arrive(answered("a", "st", "stopped")());
    await settle(asked);
    expect(stops).toBe(1);
    expect(last(session)).toMatchObject({ text: "st", status: "stopped" });
  });

  it("says that a function is starting when the question is not accepted for a while", async () => {
    answers.push(() => new Promise<Response>((resolve) => setTimeout(() => resolve(answered("a", "Hi")()), 4000)));
    const session = new Session(ID, true);
    const asked = session.ask("Q");
    await vi.advanceTimersByTimeAsync(2000);
    expect(session.state.get().phase).toBe("waking");
    await settle(asked);
    expect(session.state.get().phase).toBe("idle");
  });

  it("keeps the very messages that did not change, so that they need not render again", async () => {
    stored = history({ id: "q", text: "Q" }, { id: "a", parent_id: "q", role: "assistant", text: "A" });
    const session = new Session(ID, false);
    await settle(session.sync());
    const before = session.state.get().messages;
    stored = history(
      { id: "q", text: "Q" },
      { id: "a", parent_id: "q", role: "assistant", text: "A" },
      { id: "q2", parent_id: "a", text: "Q2" },
    );
    await settle(session.sync());
    expect(session.state.get().messages[0]).toBe(before[0]);
    expect(session.state.get().leaf).toBe("q2");
  });
});
