import { Problem } from "@/api/client";
import { getConversation } from "@/api/conversations";
import { sendMessage } from "@/api/messages";
import type { ConversationDetail, SendRequest } from "@/api/types";
import { announce } from "@/shared/signals";
import { createStore, type Store } from "@/shared/store";
import { waitFor } from "@/shared/wait";
import { AnswerReader, type Outcome } from "./answer-reader";
import { type NewMessage, withChange, withHistory, withMessages, withoutHistory } from "./changes";
import type { Exchange } from "./exchange";
import { LiveText } from "./live-text";
import { type Conversation, emptyConversation, LIFETIME } from "./model";
import { outbox, type Unsent } from "./outbox";
import { regeneration } from "./regeneration";
import { type Message, newestUnder } from "./tree";

/**
 * One conversation, for as long as the page lives: it goes on reading an answer while another conversation is shown.
 */
export class Session {
  readonly state: Store<Conversation>;
  readonly live = new LiveText();
  private readonly reader: AnswerReader;
  /** Whether history may have what the page lacks. */
  private behind = false;
  /** Counts what a history that was asked for earlier may not have. */
  private news = 0;
  private catchingUp: Promise<boolean> | null = null;
  private closed = false;

  constructor(id: string, fresh: boolean) {
    this.state = createStore(emptyConversation(id, fresh ? "new" : "loading"));
    this.reader = new AnswerReader(this.state, this.live);
  }

  get id(): string {
    return this.state.get().id;
  }

  /** Bring the page to what the server knows, and read on if an answer is being written. */
  async sync(): Promise<void> {
    if (this.closed || this.state.get().load === "new") return;
    this.behind = true;
    this.news += 1;
    if (this.reader.isBusy()) return; // its end catches up
    this.catchingUp ??= this.catchUp().finally(() => {
      this.catchingUp = null;
    });
    if (await this.catchingUp) await this.readOn();
  }

  async ask(text: string): Promise<void> {
    await this.submit({ id: crypto.randomUUID(), text });
  }

  async edit(message: Message, text: string): Promise<void> {
    if (this.reader.isBusy()) return;
    const unsent = this.takeUnsent(message);
    const edited = unsent ? unsent.edited : message.id;
    await this.submit({ id: crypto.randomUUID(), text, ...(edited === undefined ? {} : { edited }) });
  }

  async regenerate(answer: Message): Promise<void> {
    const now = this.state.get();
    const question = now.messages.find((message) => message.id === answer.parent_id);
    if (question) await this.request(regeneration(now, question, answer), answerTo(question.id));
  }

  /** Try again what did not work: a question that never arrived, or an answer without its end. */
  async retry(message: Message): Promise<void> {
    if (this.reader.isBusy()) return;
    const unsent = this.takeUnsent(message);
    if (unsent) {
      this.behind = true; // it may have arrived after all, and after another message than now
      await this.submit(unsent);
      return;
    }
    if (message.status === "cut") {
      await this.sync();
      const now = this.state.get().messages.find(({ id }) => id === message.id);
      if (!now || !["interrupted", "failed"].includes(now.status)) return;
    }
    await this.regenerate(message);
  }

  async stop(): Promise<void> {
    await this.reader.stop();
  }

  choose(version: Message): void {
    this.patch({ leaf: newestUnder(this.state.get().messages, version.id) });
  }

  rename(title: string): void {
    this.patch({ title });
  }

  /** The conversation is deleted: nothing of it is shown any more, and nothing can be added to it. */
  close(): void {
    this.closed = true;
    this.reader.abort();
    this.state.set(emptyConversation(this.id, "missing"));
  }

  /** It is not deleted after all. */
  async reopen(): Promise<void> {
    this.closed = false;
    this.state.set(emptyConversation(this.id, "loading"));
    await this.sync();
  }

  /** Take over what history has; false if it cannot be had, or an answer is being read, whose end asks again. */
  private async catchUp(): Promise<boolean> {
    let known: number;
    let found: ConversationDetail | "missing" | "failed";
    do {
      known = this.news;
      found = await getConversation(this.id).catch((error: unknown) =>
        error instanceof Problem && error.status === 404 ? "missing" : "failed",
      );
      if (this.closed || this.reader.isBusy()) return false;
    } while (known !== this.news);
    if (typeof found === "object") {
      this.behind = false;
      this.merge(found);
      return true;
    }
    const { load } = this.state.get();
    this.patch({ load: load === "loading" ? "failed" : load, unsent: this.waiting() });
    if (found === "missing") this.state.update(withoutHistory);
    return false;
  }

  /** Read on in the answer that history says is being written. */
  private async readOn(): Promise<void> {
    const unfinished = this.state.get().messages.findLast(({ status }) => status === "streaming");
    if (!unfinished || this.reader.isBusy()) return;
    this.live.start(unfinished.text);
    await this.read(null, unfinished.id);
  }

