import { startTransition, useEffect, useState } from "react";

const FIRST = 16;
const STEP = 24;

/**
 * How many of the last `total` messages to render. A long conversation shows its end at once and fills in what is
 * before it while the browser is idle, so that find-in-page and screen readers soon have all of it.
 */
export function useGrowing(subject: string, total: number): number {
  const [shown, setShown] = useState({ subject, count: FIRST });
  const count = shown.subject === subject ? shown.count : FIRST;

  useEffect(() => {
    if (count >= total) return;
    const grow = (): void => startTransition(() => setShown({ subject, count: count + STEP }));
    if (typeof requestIdleCallback === "undefined") {
      const timer = setTimeout(grow, 60);
      return () => clearTimeout(timer);
    }
    const handle = requestIdleCallback(grow, { timeout: 1000 });
    return () => cancelIdleCallback(handle);
  }, [subject, count, total]);

  return Math.min(count, total);
}
