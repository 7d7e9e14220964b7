import { lazy, Suspense } from "react";
import { useWords } from "@/i18n";
import { ScrollRegion } from "./scroll-region";

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
  const words = useWords().answer;
  const source = <Source tex={tex} />;
  const formula = closed ? <Suspense fallback={source}><Typeset tex={tex} display={display} /></Suspense> : source;
  if (!display) return <span className="md-math">{formula}</span>;
  return (
    <ScrollRegion className="md-math md-math-display" label={words.formula}>
      <div>{formula}</div>
    </ScrollRegion>
  );
}
