import { memo, type ReactNode } from "react";
import type { Token, Tokens } from "marked";
import { useWords } from "@/i18n";
import { CodeBlock } from "./code-block";
import { Formula } from "./formula";
import { Inline } from "./inline";
import { ScrollRegion } from "./scroll-region";
import { Note } from "./note";
import type { MathToken, NoteToken } from "./syntax";

interface Props {
  token: Token;
  /** True for the last block of an answer that is still being written. */
  open: boolean;
  /** The heading level above the block's first heading, so that the page's outline has no gaps. */
  level: number;
}

/** Rendered again only when its token is another one: settled blocks keep theirs. */
export const Block = memo(function Block({ token, open, level }: Props): ReactNode {
  switch (token.type) {
    case "heading":
      return <Heading token={token as Tokens.Heading} level={level} />;
    case "paragraph":
      return <p><Inline tokens={token.tokens} /></p>;
    case "code":
      return <CodeBlock token={token as Tokens.Code} open={open} />;
    case "list":
      return <List token={token as Tokens.List} open={open} level={level} />;
    case "blockquote":
      return <blockquote><Blocks tokens={token.tokens} open={open} level={level} /></blockquote>;
    case "table":
      return <Table token={token as Tokens.Table} />;
    case "math":
      return <Formula {...(token as unknown as MathToken)} />;
    case "note":
      return <Note {...(token as unknown as NoteToken)} />;
    case "hr":
      return <hr />;
    case "text":
    case "checkbox":
      // The words of a list's item that stand in no paragraph of their own.
      return token.type === "text" ? <Inline tokens={token.tokens ?? [token]} /> : null;
    default:
      return null; // blank lines and definitions show nothing
  }
});

export function Blocks({ tokens = [], open, level }: Omit<Props, "token"> & { tokens?: readonly Token[] | undefined }) {
  return tokens.map((token, index) => (
    <Block key={index} token={token} open={open && index === tokens.length - 1} level={level} />
  ));
}

function Heading({ token, level }: { token: Tokens.Heading; level: number }) {
  const Tag = `h${Math.min(level, 6)}` as "h3" | "h4" | "h5" | "h6";
  return <Tag data-depth={token.depth}><Inline tokens={token.tokens} /></Tag>;
}

function List({ token, open, level }: { token: Tokens.List; open: boolean; level: number }) {
  const items = token.items.map((item, index) => (
    <li key={index} data-task={item.task || undefined}>
      {item.task && <input type="checkbox" checked={item.checked ?? false} disabled aria-label={item.text} />}
      <Blocks tokens={item.tokens} open={open && index === token.items.length - 1} level={level} />
    </li>
  ));
  return token.ordered ? <ol start={token.start === "" ? 1 : token.start}>{items}</ol> : <ul>{items}</ul>;
}

function Table({ token }: { token: Tokens.Table }) {
  const words = useWords().answer;
  const cell = (content: Tokens.TableCell, index: number, Tag: "th" | "td") => (
    <Tag key={index} scope={Tag === "th" ? "col" : undefined} style={content.align ? { textAlign: content.align } : undefined}>
      <Inline tokens={content.tokens} />
    </Tag>
  );
  return (
    <ScrollRegion className="md-table" label={words.table}>
      <table>
        <thead><tr>{token.header.map((content, index) => cell(content, index, content.text === "" ? "td" : "th"))}</tr></thead>
        <tbody>
          {token.rows.map((row, index) => (
            <tr key={index}>{row.map((content, column) => cell(content, column, "td"))}</tr>
          ))}
        </tbody>
      </table>
    </ScrollRegion>
  );
}
