import { type RefObject, useEffect, useMemo, useRef } from "react";
import { drafts } from "./drafts";

interface Draft {
  keep: (text: string) => void;
}

/**
 * Keep what is written in a field, by conversation, over reloads and closed tabs.
 * `show` is called with what was kept when another conversation comes into the field.
 */
export function useDraft(
  id: string,
  show: (text: string) => void,
  field: RefObject<HTMLTextAreaElement | null>,
): Draft {
  const pending = useRef<{ id: string; text: string } | null>(null);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const first = useRef(true);

  const flush = useMemo(
    () => () => {
      clearTimeout(timer.current);
      if (pending.current) drafts.set(pending.current.id, pending.current.text || null);
      pending.current = null;
    },
    [],
  );

  useEffect(() => {
    // What was typed before this script ran is newer than any draft.
    const typed = first.current ? (field.current?.value ?? "") : "";
    first.current = false;
    show(typed === "" ? (drafts.get(id) ?? "") : typed);
    return flush;
  }, [id, show, field, flush]);

  useEffect(() => {
    addEventListener("pagehide", flush);
    return () => removeEventListener("pagehide", flush);
  }, [flush]);

  return useMemo(
    () => ({
      keep: (text) => {
        pending.current = { id, text };
        clearTimeout(timer.current);
        // At once when it empties: a sent question must not come back as a draft.
        if (text === "") flush();
        else timer.current = setTimeout(flush, 250);
      },
    }),
    [id, flush],
  );
}
