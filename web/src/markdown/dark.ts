import { useSyncExternalStore } from "react";

function subscribe(listener: () => void): () => void {
  const page = new MutationObserver(listener);
  page.observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
  return () => page.disconnect();
}

const isDark = () => document.documentElement.dataset.theme === "dark";

/** Whether the page is dark now, for what CSS cannot colour. */
export function useDark(): boolean {
  return useSyncExternalStore(subscribe, isDark, () => false);
}
