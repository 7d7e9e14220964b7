import { Problem } from "@/api/client";
import { getConversation } from "@/api/conversations";
import { sendMessage } from "@/api/messages";
import type { ConversationDetail, SendRequest } from "@/api/types";
import { announce } from "@/shared/signals";
import { createStore, type Store } from "@/shared/store";
import { waitFor } from "@/shared/wait";
import { AnswerReader, type Outcome } from "./answer-reader";
import { type NewMessage, withChange, withHistory, withMessage, withoutMessage } from "./changes";
import type { Exchange } from "./exchange";
import { LiveText } from "./live-text";
import { type Conversation, emptyConversation } from "./model";
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

  constructor(id: string, fresh: boolean) {
    this.state = createStore(emptyConversation(id, fresh ? "new" : "loading"));
    this.reader = new AnswerReader(this.state, this.live);
  }

  get id(): string {
    return this.state.get().id;
  }

  /** Bring the page to what the server knows, and read on if an answer is being written. */
  async sync(): Promise<void> {
    if (this.state.get().load === "new") return;
    this.behind = true;
    this.news += 1;
    if (this.reader.isBusy()) return; // its end catches up
    this.catchingUp ??= this.catchUp().finally(() => {
      this.catchingUp = null;
    });
    if (await this.catchingUp) await this.readOn();
  }

  async ask(text: string): Promise<void> {
    await this.submit({ id: crypto.randomUUID(), parent: this.state.get().leaf, text });
  }

  async edit(message: Message, text: string): Promise<void> {
    const question = { id: crypto.randomUUID(), parent: message.parent_id, text };
    if (message.status === "unsent") {
      this.remove(message.id);
      await this.submit(question);
    } else {
      await this.submit({ ...question, edited: message.id });
    }
  }

  async regenerate(answer: Message): Promise<void> {
    const question = this.state.get().messages.find((message) => message.id === answer.parent_id);
    if (this.reader.isBusy() || !question) return;
    const open = regeneration(this.state.get(), question, answer);
    const version = this.addAnswer(question.id);
    try {
      await this.read(open, version);
    } catch (error) {
      this.remove(version);
      this.patch({ leaf: newestUnder(this.state.get().messages, answer.id) });
      this.refuse(error);
    }
  }

  /** Try again what did not work: a question that never arrived, or an answer without its end. */
  async retry(message: Message): Promise<void> {
    if (message.status === "unsent") {
      const unsent = outbox.get(this.id);
      this.remove(message.id);
      await this.submit(
        unsent?.id === message.id ? unsent : { id: message.id, parent: message.parent_id, text: message.text },
      );
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

  /** Stop reading; the server goes on writing. */
  close(): void {
    this.reader.abort();
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
      if (this.reader.isBusy()) return false;
    } while (known !== this.news);
    if (typeof found === "object") {
      this.behind = false;
      this.merge(found);
      return true;
    }
    const { load } = this.state.get();
    this.patch({ load: found === "missing" || load === "loading" ? found : load });
    this.restoreUnsent();
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

  private remove(id: string): void {
    this.state.update((now) => withoutMessage(now, id));
  }

  private add(message: NewMessage): void {
    this.state.update((now) => withMessage(now, message));
  }

  private addAnswer(question: string): string {
    const id = crypto.randomUUID();
    this.live.start("");
    this.add({ id, parent_id: question, role: "assistant", text: "", status: "streaming" });
    return id;
  }

  private async submit(question: Unsent): Promise<void> {
    if (this.reader.isBusy()) return;
    const { id, parent, text, edited } = question;
    outbox.set(this.id, question);
    this.add({ id, parent_id: parent, role: "user", text, status: "complete" });
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
    const answer = this.addAnswer(id);
    try {
      await this.read((signal) => sendMessage(body, signal), answer);
    } catch (error) {
      this.remove(answer);
      this.patchMessage(id, { status: "unsent" });
      this.refuse(error);
    }
  }

  /** Tell why nothing was asked; and if an answer is being written that this page did not know of, show it. */
  private refuse(error: unknown): void {
    if (!(error instanceof Problem)) throw error;
    this.patch({ problem: error });
    if (error.status === 409) void this.sync();
  }

  private async read(open: Exchange["open"], answer: string): Promise<void> {
    this.news += 1;
    this.patch({ problem: null });
    let outcome: Outcome | null = null;
    try {
      outcome = await this.reader.read(open, answer, () => {
        outbox.set(this.id, null);
        if (open) announce({ type: "changed", id: this.id });
      });
    } finally {
      // What is gone goes on as soon as history has told how.
      this.patch({ phase: outcome?.ending === "gone" ? "thinking" : "idle" });
    }
    await this.conclude(outcome);
  }

  private async conclude({ ending, id }: Outcome): Promise<void> {
    if (ending === "finished" || ending === "failed") announce({ type: "changed", id: this.id });
    else this.patchMessage(id, { text: this.live.end(), ...(ending === "lost" ? { status: "cut" } : {}) });
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
    this.state.update((now) => withHistory(now, detail));
    this.restoreUnsent();
  }

  /** Show a question that an earlier page could not send. */
  private restoreUnsent(): void {
    const unsent = outbox.get(this.id);
    if (!unsent) return;
    if (this.state.get().messages.some(({ id, status }) => id === unsent.id && status !== "unsent"))
      outbox.set(this.id, null);
    else if (!this.state.get().messages.some(({ id }) => id === unsent.id))
      this.add({ id: unsent.id, parent_id: unsent.parent, role: "user", text: unsent.text, status: "unsent" });
  }
}
