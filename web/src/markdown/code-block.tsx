"use client";

import type { HLJSApi } from "highlight.js";
import type { Tokens } from "marked";
import { type ComponentType, lazy, memo, Suspense, use, useMemo } from "react";
import { useWords } from "@/i18n";
import { CopyButton } from "./copy-button";
import { highlight, pieces } from "./highlight";
import { knownLanguage, loadLanguage } from "./languages";
import { ScrollRegion } from "./scroll-region";

const Diagram = lazy<ComponentType<{ source: string }>>(() => import("./diagram").catch(() => ({ default: Source })));

function Source({ source }: { source: string }) {
  return <Code code={source} />;
}

/** Whether a fence's closing line is there; while it is not, more code may come. */
function isClosed(raw: string): boolean {
  const marks = /^ {0,3}(`{3,}|~{3,})/.exec(raw)?.[1];
  return marks === undefined || new RegExp(`\\n {0,3}${marks}[\`~]*[ \\t]*\\n?$`).test(raw);
}

export function CodeBlock({ token, open }: { token: Tokens.Code; open: boolean }) {
  const words = useWords().answer;
  const name = /^[^\s{:,]*/.exec(token.lang ?? "")?.[0] ?? "";
  const isDiagram = name === "mermaid" && !(open && !isClosed(token.raw));
  return (
    <figure className="md-code">
      <figcaption>
        <span>{name || words.code}</span>
        <CopyButton text={token.text} />
      </figcaption>
      {isDiagram ? (
        <Suspense fallback={<Source source={token.text} />}>
          <Diagram source={token.text} />
        </Suspense>
      ) : (
        <Code code={token.text} language={knownLanguage(name)} />
      )}
    </figure>
  );
}

/** Code as it is, coloured once its language has been loaded. */
export function Code({ code, language }: { code: string; language?: string | undefined }) {
  const words = useWords().answer;
  return (
    <ScrollRegion className="md-code-scroll" label={words.code}>
      <pre>
        <code translate="no">
          {language === undefined ? code : (
            <Suspense fallback={code}>
              <Coloured code={code} language={language} />
            </Suspense>
          )}
        </code>
      </pre>
    </ScrollRegion>
  );
}

function Coloured({ code, language }: { code: string; language: string }) {
  const highlighter = use(loadLanguage(language));
  if (!highlighter) return code;
  return pieces(code).map((piece, index) => (
    <Piece key={index} code={piece} language={language} highlighter={highlighter} />
  ));
}

const Piece = memo(function Piece({ code, language, highlighter }: { code: string; language: string; highlighter: HLJSApi }) {
  const runs = useMemo(() => highlight(highlighter, language, code), [highlighter, language, code]);
  return runs.map(({ text, scope }, index) => (scope ? <span key={index} className={scope}>{text}</span> : text));
});
