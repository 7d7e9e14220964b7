import { keys, read, write } from "./storage";

interface Keepsake<T> {
  at: number;
  value: T;
}

const LIFETIME = 168 * 3600 * 1000;

/**
 * What this browser remembers of a conversation, by an id that begins with the conversation's: an unfinished sentence, a question that
 * did not arrive. It is the person's words, so it lives seven days at most, as those on the server do.
 */
export class Keepsakes<T> {
  constructor(private readonly kind: string) {}

  get(id: string): T | null {
    const text = read(`${this.kind}.${id}`);
    if (text === null) return null;
    try {
      const { at, value } = JSON.parse(text) as Keepsake<T>;
      return Date.now() - at < LIFETIME ? value : null;
    } catch {
      return null;
    }
  }

  set(id: string, value: T | null): void {
    write(`${this.kind}.${id}`, value === null ? null : JSON.stringify({ at: Date.now(), value }));
  }

  /** The ids that begin with `prefix`. */
  ids(prefix = ""): string[] {
    return keys(`${this.kind}.${prefix}`).map((key) => key.slice(this.kind.length + 1));
  }

  /** Forget what is too old, or everything. */
  sweep(all = false): void {
    for (const id of this.ids()) {
      if (all || this.get(id) === null) this.set(id, null);
    }
  }
}
