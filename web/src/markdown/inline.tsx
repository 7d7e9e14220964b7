import { Fragment, type ReactNode } from "react";
import type { Token, Tokens } from "marked";
import { safeAddress } from "./address";
import { decodeEntities } from "./entities";
import { Formula } from "./formula";
import { NoteMark } from "./note-mark";
import type { MathToken, NoteToken } from "./syntax";

/** Scripts without italics. */
const UPRIGHT = /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}]/u;

function Link({ href, children }: { href: string; children: ReactNode }) {
  const address = safeAddress(decodeEntities(href));
  if (address === undefined) return children;
  return (
    <a href={address} target="_blank" rel="noopener noreferrer">
      {children}
    </a>
  );
}

function inline(token: Token): ReactNode {
  switch (token.type) {
    case "strong":
      return <strong><Inline tokens={token.tokens} /></strong>;
    case "em": {
      const { text, tokens } = token as Tokens.Em;
      return <em className={UPRIGHT.test(text) ? "md-dots" : undefined}><Inline tokens={tokens} /></em>;
    }
    case "del":
      return <del><Inline tokens={token.tokens} /></del>;
    case "codespan":
      return <code>{(token as Tokens.Codespan).text}</code>;
    case "br":
      return <br />;
    case "link":
      return <Link href={(token as Tokens.Link).href}><Inline tokens={token.tokens} /></Link>;
    case "image": {
      // Nothing is ever loaded from where an answer points to: an image is a link to itself.
      const { href, text } = token as Tokens.Image;
      return <Link href={href}>{decodeEntities(text) || href}</Link>;
    }
    case "noteMark":
      return <NoteMark label={(token as unknown as NoteToken).label} />;
    case "math":
      return <Formula {...(token as unknown as MathToken)} />;
    case "escape":
      return (token as Tokens.Escape).text;
    default: {
      const { text, tokens } = token as Tokens.Text;
      return tokens ? <Inline tokens={tokens} /> : decodeEntities(text);
    }
  }
}

/** What stands inside a paragraph, heading, cell or item. */
export function Inline({ tokens = [] }: { tokens?: readonly Token[] | undefined }) {
  return tokens.map((token, index) => <Fragment key={index}>{inline(token)}</Fragment>);
}
