// The exported pages and the scripts in them. Next writes well-formed tags, so a pattern reads them.
import { glob } from "node:fs/promises";

export async function pages() {
  return (await Array.fromAsync(glob("out/**/*.html"))).sort();
}

/** Every script of a page: its address or its text, and whether browsers with modules pass it over. */
export function scripts(html) {
  return [...html.matchAll(/<script\b([^>]*)>(.*?)<\/script>/gs)].map(([, attributes, text]) => ({
    src: /\bsrc="([^"]*)"/.exec(attributes)?.[1] ?? null,
    legacy: /\bnomodule\b/i.test(attributes),
    text,
  }));
}
