import type { HLJSApi } from "highlight.js";

export interface Run {
  text: string;
  /** The classes of the innermost scope, empty for plain code. */
  scope: string;
}

const ESCAPED: Record<string, string> = { "&amp;": "&", "&lt;": "<", "&gt;": ">", "&quot;": '"', "&#x27;": "'" };

/** Runs of equally coloured code, read from the highlighter's own HTML: no HTML of ours is ever set. */
export function highlight(highlighter: HLJSApi, language: string, code: string): Run[] {
  const runs: Run[] = [];
  const scopes: string[] = [];
  const html = highlighter.highlight(code, { language, ignoreIllegals: true }).value;
  for (const part of html.split(/(<span class="[^"]*">|<\/span>)/)) {
    if (part === "</span>") {
      scopes.pop();
    } else if (part.startsWith("<span ")) {
      scopes.push(part.slice(part.indexOf('"') + 1, part.lastIndexOf('"')));
    } else if (part) {
      const text = part.replace(/&(?:amp|lt|gt|quot|#x27);/g, (escaped) => ESCAPED[escaped] ?? escaped);
      runs.push({ text, scope: scopes.at(-1) ?? "" });
    }
  }
  return runs;
}

const PIECE = 4_000; // characters: about a millisecond of highlighting

/**
 * Cuts long code where a line begins at the margin after a blank one, so that code which still grows is
 * highlighted again only from the last cut on. (A string or comment that spans such a place in a block of
 * more than 4,000 characters loses its colour there.)
 */
export function pieces(code: string): string[] {
  const cut: string[] = [];
  let from = 0;
  while (code.length - from > PIECE) {
    const margin = /\n\s*\n(?=\S)/g;
    margin.lastIndex = from + PIECE;
    if (!margin.test(code)) break;
    cut.push(code.slice(from, margin.lastIndex));
    from = margin.lastIndex;
  }
  return [...cut, code.slice(from)];
}
