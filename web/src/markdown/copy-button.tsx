"use client";

import { useEffect, useState } from "react";
import { useWords } from "@/i18n";

const SHOWN_MS = 2000;

export function CopyButton({ text }: { text: string }) {
  const words = useWords().answer;
  const [outcome, setOutcome] = useState<"copied" | "copyFailed">();

  useEffect(() => {
    if (!outcome) return undefined;
    const timer = setTimeout(() => setOutcome(undefined), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [outcome]);

  const copy = () => {
    navigator.clipboard.writeText(text).then(
      () => setOutcome("copied"),
      () => setOutcome("copyFailed"),
    );
  };

  return (
    <button type="button" onClick={copy} aria-live="polite">
      {words[outcome ?? "copyCode"]}
    </button>
  );
}