  private patch(change: Partial<Conversation>): void {
    this.state.update((now) => ({ ...now, ...change }));
  }

  private patchMessage(id: string, change: Partial<Message>): void {
    this.state.update((now) => withChange(now, id, change));
  }

  private async submit({ id, text, edited }: Omit<Unsent, "at">): Promise<void> {
    const { messages, leaf } = this.state.get();
    const replaced = messages.find((message) => message.id === edited);
    const parent = replaced ? replaced.parent_id : leaf;
    const body: SendRequest = {
      id: this.id,
      trigger: "submit-message",
      messages: [
        // Of an earlier message only the id is read: it says which branch goes on.
        ...(parent === null ? [] : [{ id: parent, role: "assistant" as const, parts: [] }]),
        { id, role: "user", parts: [{ type: "text", text }] },
      ],
      ...(edited === undefined ? {} : { messageId: edited }),
    };
    const question = { id, parent_id: parent, role: "user", text, status: "complete" } as const;
    const unsent = { id, text, at: Date.now(), ...(edited === undefined ? {} : { edited }) };
    await this.request((signal) => sendMessage(body, signal), answerTo(id), { question, unsent });
  }

  /** Ask for an answer, perhaps with a new question, and read it. If it is refused, everything is as it was before. */
  private async request(
    open: Exchange["open"],
    answer: NewMessage,
    asked?: { question: NewMessage; unsent: Unsent },
  ): Promise<void> {
    if (this.closed || this.reader.isBusy()) return;
    const { messages, leaf, unsent } = this.state.get();
    if (asked) outbox.put(this.id, asked.unsent);
    this.live.start("");
    this.state.update((now) => withMessages({ ...now, problem: null }, ...(asked ? [asked.question] : []), answer));
    try {
      await this.read(open, answer.id, () => {
        if (asked) outbox.drop(this.id, asked.unsent.id);
        this.patch({ expiresAt: new Date(Date.now() + LIFETIME).toISOString() });
        announce({ type: "changed", id: this.id });
      });
    } catch (error) {
      const problem = error instanceof Problem ? error : null;
      this.patch({ phase: "idle", messages, leaf, unsent: asked ? [...unsent, asked.unsent] : unsent, problem });
      if (!problem) throw error;
      // An answer may be being written that this page did not know of.
      if (problem.status === 409 || this.behind) void this.sync();
    }
  }

  private async read(open: Exchange["open"], answer: string, onArrival?: () => void): Promise<void> {
    this.news += 1;
    const outcome = await this.reader.read(open, answer, onArrival);
    await this.conclude(outcome);
  }

  private async conclude({ ending, id }: Outcome): Promise<void> {
    if (ending === "finished" || ending === "failed") announce({ type: "changed", id: this.id });
    else this.patchMessage(id, { text: this.live.end(), ...(ending === "lost" ? { status: "cut" } : {}) });
    const { problem } = this.state.get();
    // What is gone goes on as soon as history has told how. What another question had to wait for is over.
    this.patch({ phase: ending === "gone" ? "thinking" : "idle", problem: problem?.status === 409 ? null : problem });
    if (ending === "lost") this.behind = true; // and asking now would not be heard either
    else if (ending === "gone") await this.learnEnd(id);
    else if (this.behind) await this.sync();
  }

  /** History knows how it ended. It may still say `streaming` for the seconds until a dead pod is noticed. */
  private async learnEnd(id: string): Promise<void> {
    await waitFor(500, new AbortController().signal);
    await this.sync();
    if (this.reader.isBusy()) return;
    this.patch({ phase: "idle" });
    const unknown = this.state.get().messages.find((message) => message.id === id && message.status === "streaming");
    if (unknown) this.patchMessage(id, { status: "cut" }); // history could not be asked
  }

  private merge(detail: ConversationDetail): void {
    const unsent = this.waiting();
    this.state.update((now) => withHistory({ ...now, unsent }, detail));
    for (const { id } of detail.messages) if (unsent.some((one) => one.id === id)) outbox.drop(this.id, id);
  }

  /** The questions that did not arrive, from this page or an earlier one. */
  private waiting(): readonly Unsent[] {
    const { unsent } = this.state.get();
    return [...unsent, ...outbox.of(this.id).filter(({ id }) => !unsent.some((one) => one.id === id))];
  }

  /** Take a message out of those that did not arrive, if it is one. */
  private takeUnsent(message: Message): Unsent | undefined {
    const { unsent } = this.state.get();
    const taken = unsent.find(({ id }) => id === message.id);
    if (!taken) return undefined;
    this.patch({ unsent: unsent.filter((one) => one !== taken) });
    outbox.drop(this.id, taken.id);
    return taken;
  }
}

function answerTo(question: string): NewMessage {
  return { id: crypto.randomUUID(), parent_id: question, role: "assistant", text: "", status: "streaming" };
}
