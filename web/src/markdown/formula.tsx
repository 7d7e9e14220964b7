import { lazy, Suspense } from "react";

interface Props {
  tex: string;
  display: boolean;
  closed: boolean;
}

/** Where the network is gone the source is what a person gets; it reads well enough. */
const Typeset = lazy(() => import("./typeset").catch(() => ({ default: Source })));

function Source({ tex }: { tex: string }) {
  return <code>{tex}</code>;
}

/** Mathematics: its source while it is being written and until KaTeX has been loaded, then the formula. */
export function Formula({ tex, display, closed }: Props) {
  const Tag = display ? "div" : "span";
  const source = <Source tex={tex} />;
  return (
    <Tag className={display ? "md-math md-math-display" : "md-math"}>
      {closed ? <Suspense fallback={source}><Typeset tex={tex} display={display} /></Suspense> : source}
    </Tag>
  );
}
