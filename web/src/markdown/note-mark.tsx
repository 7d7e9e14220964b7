import { createContext, useContext } from "react";
import { useWords } from "@/i18n";

/** What the ids of an answer's footnotes begin with: two answers on a page may both have a first one. */
export const NoteScope = createContext("");

/** Points to a footnote of the same answer. */
export function NoteMark({ label }: { label: string }) {
  const words = useWords().answer;
  return (
    <sup>
      <a href={`#${encodeURIComponent(useContext(NoteScope) + label)}`} aria-label={words.note(label)}>
        {label}
      </a>
    </sup>
  );
}
