import { useEffect, useRef, useState } from "react";
import { useWords } from "@/i18n";
import { IconButton } from "@/shared/icon-button";
import { CloseIcon, SearchIcon } from "@/shared/icons";
import { isCancel } from "@/shared/keyboard";
import { refresh } from "./list";

const PAUSE_MS = 180;

/** Searches while one types; the letters of an unfinished conversion are not searched for. */
export function SearchField() {
  const words = useWords();
  const [value, setValue] = useState("");
  const [converting, setConverting] = useState(false);
  const field = useRef<HTMLInputElement>(null);
  const asked = useRef("");

  useEffect(() => {
    const q = value.trim();
    if (converting || q === asked.current) return;
    const timer = setTimeout(() => {
      asked.current = q;
      void refresh(q);
    }, PAUSE_MS);
    return () => clearTimeout(timer);
  }, [value, converting]);

  const clear = (): void => {
    setValue("");
    field.current?.focus();
  };

  return (
    <div role="search" className="relative mx-3">
      <span className="pointer-events-none absolute inset-y-0 left-2.5 flex items-center text-soft">
        <SearchIcon size={16} />
      </span>
      <input
        ref={field}
        id="search"
        type="text"
        role="searchbox"
        inputMode="search"
        enterKeyHint="search"
        autoComplete="off"
        spellCheck={false}
        aria-label={words.sidebar.search}
        placeholder={words.sidebar.search}
        value={value}
        className="h-9 w-full rounded-lg border border-transparent bg-hover pr-9 pl-8 text-sm placeholder:text-soft focus:border-accent focus:bg-raised focus:outline-none pointer-coarse:h-11"
        onChange={(event) => setValue(event.target.value)}
        onCompositionStart={() => setConverting(true)}
        onCompositionEnd={() => setConverting(false)}
        onKeyDown={(event) => {
          if (!isCancel(event) || value === "") return;
          event.stopPropagation();
          clear();
        }}
      />
      {value !== "" && (
        <IconButton label={words.sidebar.clearSearch} className="absolute! inset-y-0 right-0 my-auto" onClick={clear}>
          <CloseIcon size={16} />
        </IconButton>
      )}
    </div>
  );
}
