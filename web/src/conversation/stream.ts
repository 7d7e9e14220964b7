import { createParser } from "eventsource-parser";
import type { StreamEvent } from "@/api/types";

/** Longer than this without a byte, and the connection is dead: the server writes a comment every 15 s. */
const SILENCE_MS = 40_000;

/**
 * Read an answer in the UI message stream protocol v1 (server-sent events with a JSON object each).
 *
 * Whatever is not an event is passed over: comments, `[DONE]`, and the text that Knative writes into the body of a
 * stream that it cuts. So only a `finish` event tells that an answer is whole; the end of the body does not, nor does
 * the end that this makes itself of a connection that has gone silent or whose network has gone.
 * @throws {TypeError} when the connection breaks
 */
export async function* readEvents(body: ReadableStream<Uint8Array>): AsyncGenerator<StreamEvent[]> {
  let events: StreamEvent[] = [];
  const parser = createParser({
    onEvent: ({ data }) => {
      const event = parse(data);
      if (event) events.push(event);
    },
  });
  const reader = body.pipeThrough(new TextDecoderStream() as TransformStream<Uint8Array, string>).getReader();
  const giveUp = (): void => void reader.cancel().catch(() => undefined);
  let silence = setTimeout(giveUp, SILENCE_MS);
  addEventListener("offline", giveUp);
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      clearTimeout(silence);
      silence = setTimeout(giveUp, SILENCE_MS);
      parser.feed(value);
      if (events.length > 0) {
        yield events;
        events = [];
      }
    }
  } finally {
    clearTimeout(silence);
    removeEventListener("offline", giveUp);
    giveUp();
  }
}

function parse(data: string): StreamEvent | null {
  if (data === "[DONE]") return null;
  try {
    return JSON.parse(data) as StreamEvent;
  } catch {
    return null;
  }
}
