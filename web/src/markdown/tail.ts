/**
 * The unfinished end of an answer that is still being written: it is shown as it will look once what it has
 * opened is closed, so that nothing flips its shape when the closing part arrives.
 */

const FENCE = /^[ \t>]*(?:(?:[-*+]|\d{1,9}[.)])[ \t]+)*(`{3,}|~{3,})(.*)$/;
/** A last line of nothing but marks: a list, heading, rule, table or underline that has not said which. */
const MARKS_ALONE =
  /(?:^|\n)[ \t>]*(?:[-+*] \[[ xX]?\]?[ \t]*|(?:[-+*][ \t]+)?(?:[-*+_=~`#|:][-*+_=~`#|: \t]*|\d{1,9}[.)]?[ \t]*)|\\)$/;
const DELIMITER_ROW = /^[ \t>]*\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*$/;

/** The marks of a fence that is still open at the end of `source`. */
function openFence(lines: string[]): string | undefined {
  let open: string | undefined;
  for (const line of lines) {
    const [, marks, info] = FENCE.exec(line) ?? [];
    if (!marks) continue;
    if (open === undefined) {
      if (marks.startsWith("~") || !info?.includes("`")) open = marks;
    } else if (marks.startsWith(open.charAt(0)) && marks.length >= open.length && !info?.trim()) {
      open = undefined;
    }
  }
  return open;
}

/** `block`, the last one of an answer, with its open ends closed or held back. */
export function closeTail(block: string): string {
  const lines = block.split("\n");
  const last = lines.at(-1) ?? "";
  const fenceBefore = openFence(lines.slice(0, -1));
  if (fenceBefore !== undefined) {
    // In code only what may become the closing fence waits.
    const isClosing = last.trim() !== "" && /^[ \t>]*(`+|~+)$/.test(last) && last.includes(fenceBefore[0] ?? "");
    return isClosing ? lines.slice(0, -1).join("\n") : block;
  }
  // A fence waits for the end of its line: "```py" is not yet the language python.
  if (FENCE.test(last)) return lines.slice(0, -1).join("\n");
  return closeTable(closeInline(block.replace(MARKS_ALONE, "")));
}

/** A table shows as one from its header on, not as a paragraph of bars until the second line is there. */
function closeTable(block: string): string {
  const lines = block.trimEnd().split("\n");
  const header = lines.at(-1) ?? "";
  if (!/^[ \t]*\|.*\S/.test(header) || lines.slice(0, -1).some((line) => DELIMITER_ROW.test(line))) return block;
  const columns = header.replace(/\\\|/g, "").replace(/^[ \t]*\||\|[ \t]*$/g, "").split("|").length;
  const closed = header.trimEnd().endsWith("|") ? header : `${header} |`;
  return [...lines.slice(0, -1), closed, `|${" --- |".repeat(columns)}`].join("\n");
}

/** Where the text begins that inline marks of the last line can reach back to. */
function inlineStart(block: string): number {
  let start = block.lastIndexOf("\n\n") + 1;
  for (const { index } of block.matchAll(/^[ \t]*(?:[-*+]|\d{1,9}[.)]|#{1,6}|>|\|)(?=[ \t]|[^-*+#\d])/gm)) {
    start = Math.max(start, index);
  }
  const line = block.slice(start);
  const marker = /^[ \t>]*(?:(?:[-*+]|\d{1,9}[.)]|#{1,6})[ \t]+(?:\[[ xX]\][ \t]+)?)*/.exec(line)?.[0].length ?? 0;
  const cell = /^[ \t]*\|/.test(line) ? line.lastIndexOf("|") + 1 : 0;
  return start + Math.max(marker, cell);
}

function closeInline(block: string): string {
  const start = inlineStart(block);
  return block.slice(0, start) + closeMarks(block.slice(start));
}

const closers = (stack: string[]) => stack.toReversed().join("");

/** Closes code, mathematics, links and emphasis that `text`, one paragraph or cell, leaves open. */
function closeMarks(text: string): string {
  const stack: string[] = [];
  const brackets: number[] = [];
  let at = 0;
  while (at < text.length) {
    const rest = text.slice(at);
    const character = rest[0] ?? "";
    if (rest.startsWith("\\(") || rest.startsWith("\\[")) {
      const end = rest.indexOf(rest[1] === "(" ? "\\)" : "\\]", 2);
      if (end < 0) return asCode(text.slice(0, at), rest.slice(2), stack);
      at += end + 2;
    } else if (character === "\\") {
      at += 2;
    } else if (character === "`") {
      const run = /^`+/.exec(rest)?.[0] ?? "";
      const end = new RegExp(`(?<!\`)${run}(?!\`)`).exec(rest.slice(run.length));
      if (!end) return asCode(text.slice(0, at), rest.slice(run.length).replace(/`+$/, ""), stack, run);
      at += run.length + end.index + run.length;
    } else if (character === "$") {
      const closed = /^\$\$[^$]*\$\$|^\$(?![\s$])[^$\n]*[^\s$]\$(?!\d)/.exec(rest);
      if (!closed && /^\$\$?[^$]*[\\^_={}]/.test(rest)) {
        return asCode(text.slice(0, at), rest.replace(/^\$+/, "").replace(/\$$/, ""), stack);
      }
      at += closed?.[0].length ?? 1;
    } else if (character === "[") {
      brackets.push(text[at - 1] === "!" ? at - 1 : at);
      at += 1;
    } else if (character === "]") {
      const open = brackets.pop();
      const target = /^\]\([^)\n]*/.exec(rest)?.[0].length;
      if (open !== undefined && (target === rest.length || rest.length === 1)) {
        // The address is still being written: the words alone, as they will stand in the link.
        const label = text.slice(open, at).replace(/^!?\[/, "");
        return text.slice(0, open) + closeMarks(label) + closers(stack);
      }
      at += target ?? 1;
    } else if (/[*_~]/.test(character)) {
      at += emphasis(text, at, stack);
    } else {
      at += 1;
    }
  }
  const open = brackets[0];
  if (open !== undefined && !text.slice(open).includes("\n")) {
    return text.slice(0, open) + closeMarks(text.slice(open).replace(/^!?\[/, "")) ;
  }
  if (stack.length === 0) return text.replace(/(?<=^|\s)[*_~`]+$|!$/, "");
  return text.trimEnd().replace(/[*_~]+$/, "") + closers(stack);
}

/** Unclosed code, and mathematics as its source, until the closing mark comes. */
function asCode(before: string, code: string, stack: string[], run = "`"): string {
  return code.trim() === "" ? before.trimEnd() + closers(stack) : before + run + code + run + closers(stack);
}

/** Follows one run of `*`, `_` or `~` on the stack of what is open; returns its length. */
function emphasis(text: string, at: number, stack: string[]): number {
  const run = new RegExp(`^[${text[at] ?? ""}]+`).exec(text.slice(at))?.[0] ?? "";
  const before = text[at - 1];
  const after = text[at + run.length];
  const isWord = (character?: string) => character !== undefined && /\w/.test(character);
  let left = run.length;
  if (before !== undefined && /\S/.test(before)) {
    for (let top = stack.at(-1); top?.[0] === run[0] && top !== undefined && left >= top.length; top = stack.at(-1)) {
      left -= top.length;
      stack.pop();
    }
  }
  // A lone mark inside a word (2*3, snake_case) hardly ever opens anything.
  const opens = after !== undefined && /\S/.test(after) && !(isWord(before) && (run.length === 1 || run.startsWith("_")));
  if (opens && left > 0) {
    if (left >= 2) stack.push((run[0] ?? "").repeat(2));
    if (left % 2 === 1 && !run.startsWith("~")) stack.push(run[0] ?? "");
  }
  return run.length;
}
