import { useContext } from "react";
import { Inline } from "./inline";
import { NoteScope } from "./note-mark";
import type { NoteToken } from "./syntax";

/** A footnote, where the answer wrote it. */
export function Note({ label, tokens }: NoteToken) {
  return (
    <p className="md-note" id={useContext(NoteScope) + label} tabIndex={-1}>
      <sup>{label}</sup> <Inline tokens={tokens} />
    </p>
  );
}
