import { useEffect, useRef, useState } from "react";
import { useWords } from "@/i18n";
import { isCancel, isSubmit } from "@/shared/keyboard";

interface Props {
  title: string;
  /** With the new title, or null if it stays as it was. `byKey` tells whether the focus is to go back to the row. */
  onDone: (title: string | null, byKey: boolean) => void;
}

/** A conversation's title while it is being changed, in its own place. */
export function RenameField({ title, onDone }: Props) {
  const words = useWords();
  const [value, setValue] = useState(title);
  const field = useRef<HTMLInputElement>(null);
  const done = useRef(false);

  useEffect(() => field.current?.select(), []);

  const finish = (keep: boolean, byKey: boolean): void => {
    if (done.current) return;
    done.current = true;
    const next = value.trim();
    onDone(keep && next !== "" && next !== title ? next : null, byKey);
  };

  return (
    <input
      ref={field}
      aria-label={words.sidebar.renameLabel}
      value={value}
      maxLength={200}
      className="h-9 w-full min-w-0 rounded-lg border border-accent bg-raised px-2.5 text-sm outline-none pointer-coarse:h-11"
      onChange={(event) => setValue(event.target.value)}
      onBlur={() => finish(true, false)}
      onKeyDown={(event) => {
        if (isSubmit(event)) finish(true, true);
        else if (isCancel(event)) {
          event.stopPropagation();
          finish(false, true);
        }
      }}
    />
  );
}
