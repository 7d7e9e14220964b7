import type { StreamEvent } from "@/api/types";
import { resumeAnswer, stopAnswer } from "@/api/messages";
import { announce } from "@/shared/signals";
import type { Store } from "@/shared/store";
import { withChange } from "./changes";
import { type Ending, type Exchange, readAnswer } from "./exchange";
import type { LiveText } from "./live-text";
import type { Conversation, Phase } from "./model";
import type { Message } from "./tree";

/** How long a request may go unanswered before the page says that a function is starting. */
const WAKING_AFTER = 1500;

/** How an answer's reading ended, and the id that the answer has by then. */
export interface Outcome {
  ending: Ending;
  id: string;
}

/** Reads the answers of one conversation into its state, one at a time. What happens after an end is not its business. */
export class AnswerReader {
  private reading: AbortController | null = null;
  private stopWanted = false;

  constructor(
    private readonly state: Store<Conversation>,
    private readonly live: LiveText,
  ) {}

  isBusy(): boolean {
    return this.reading !== null;
  }

  /**
   * Read the message `answer` to its end. `open` asks for it, null reads on in what is being written already;
   * `onArrival` is called with each connection.
   * @throws {Problem} when the question is refused, or never arrived
   */
  async read(open: Exchange["open"], answer: string, onArrival: () => void = () => undefined): Promise<Outcome> {
    const reading = new AbortController();
    this.reading = reading;
    this.stopWanted = false;
    this.patch({ phase: open ? "sending" : "thinking" });
    const waking = setTimeout(() => this.advance(["sending"], "waking"), WAKING_AFTER);
    const conversation = this.state.get().id;
    let id = answer;
    try {
      const ending = await readAnswer({
        open,
        resume: (signal) => resumeAnswer(conversation, signal),
        onOpen: () => {
          clearTimeout(waking);
          onArrival();
          this.advance(["sending", "waking", "reconnecting"], "thinking");
          if (this.stopWanted) void stopAnswer(conversation).catch(() => undefined);
          this.stopWanted = false;
        },
        onEvents: (events, isFresh) => {
          if (reading.signal.aborted) return false;
          if (isFresh) this.live.restart();
          const before = this.live.length;
          for (const event of events) id = this.take(event, id);
          return this.live.length > before;
        },
        onBreak: () => this.advance(["thinking", "writing"], "reconnecting"),
        signal: reading.signal,
      });
      return { ending, id };
    } finally {
      clearTimeout(waking);
      this.reading = null;
    }
  }

  async stop(): Promise<void> {
    const { id, phase } = this.state.get();
    if (phase === "idle" || phase === "stopping") return;
    this.patch({ phase: "stopping" });
    if (phase === "sending" || phase === "waking") {
      this.stopWanted = true; // there is nothing to stop before the question arrived
      return;
    }
    try {
      await stopAnswer(id);
    } catch (error) {
      if (this.state.get().phase === "stopping") this.patch({ phase });
      throw error;
    }
  }

  /** Read no more; the server goes on writing. */
  abort(): void {
    this.reading?.abort();
  }

  private patch(change: Partial<Conversation>): void {
    this.state.update((now) => ({ ...now, ...change }));
  }

  private patchMessage(id: string, change: Partial<Message>): void {
    this.state.update((now) => withChange(now, id, change));
  }

  private advance(from: Phase[], to: Phase): void {
    if (from.includes(this.state.get().phase)) this.patch({ phase: to });
  }

  /** Take one event of the answer `id`; returns the id that the answer has from then on. */
  private take(event: StreamEvent, id: string): string {
    switch (event.type) {
      case "start":
        if (event.messageId !== id) this.patchMessage(id, { id: event.messageId });
        return event.messageId;
      case "text-delta":
        this.live.append(event.delta);
        this.advance(["thinking", "reconnecting"], "writing");
        break;
      case "data-title":
        this.patch({ title: event.data.title });
        announce({ type: "titled", id: this.state.get().id, title: event.data.title });
        break;
      case "error":
        this.patchMessage(id, { status: "failed", error: event.errorText, text: this.live.end() });
        break;
      case "finish": {
        const { status, created_at, expires_at } = event.messageMetadata;
        this.patchMessage(id, { status, created_at, expires_at, text: this.live.end() });
        this.patch({ expiresAt: expires_at });
        break;
      }
      default:
    }
    return id;
  }
}
