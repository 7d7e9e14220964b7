import type { ReactNode } from "react";
import { Mark } from "./mark";

/** A page with one thing to say and what to do about it. */
export function Center({ title, note, children }: { title: string; note: string; children?: ReactNode }) {
  return (
    <div className="flex min-h-0 flex-1 flex-col items-center justify-center gap-3 overflow-y-auto px-6 py-10 text-center">
      <Mark size={40} fading />
      <h1 className="mt-2 text-xl font-semibold">{title}</h1>
      <p className="max-w-sm leading-7 text-balance text-soft">{note}</p>
      <div className="mt-2">{children}</div>
    </div>
  );
}
