/**
 * Markdown as answers write it: CommonMark and GFM read by `marked`, with footnotes, mathematics, with emphasis that
 * works beside Japanese, Chinese and Korean, and without raw HTML.
 */
import { Lexer, Marked, Tokenizer, type Token, type TokenizerExtension, type Tokens } from "marked";

export interface MathToken {
  type: "math";
  raw: string;
  tex: string;
  display: boolean;
  /** False while the closing delimiter has not come (or never comes): shown as source. */
  closed: boolean;
}

/** `$$…$$` or `\[…\]` on lines of its own; like a paragraph it ends at a blank line at the latest. */
const blockMath: TokenizerExtension = {
  name: "blockMath",
  level: "block",
  start: (source) => /^ {0,3}(?:\$\$|\\\[)/m.exec(source)?.index,
  tokenizer(source): MathToken | undefined {
    const open = /^ {0,3}(\$\$|\\\[)[ \t]*/.exec(source);
    if (!open) return undefined;
    const body = source.slice(open[0].length).split(/\n[ \t]*(?:\n|$)/, 1)[0] ?? "";
    const end = body.indexOf(open[1] === "$$" ? "$$" : "\\]");
    if (end < 0) {
      return { type: "math", raw: open[0] + body, tex: body.trim(), display: true, closed: false };
    }
    const rest = /^[ \t.,。、]*(?=\n|$)/.exec(body.slice(end + 2));
    if (!rest) return undefined; // text follows on the line: inline mathematics in a paragraph
    const raw = source.slice(0, open[0].length + end + 2 + rest[0].length);
    return { type: "math", raw, tex: body.slice(0, end).trim(), display: true, closed: true };
  },
};

const DISPLAY = /^\$\$([^$]+?)\$\$|^\\\[([\s\S]+?)\\\]/;
/** As in Pandoc: no space inside the dollars and no digit after them, so that "$5 and $10" stays money. */
const INLINE = /^\$((?![\s$])(?:\\[\s\S]|[^$\\\n])*?(?:\\[\s\S]|[^\s$\\]))\$(?!\d)|^\\\(([\s\S]+?)\\\)/;

const inlineMath: TokenizerExtension = {
  name: "inlineMath",
  level: "inline",
  start: (source) => /\$|\\[([]/.exec(source)?.index,
  tokenizer(source): MathToken | undefined {
    const display = DISPLAY.exec(source);
    const match = display ?? INLINE.exec(source);
    if (!match) return undefined;
    const tex = (match[1] ?? match[2] ?? "").trim();
    return { type: "math", raw: match[0], tex, display: display !== null, closed: true };
  },
};

export interface NoteToken {
  type: "note";
  raw: string;
  label: string;
  tokens: Token[];
}

/** A footnote, `[^1]: …`, with the lines that go on with it. */
const note: TokenizerExtension = {
  name: "note",
  level: "block",
  start: (source) => /^ {0,3}\[\^[^\]\s]+\]:/m.exec(source)?.index,
  tokenizer(source): NoteToken | undefined {
    const match = /^ {0,3}\[\^([^\]\s]+)\]:[ \t]*([^\n]*(?:\n(?![ \t]*(?:\n|$)| {0,3}\[\^)[^\n]+)*)(?:\n|$)/.exec(source);
    if (!match) return undefined;
    const [raw, label = "", body = ""] = match;
    return { type: "note", raw, label, tokens: this.lexer.inline(body.replace(/\n[ \t]+/g, "\n")) };
  },
};

/** Where a footnote is pointed to: `[^1]`. */
const noteMark: TokenizerExtension = {
  name: "noteMark",
  level: "inline",
  start: (source) => /\[\^/.exec(source)?.index,
  tokenizer(source): { type: "noteMark"; raw: string; label: string } | undefined {
    const match = /^\[\^([^\]\s]+)\]/.exec(source);
    return match ? { type: "noteMark", raw: match[0], label: match[1] ?? "" } : undefined;
  },
};

class AnswerTokenizer extends Tokenizer {
  /** Raw HTML is text: what a model writes never becomes markup. */
  override html(): undefined {
    return undefined;
  }

  /** …but for the line break, which is how models write one inside a table cell. */
  override tag(source: string): Tokens.Tag | undefined {
    const match = /^<br\s*\/?>/i.exec(source);
    return match ? ({ type: "br", raw: match[0] } as unknown as Tokens.Tag) : undefined;
  }

  /** One tilde is a Japanese range (10~20), two strike out. */
  override del(source: string, masked: string, previous?: string): Tokens.Del | undefined {
    return source.startsWith("~~") ? super.del(source, masked, previous) : undefined;
  }
}

/*
 * CommonMark's flanking rules were made for words between spaces: in 「これは**「強調」**です」 they find no
 * emphasis. These are the rules that the "CJK friendly" amendment proposes (github.com/tats-u/
 * markdown-cjk-friendly): a Chinese, Japanese or Korean character beside a delimiter counts neither as
 * punctuation nor as the middle of a word.
 */
const CJK_RANGES =
  "\\p{sc=Han}\\p{sc=Hiragana}\\p{sc=Katakana}\\p{sc=Hangul}\\p{sc=Bopomofo}\\u3000-\\u303f\\u30fb\\u30fc\\uff00-\\uffef";
const CJK = `[${CJK_RANGES}]`;
const PUNCTUATION = `(?![${CJK_RANGES}])[\\p{P}\\p{S}]`;
const SPACE_OR_PUNCTUATION = `(?:\\s|${PUNCTUATION})`;
const LETTER = `(?:(?!${PUNCTUATION})\\S)`;

/**
 * What `marked` expects of a closing-delimiter rule: it walks over the text, and the number of the group
 * that matched tells whether the run can close (1, 2), open (3, 4) or both (5, 6).
 */
function closingRule(delimiter: string, orphan: string): RegExp {
  const run = `(${delimiter}+)`;
  const not = `(?!${delimiter})`;
  return new RegExp(
    [
      ...(orphan ? [orphan] : []),
      `[^${delimiter}]+(?=[^${delimiter}])`,
      `${not}${PUNCTUATION}${run}(?=\\s|$)`,
      `(?:${CJK}(?=${delimiter}+(?:\\s|$))|(?!${CJK})${not}${LETTER})${run}${not}(?=${SPACE_OR_PUNCTUATION}|$)`,
      `(?:\\s|${not}${PUNCTUATION}(?!${delimiter}+${CJK}))${run}(?=${LETTER})`,
      `\\s${run}${not}(?=${PUNCTUATION})`,
      `(?:${not}${PUNCTUATION}(?=${delimiter}+(?:${PUNCTUATION}|${CJK}))|${CJK}(?=${delimiter}+${PUNCTUATION}))${run}${not}(?=\\S)`,
      `${not}${LETTER}${run}(?=${LETTER})`,
    ].join("|"),
    "gu",
  );
}

const CJK_RULES = {
  punctuation: new RegExp(`^((?![*_])(?:\\s|${CJK}|${PUNCTUATION}))`, "u"),
  emStrongLDelim: new RegExp(
    `^(?:\\*+(?:((?!\\*)${PUNCTUATION})|([^\\s*]))?)|^_+(?:((?!_)${PUNCTUATION})|([^\\s_]))?`,
    "u",
  ),
  emStrongRDelimAst: closingRule("\\*", "^[^_*]*?__[^_*]*?\\*[^_*]*?(?=__)"),
  delRDelim: closingRule("~", ""),
  // A bare address ends where Japanese goes on (https://example.com を without the space).
  url: /^((?:https?):\/\/|www\.)(?:[a-zA-Z0-9-]+\.?)+[^\s<"\p{sc=Hiragana}\u3000-\u303f\uff00-\uff60]*|^[A-Za-z0-9._+-]+(@)[a-zA-Z0-9-_]+(?:\.[a-zA-Z0-9-_]*[a-zA-Z0-9])+(?![-_])/iu,
};

const { defaults } = new Marked({ gfm: true, breaks: true, extensions: [blockMath, inlineMath, note, noteMark] });

function lexer(): Lexer {
  const lexer = new Lexer({ ...defaults, tokenizer: new AnswerTokenizer() });
  const tokenizer = Reflect.get(lexer, "tokenizer") as Tokenizer;
  tokenizer.rules.inline = { ...tokenizer.rules.inline, ...CJK_RULES };
  return lexer;
}

/** The blocks of `source` with everything inside them. */
export function parse(source: string): Token[] {
  return lexer().lex(source);
}

/** The blocks of `source` without their inline contents: cheap, to find where the last one begins. */
export function outline(source: string): Token[] {
  return lexer().blockTokens(source);
}
