import { useLayoutEffect } from "react";
import { useStore } from "@/shared/store";
import { adoptPreferences, language } from "./preferences";

/** The person's language before the first paint; the page shows once it speaks it. */
export function usePreferences(): void {
  const spoken = useStore(language);
  useLayoutEffect(adoptPreferences, []);
  useLayoutEffect(() => {
    if (spoken === document.documentElement.lang) delete document.documentElement.dataset.pending;
    if (spoken === "ja") void import("@/shell/japanese-font").catch(() => undefined); // the system has one too
  }, [spoken]);
}
