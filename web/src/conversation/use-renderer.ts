import { useEffect, useState } from "react";
import { preloadMarkdown } from "@/markdown";

let settled = false;

/**
 * Whether answers can be shown as they will look. A conversation that opens waits for it: shown plain first, it would
 * move under the reader's eyes.
 */
export function useRenderer(): boolean {
  const [ready, setReady] = useState(settled);
  useEffect(() => {
    let here = true;
    void preloadMarkdown().then(() => {
      settled = true;
      if (here) setReady(true);
    });
    return () => {
      here = false;
    };
  }, []);
  return ready;
}
