/**
 * Reads an answer block by block while it grows. Markdown's blocks close one after another and never open
 * again, so all but the last are settled: they are parsed once and keep their identity, and only the last
 * one costs anything when more text comes.
 */
import type { Token } from "marked";
import { outline, parse } from "./syntax";
import { closeTail } from "./tail";

export interface Reading {
  /** Blocks that will not change any more; the same objects from one reading to the next. */
  settled: readonly Token[];
  /** What follows them, its open ends closed while the answer streams. */
  tail: readonly Token[];
}

const isBlank = (token: Token) => token.type === "space";

export class BlockReader {
  #source = "";
  #settled: Token[] = [];

  /** Parses `text`; if it continues the text of the call before, only what is new in it. */
  read(text: string, streaming: boolean): Reading {
    const source = text.replaceAll("\r\n", "\n");
    if (!source.startsWith(this.#source)) this.#forget();
    if (!streaming) return this.#finish(source);

    const rest = source.slice(this.#source.length);
    // A line settles nothing before it is whole: "2" may become "2. the next item".
    const blocks = outline(rest.slice(0, rest.lastIndexOf("\n") + 1));
    const last = blocks.findLastIndex((token) => !isBlank(token));
    const closed = blocks.slice(0, Math.max(last, 0)).reduce((length, token) => length + token.raw.length, 0);
    if (closed > 0) this.#settle(rest.slice(0, closed));
    return { settled: this.#settled, tail: parse(closeTail(rest.slice(closed))) };
  }

  #finish(source: string): Reading {
    // A link's address may be defined after its use ("[text][1] … [1]: https://…"): only the whole tells.
    if (/^ {0,3}\[(?!\^)[^\]\n]+\]:/m.test(source)) this.#forget();
    const rest = source.slice(this.#source.length);
    return { settled: this.#settled, tail: parse(rest) };
  }

  #settle(source: string): void {
    this.#source += source;
    this.#settled = [...this.#settled, ...parse(source)];
  }

  #forget(): void {
    this.#source = "";
    this.#settled = [];
  }
}
