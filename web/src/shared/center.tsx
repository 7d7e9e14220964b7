import { type ReactNode, useEffect, useRef } from "react";
import { Mark } from "./mark";

/** A page with one thing to say and what to do about it. It takes the focus if what had it has gone. */
export function Center({ title, note, children }: { title: string; note: string; children?: ReactNode }) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    if (document.activeElement === document.body) heading.current?.focus();
  }, []);
  return (
    <div className="flex min-h-0 flex-1 flex-col items-center justify-center gap-3 overflow-y-auto px-6 py-10 text-center">
      <Mark size={40} fading />
      <h1 ref={heading} tabIndex={-1} className="mt-2 text-xl font-semibold outline-none">
        {title}
      </h1>
      <p className="max-w-sm leading-7 text-balance text-soft">{note}</p>
      <div className="mt-2">{children}</div>
    </div>
  );
}
