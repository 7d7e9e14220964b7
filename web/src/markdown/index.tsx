"use client";

import { type ComponentType, lazy, Suspense, useState } from "react";
import "./markdown.css";

interface Props {
  /** What has come of the answer so far. */
  text: string;
  /** True while more may come: open ends are then shown as if they were closed. */
  streaming: boolean;
}

function Plain({ text }: Props) {
  return <p className="md-plain">{text}</p>;
}

let loaded: ComponentType<Props> | null = null;

const load = async () => {
  const renderer = await import("./answer");
  loaded = renderer.default;
  return renderer;
};
const Answer = lazy<ComponentType<Props>>(() => load().catch(() => ({ default: Plain })));

/** Fetches the renderer ahead of the first answer; settled when it is here, or cannot be had now. */
export async function preloadMarkdown(): Promise<void> {
  await load().catch(() => undefined); // it is asked for again when an answer needs it
}

/** The language that a script gives away, for line breaking, glyphs and voice. */
function language(text: string): string | undefined {
  const beginning = text.slice(0, 1000);
  if (/[\p{sc=Hiragana}\p{sc=Katakana}]/u.test(beginning)) return "ja";
  if (/\p{sc=Hangul}/u.test(beginning)) return "ko";
  return undefined;
}

/** An answer in Markdown. The renderer is loaded with the first one; until it is there, the text stands plain. */
export function Markdown({ text, streaming }: Props) {
  // Once the renderer is here, answers show at once: a lazy component would show them plain for a moment first.
  const [Renderer] = useState<ComponentType<Props>>(() => loaded ?? Answer);
  return (
    <div className="md" lang={language(text)}>
      <Suspense fallback={streaming ? null : <Plain text={text} streaming={false} />}>
        <Renderer text={text} streaming={streaming} />
      </Suspense>
    </div>
  );
}
