import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { ConversationDetail, SendRequest, StoredMessage } from "@/api/types";
import { type Message, pathTo } from "@/conversation/tree";
import { shownMessages } from "@/conversation/changes";
import { outbox } from "@/conversation/outbox";
import { Session } from "@/conversation/session";
import { delta, finish, start, type Wire, wire } from "./wire";

const ID = "3d6f3c0a-5d07-4f0e-9a53-0c9d2f0f8a11";

let posted: SendRequest[];
let answers: (() => Response | Promise<Response>)[];
let resumed: (() => Response)[];
let stored: ConversationDetail | null;
/** While set, whoever asks for history waits for it; each then gets what was stored when they asked. */
let held: Promise<void> | null;
let asked: number;
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
  asked += 1;
  const found = stored ? Response.json(stored) : refusal(404);
  await held;
  return found;
}

/** Keep history from coming; the function that is returned lets it come. */
function holdHistory(): () => void {
  let release: () => void = () => undefined;
  held = new Promise((resolve) => (release = resolve));
  return () => {
    held = null;
    release();
  };
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

/** What could not be sent, and is shown as such. */
function unsent(session: Session): string[] {
  return shownMessages(session.state.get()).flatMap(({ status, text }) => (status === "unsent" ? text : []));
}

function waiting(session: Session, at = 0): Message {
  const message = shownMessages(session.state.get()).filter(({ status }) => status === "unsent")[at];
  if (!message) throw new Error("everything was sent");
  return message;
}

beforeEach(() => {
  posted = [];
  answers = [];
  resumed = [];
  stored = null;
  held = null;
  asked = 0;
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
    expect(session.state.get()).toMatchObject({ phase: "sending", expiresAt: null });

    connection.send(start("answer"), delta("Hi"));
    await vi.waitFor(() => expect(session.state.get().phase).toBe("writing"));
    expect(session.state.get().expiresAt).not.toBeNull();
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
    expect(unsent(session)).toEqual(["Lost?"]);
    expect(session.state.get()).toMatchObject({ messages: [], expiresAt: null, problem: { status: 0 } });

    const reloaded = new Session(ID, false);
    await settle(reloaded.sync());
    expect(reloaded.state.get().load).toBe("ready");
    expect(unsent(reloaded)).toEqual(["Lost?"]);

    const id = waiting(reloaded).id;
    stored = history({ id, text: "Lost?" }, { id: "a1", parent_id: id, role: "assistant", text: "Found." });
    answers.push(answered("a1", "Found."));
    await settle(reloaded.retry(waiting(reloaded)));
    expect(posted.at(-1)?.messages.at(-1)?.id).toBe(posted[0]?.messages.at(-1)?.id);
    expect(last(reloaded).text).toBe("Found.");
    expect(unsent(reloaded)).toEqual([]);
    expect(outbox.of(ID)).toEqual([]);
  });

  it.each([0, 500])("stays where a first question could not be sent (%d)", async (status) => {
    if (status > 0) answers.push(() => refusal(status));
    const session = new Session(ID, true);
    await settle(session.ask("Lost?"));
    await settle(session.sync()); // the network is back, or the person is
    expect(session.state.get()).toMatchObject({ load: "ready", problem: { status } });
    expect(unsent(session)).toEqual(["Lost?"]);
  });

  it("keeps every question that never arrived, and sends each after what is shown by then", async () => {
    stored = history({ id: "q", text: "Q" }, { id: "a", parent_id: "q", role: "assistant", text: "A" });
    const session = new Session(ID, false);
    await settle(session.sync());
    await settle(session.ask("One"));
    await settle(session.ask("Two"));
    expect(unsent(session)).toEqual(["One", "Two"]);
    expect(outbox.of(ID).map(({ text }) => text)).toEqual(["One", "Two"]);
    expect(session.state.get().leaf).toBe("a");

    answers.push(answered("a2", "To two."), answered("a1", "To one."));
    vi.mocked(fetch).mockImplementation(async (address, init) => {
      if (!String(address).startsWith("/api/conversations")) return api(String(address), init);
      throw new TypeError("no network");
    });
    await settle(session.retry(waiting(session, 1)));
    expect(unsent(session)).toEqual(["One"]);
    await settle(session.retry(waiting(session)));
    expect(pathTo(session.state.get().messages, session.state.get().leaf).map(({ text }) => text)).toEqual([
      "Q",
      "A",
      "Two",
      "To two.",
      "One",
      "To one.",
    ]);
    expect(outbox.of(ID)).toEqual([]);
  });

  it("finds a question that arrived unheard in its place, whether it is sent again or not", async () => {
    const before = [{ id: "q", text: "Q" }, { id: "a", parent_id: "q", role: "assistant", text: "A" }] as const;
    stored = history(...before);
    const session = new Session(ID, false);
    await settle(session.sync());
    await settle(session.ask("Lost?"));
    const again = waiting(session);
    stored = history(
      ...before,
      { id: again.id, parent_id: "q", text: "Lost?" },
      { id: "a2", parent_id: again.id, role: "assistant", text: "Found." },
    );
    const reloaded = new Session(ID, false);
    await settle(reloaded.sync());
    expect(unsent(reloaded)).toEqual([]);
    expect(outbox.of(ID)).toEqual([]);

    answers.push(answered("a2", "Found."));
    await settle(session.retry(again));
    expect(shownMessages(session.state.get()).map(({ text }) => text)).toEqual(["Q", "Lost?", "Found."]);
  });

  it("sends an edit that never arrived in the place of what it edits", async () => {
    answers.push(answered("a1", "one"), answered("a2", "two"));
    const session = new Session(ID, true);
    await settle(session.ask("first"));
    await settle(session.ask("second"));
    const [question] = session.state.get().messages;
    await settle(session.edit(question as Message, "first, but better"));
    expect(session.state.get().leaf).toBe("a2");
    answers.push(answered("a3", "three"));
    await settle(session.edit(waiting(session), "first, and best"));
    expect(posted.at(-1)).toMatchObject({ messageId: question?.id, messages: [{ parts: [{ text: "first, and best" }] }] });
    expect(session.state.get()).toMatchObject({ leaf: "a3", unsent: [] });
  });

  it("sends it as a question of its own once that is not stored any more", async () => {
    const session = new Session(ID, true);
    outbox.put(ID, { id: "e", text: "Edited", edited: "gone", at: Date.now() });
    session.state.update((now) => ({ ...now, load: "ready" }));
    await settle(session.sync());
    answers.push(answered("a", "A"));
    await settle(session.retry(waiting(session)));
    expect(posted[0]?.messageId).toBeUndefined();
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

  it("shows what is being written elsewhere when a question is refused for it, and says why meanwhile", async () => {
    answers.push(answered("a", "A"), () => refusal(409));
    const session = new Session(ID, true);
    await settle(session.ask("Q"));
    const before: Partial<StoredMessage>[] = [
      { id: posted[0]?.messages[0]?.id ?? "", text: "Q" },
      { id: "a", parent_id: posted[0]?.messages[0]?.id ?? "", role: "assistant", text: "A" },
      { id: "q2", text: "From elsewhere" }, // an edit, so that it is in no branch that was shown
    ];
    stored = history(...before, { id: "a2", parent_id: "q2", role: "assistant", status: "streaming" });
    const connection = wire();
    resumed.push(() => connection.response);
    await settle(session.ask("Mine"));
    connection.send(start("a2"), delta("There"));
    await vi.waitFor(() => expect(session.state.get().phase).toBe("writing"));
    expect(session.state.get()).toMatchObject({ leaf: "a2", problem: { status: 409 } });
    expect(unsent(session)).toEqual(["Mine"]);
    expect(outbox.of(ID)).toMatchObject([{ text: "Mine" }]);

    connection.send(delta("."), finish());
    await vi.waitFor(() => expect(last(session)).toMatchObject({ text: "There.", status: "complete" }));
    expect(session.state.get().problem).toBeNull();
    expect(unsent(session)).toEqual(["Mine"]);
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
    vi.mocked(fetch).mockRejectedValue(new TypeError("no network"));
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

  describe("while history is on its way", () => {
    const before: Partial<StoredMessage>[] = [
      { id: "q", text: "Q" },
      { id: "a", parent_id: "q", role: "assistant", text: "A" },
    ];

    /** What history has once the page's first question has been answered. */
    function grown(): ConversationDetail {
      const question = posted[0]?.messages.at(-1)?.id ?? "";
      return history(
        ...before,
        { id: question, parent_id: "a", text: "Q2" },
        { id: "a2", parent_id: question, role: "assistant", text: "so far, and on" },
      );
    }

    function shown(session: Session): string[] {
      const { messages, leaf } = session.state.get();
      return pathTo(messages, leaf).map(({ text }) => text);
    }

    it("asks nevertheless, reads once, and then shows everything in its place", async () => {
      const connection = wire();
      answers.push(() => connection.response);
      stored = history(...before);
      const release = holdHistory();
      const session = new Session(ID, false);
      const opened = session.sync();
      const question = session.ask("Q2");
      expect(posted[0]?.messages).toHaveLength(1); // the server knows better than the page what it follows

      connection.send(start("a2"), delta("so far"));
      stored = grown();
      release();
      await settle(opened);
      connection.send(delta(", and on"), finish());
      await settle(question);
      expect(fetch).not.toHaveBeenCalledWith(expect.stringMatching(/stream$/), expect.anything());
      expect(shown(session)).toEqual(["Q", "A", "Q2", "so far, and on"]);
    });

    it("does not read beside itself what history says is being written", async () => {
      const connection = wire();
      answers.push(() => connection.response);
      stored = history(...before, { id: "a2", parent_id: "q", role: "assistant", text: "so far", status: "streaming" });
      const release = holdHistory();
      const session = new Session(ID, false);
      const opened = session.sync();
      const question = session.ask("Q2");
      connection.send(start("a2"), delta("so far"));
      release();
      await settle(opened);
      expect(fetch).not.toHaveBeenCalledWith(expect.stringMatching(/stream$/), expect.anything());
      expect(shown(session)).toEqual(["Q2", ""]);
      stored = grown();
      connection.send(delta(", and on"), finish());
      await settle(question);
      expect(last(session)).toMatchObject({ text: "so far, and on", status: "complete" });
    });

    it("shows what came before once it can be had", async () => {
      answers.push(answered("a2", "so far, and on"));
      vi.mocked(fetch).mockRejectedValueOnce(new TypeError("no network"));
      const session = new Session(ID, false);
      await settle(session.sync());
      expect(session.state.get().load).toBe("failed");
      vi.mocked(fetch).mockImplementation(async (address, init) => {
        const response = await api(String(address), init);
        stored = grown();
        return response;
      });
      await settle(session.ask("Q2"));
      expect(shown(session)).toEqual(["Q", "A", "Q2", "so far, and on"]);
    });

    it("keeps an answer that is younger than the history that comes", async () => {
      stored = history(...before);
      const session = new Session(ID, false);
      await settle(session.sync());
      const release = holdHistory();
      const synced = session.sync();
      answers.push(answered("a2", "so far, and on"));
      const question = session.ask("Q2");
      await vi.waitFor(() => expect(last(session).status).toBe("complete"));
      expect(shown(session)).toEqual(["Q", "A", "Q2", "so far, and on"]);
      stored = grown();
      release();
      await settle(Promise.all([synced, question]));
      expect(shown(session)).toEqual(["Q", "A", "Q2", "so far, and on"]);
    });

    it("asks for it once at a time, and again for those who came later", async () => {
      stored = history(...before);
      const release = holdHistory();
      const session = new Session(ID, false);
      const first = session.sync();
      const others = [session.sync(), session.sync()];
      expect(asked).toBe(1);
      stored = history(...before, { id: "q2", parent_id: "a", text: "From elsewhere" });
      release();
      await settle(Promise.all([first, ...others]));
      expect(asked).toBe(2);
      expect(last(session).text).toBe("From elsewhere");
    });
  });

  it("reads on once, however many ask what is new", async () => {
    stored = history({ id: "q", text: "Q" }, { id: "a", parent_id: "q", role: "assistant", status: "streaming" });
    resumed.push(answered("a", "Whole."), answered("a", "Whole."));
    const session = new Session(ID, false);
    await settle(Promise.all([session.sync(), session.sync()]));
    await vi.waitFor(() => expect(last(session)).toMatchObject({ text: "Whole.", status: "complete" }));
    expect(resumed).toHaveLength(1);
  });

  it("takes up at an answer's end what happened elsewhere meanwhile", async () => {
    const connection = wire();
    answers.push(() => connection.response);
    const session = new Session(ID, true);
    const question = session.ask("Q");
    connection.send(start("a"), delta("A"));
    await vi.waitFor(() => expect(session.state.get().phase).toBe("writing"));
    await session.sync();
    expect(asked).toBe(0);
    stored = history(
      { id: posted[0]?.messages[0]?.id ?? "", text: "Q" },
      { id: "a", parent_id: posted[0]?.messages[0]?.id ?? "", role: "assistant", text: "A" },
      { id: "q2", parent_id: "a", text: "From elsewhere" },
    );
    connection.send(finish());
    await settle(question);
    expect(last(session).text).toBe("From elsewhere");
  });

  it("shows nothing, asks nothing and reads nothing of a deleted conversation, until it is opened again", async () => {
    const connection = wire();
    answers.push(() => connection.response);
    const session = new Session(ID, true);
    const question = session.ask("Q");
    connection.send(start("a"), delta("A"));
    await vi.waitFor(() => expect(session.state.get().phase).toBe("writing"));
    session.close();
    connection.send({ type: "data-title", data: { title: "Late" }, transient: true }, delta(" late"));
    connection.break();
    await settle(question);
    await settle(session.ask("Once more"));
    stored = history({ id: "q", text: "Q" });
    await settle(session.sync());
    expect(posted).toHaveLength(1);
    expect(session.state.get()).toMatchObject({ load: "missing", messages: [], title: null, phase: "idle" });
    expect(asked).toBe(0);

    await settle(session.reopen());
    expect(session.state.get()).toMatchObject({ load: "ready", title: "Title" });
    expect(last(session).text).toBe("Q");
  });
});
