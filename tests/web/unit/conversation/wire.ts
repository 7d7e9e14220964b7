import type { StreamEvent } from "@/api/types";

/** A connection that a test writes to, and breaks or ends. */
export interface Wire {
  response: Response;
  send: (...events: (StreamEvent | string)[]) => void;
  end: () => void;
  break: () => void;
}

export function wire(): Wire {
  const encoder = new TextEncoder();
  let controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  const body = new ReadableStream<Uint8Array>({
    start: (opened) => {
      controller = opened;
    },
  });
  return {
    response: new Response(body, { headers: { "content-type": "text/event-stream" } }),
    send: (...events) => {
      for (const event of events) {
        const text = typeof event === "string" ? event : `data: ${JSON.stringify(event)}\n\n`;
        controller?.enqueue(encoder.encode(text));
      }
    },
    end: () => controller?.close(),
    break: () => controller?.error(new TypeError("network error")),
  };
}

export const start = (messageId: string): StreamEvent => ({ type: "start", messageId });
export const delta = (text: string): StreamEvent => ({ type: "text-delta", id: "t", delta: text });
export const finish = (status: "complete" | "stopped" = "complete"): StreamEvent => ({
  type: "finish",
  finishReason: "stop",
  messageMetadata: {
    status,
    model: "m",
    created_at: "2026-01-01T00:00:00Z",
    expires_at: "2026-01-08T00:00:00Z",
  },
});
