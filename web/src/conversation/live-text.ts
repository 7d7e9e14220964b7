import { createStore, type Store } from "@/shared/store";

/**
 * The text of the answer being read, shown once a frame however fast the words come.
 *
 * A new connection tells the answer from its start: what is on the page stays until the new text is longer.
 */
export class LiveText {
  readonly shown: Store<string> = createStore("");
  private received = "";
  private scheduled = false;

  start(text: string): void {
    this.received = text;
    this.shown.set(text);
  }

  /** Another connection begins to tell the answer. */
  restart(): void {
    this.flush();
    this.received = "";
  }

  /** How much has been told by any connection, in UTF-16 units. */
  get length(): number {
    return Math.max(this.received.length, this.shown.get().length);
  }

  append(delta: string): void {
    this.received += delta;
    if (this.scheduled) return;
    this.scheduled = true;
    // A hidden page gets no frames.
    if (document.hidden) setTimeout(this.flush, 200);
    else requestAnimationFrame(this.flush);
  }

  readonly flush = (): void => {
    this.scheduled = false;
    if (this.received.length > this.shown.get().length) this.shown.set(this.received);
  };

  /** The whole text as the last connection told it, or what an earlier one told if that was more. */
  end(): string {
    this.flush();
    return this.shown.get();
  }
}
