"use client";

import { type ComponentType, lazy, Suspense, useState } from "react";
import { textLanguage } from "@/i18n/text-language";
import { useStore } from "@/shared/store";
import { language } from "@/shell/preferences";
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

/** An answer in Markdown. The renderer is loaded with the first one; until it is there, the text stands plain. */
export function Markdown({ text, streaming }: Props) {
  // Once the renderer is here, answers show at once: a lazy component would show them plain for a moment first.
  const [Renderer] = useState<ComponentType<Props>>(() => loaded ?? Answer);
  return (
    <div className="md" lang={textLanguage(text, useStore(language))}>
      <Suspense fallback={streaming ? null : <Plain text={text} streaming={false} />}>
        <Renderer text={text} streaming={streaming} />
      </Suspense>
    </div>
  );
}
