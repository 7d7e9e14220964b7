/** Every failed request, whatever failed: RFC 9457 of ours, a foreign body, or no network at all (status 0). */
export class Problem extends Error {
  override readonly name = "Problem";
  constructor(
    readonly status: number,
    readonly detail: string,
    readonly field: string | null = null,
  ) {
    super(detail);
  }

  /** Worth asking again as it is: the network, a proxy or a starting pod failed, not the request. */
  get passing(): boolean {
    return [0, 502, 503, 504].includes(this.status);
  }
}

async function problemOf(response: Response): Promise<Problem> {
  try {
    const body = (await response.json()) as { detail?: unknown; field?: unknown };
    return new Problem(
      response.status,
      typeof body.detail === "string" ? body.detail : response.statusText,
      typeof body.field === "string" ? body.field : null,
    );
  } catch {
    return new Problem(response.status, response.statusText);
  }
}

let onSignedOut: () => void = () => undefined;

/** What happens when any request finds that the session is over. */
export function whenSignedOut(action: () => void): void {
  onSignedOut = action;
}

/**
 * Fetch from our own API.
 * @throws {Problem} for every status outside 2xx and for a broken network
 * @throws {DOMException} `AbortError` when the caller's signal aborts
 */
export async function request(path: string, init: RequestInit & { json?: unknown } = {}): Promise<Response> {
  const { json, ...rest } = init;
  const body =
    json === undefined ? {} : { body: JSON.stringify(json), headers: { "content-type": "application/json" } };
  let response: Response;
  try {
    response = await fetch(path, { ...rest, ...body });
  } catch (error) {
    if (rest.signal?.aborted) throw error;
    throw new Problem(0, error instanceof Error ? error.message : String(error));
  }
  if (response.ok) return response;
  if (response.status === 401) onSignedOut();
  throw await problemOf(response);
}

export async function requestJson<T>(path: string, init?: RequestInit & { json?: unknown }): Promise<T> {
  return (await (await request(path, init)).json()) as T;
}
