import { request } from "./client";
import type { SendRequest } from "./types";

const ROOT = "/api/messages";

/** Ask, edit or regenerate; asking twice with the same message id gives the same answer's stream. */
export function sendMessage(body: SendRequest, signal: AbortSignal): Promise<Response> {
  return request(ROOT, { method: "POST", json: body, signal });
}

/** The answer now being written, from its start; null when none is. */
export async function resumeAnswer(conversation: string, signal: AbortSignal): Promise<Response | null> {
  const response = await request(`${ROOT}/${conversation}/stream`, { signal });
  return response.status === 204 ? null : response;
}

export async function stopAnswer(conversation: string): Promise<void> {
  await request(`${ROOT}/${conversation}/stop`, { method: "POST" });
}

let woken = -Infinity;

/** Start a pod while the person still types. It answers nothing, so a failure means nothing either. */
export function wakeUp(): void {
  if (performance.now() - woken < 30_000) return; // it does not go back to sleep as fast as that
  woken = performance.now();
  void fetch(`${ROOT}/ready`).catch(() => undefined);
}
