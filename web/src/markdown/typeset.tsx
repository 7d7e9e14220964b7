import { renderToString } from "katex";
import "katex/dist/katex.min.css";
import { useMemo } from "react";

/** A formula set by KaTeX, with MathML beside it for screen readers; its source where KaTeX cannot read it. */
export default function Typeset({ tex, display }: { tex: string; display: boolean }) {
  const html = useMemo(() => {
    try {
      // `trust` stays off: no links, images or HTML from TeX. KaTeX escapes everything else.
      return renderToString(tex, { displayMode: display, output: "htmlAndMathml", strict: "ignore", trust: false });
    } catch {
      return undefined;
    }
  }, [tex, display]);
  if (html === undefined) return <code>{tex}</code>;
  return <span dangerouslySetInnerHTML={{ __html: html }} />;
}
