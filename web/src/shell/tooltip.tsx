import { useEffect, useRef, useState } from "react";

interface Tip {
  text: string;
  x: number;
  y: number;
  above: boolean;
}

const DELAY_MS = 450;

/**
 * One tooltip for every `data-tip` of the page, under pointer or keyboard focus; Escape takes it away (WCAG 1.4.13).
 * The element's name says the same, so it is for eyes only.
 */
export function Tooltip() {
  const [tip, setTip] = useState<Tip | null>(null);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);

  useEffect(() => {
    const hide = (): void => {
      clearTimeout(timer.current);
      setTip(null);
    };
    const show = ({ target, type }: Event): void => {
      const element = target instanceof Element ? target.closest<HTMLElement>("[data-tip]") : null;
      hide();
      if (!element || (type === "focusin" && !element.matches(":focus-visible"))) return;
      timer.current = setTimeout(() => {
        const box = element.getBoundingClientRect();
        if (box.width === 0) return;
        const above = box.bottom > innerHeight - 56;
        const x = Math.min(Math.max(box.left + box.width / 2, 72), innerWidth - 72);
        setTip({ text: element.dataset.tip ?? "", x, y: above ? box.top - 8 : box.bottom + 8, above });
      }, DELAY_MS);
    };
    const onKey = ({ key }: KeyboardEvent): void => {
      if (key === "Escape") hide();
    };
    const events: [string, (event: Event) => void][] = [
      ["pointerover", show],
      ["focusin", show],
      ["pointerdown", hide],
      ["focusout", hide],
      ["scroll", hide],
    ];
    for (const [name, listener] of events) addEventListener(name, listener, { passive: true, capture: true });
    addEventListener("keydown", onKey, true);
    return () => {
      hide();
      for (const [name, listener] of events) removeEventListener(name, listener, { capture: true });
      removeEventListener("keydown", onKey, true);
    };
  }, []);

  if (!tip) return null;
  return (
    <div
      aria-hidden="true"
      className={`tip z-50 -translate-x-1/2 animate-rise rounded-md bg-ink px-2 py-1 text-xs whitespace-nowrap text-paper ${tip.above ? "-translate-y-full" : ""}`}
      style={{ left: tip.x, top: tip.y }}
    >
      {tip.text}
    </div>
  );
}
