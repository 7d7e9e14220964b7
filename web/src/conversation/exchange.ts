import { Problem } from "@/api/client";
import type { StreamEvent } from "@/api/types";
import { waitFor } from "@/shared/wait";
import { readEvents } from "./stream";

/**
 * How the reading of an answer ended. `finished` and `failed` are the server's word; `gone` means that nothing is
 * being written any more, so history knows; `lost` that the connection would not come back.
 */
export type Ending = "finished" | "failed" | "gone" | "lost";

export interface Exchange {
  /**
   * Ask for the answer: posted for a new one, null to begin by resuming. Repeated while it fails in passing; without a
   * response when there is nothing to read and history knows the rest.
   */
  open: ((signal: AbortSignal) => Promise<Response | null>) | null;
  resume: (signal: AbortSignal) => Promise<Response | null>;
  onOpen: () => void;
  /** `fresh` begins a connection, which tells the answer from its start. Says whether anything was new. */
  onEvents: (events: StreamEvent[], fresh: boolean) => boolean;
  onBreak: () => void;
  signal: AbortSignal;
}

const TRIES = 8;

/**
 * Read an answer to its end, over as many connections as it takes.
 * @throws {Problem} when the question is refused, or never arrived
 */
export async function readAnswer({ open, resume, onOpen, onEvents, onBreak, signal }: Exchange): Promise<Ending> {
  let arrived = open === null;
  for (let failures = 1; ; failures += 1) {
    let reason: unknown = null;
    try {
      const response = arrived ? await resume(signal) : await open?.(signal);
      if (!response?.body) return "gone";
      arrived = true;
      onOpen();
      let fresh = true;
      for await (const events of readEvents(response.body)) {
        if (onEvents(events, fresh)) failures = 0;
        fresh = false;
        if (events.some((event) => event.type === "finish")) return "finished";
        if (events.some((event) => event.type === "error")) return "failed";
      }
    } catch (error) {
      reason = error;
    }
    if (signal.aborted) return "lost";
    const refused = reason instanceof Problem && !reason.passing ? reason : null;
    if (refused || failures > TRIES) {
      if (!arrived) throw reason;
      return refused?.status === 404 ? "gone" : "lost";
    }
    if (arrived) onBreak();
    await waitFor(Math.min(250 * 2 ** failures, 8000), signal);
  }
}
