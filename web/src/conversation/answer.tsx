import { memo, useEffect } from "react";
import { useWords } from "@/i18n";
import { Markdown, preloadMarkdown } from "@/markdown";
import { Button } from "@/shared/button";
import { AgainIcon, AlertIcon } from "@/shared/icons";
import { createStore, type Store, useStore } from "@/shared/store";
import type { Phase } from "./model";
import type { Message } from "./tree";

const SILENT = createStore("");

interface AnswerTextProps {
  message: Message;
  /** What has come of the answer that is being written. */
  live: Store<string>;
  phase: Phase;
}

/**
 * The text of an answer. While it is being written this alone renders with each word; when it ends, what is on the
 * page stays as it is.
 */
export const AnswerText = memo(function AnswerText({ message, live, phase }: AnswerTextProps) {
  const words = useWords();
  const streaming = message.status === "streaming";
  const shown = useStore(streaming ? live : SILENT);
  const text = streaming ? shown : message.text;
  const empty = text.trim() === "";
  useEffect(() => void preloadMarkdown(), []);
  return (
    <>
      {!empty && <Markdown text={text} streaming={streaming} />}
      {streaming && (empty || phase === "reconnecting") && (
        <p className="flex items-center gap-2.5 py-0.5 text-soft">
          <span className="size-2 shrink-0 animate-breathe rounded-full bg-accent" />
          {words.phase[phase === "idle" || phase === "writing" ? "thinking" : phase]}
        </p>
      )}
    </>
  );
});

/** Why an answer is not whole, with the way on; nothing for one that is. */
export function AnswerEnd({ message, onRetry }: { message: Message; onRetry: (() => void) | null }) {
  const words = useWords();
  const { status, error } = message;
  if (status === "complete" || status === "streaming") return null;
  const calm = status === "stopped";
  return (
    <div
      className={
        calm
          ? "mt-2 text-sm text-soft"
          : "mt-3 flex flex-wrap items-center gap-x-4 gap-y-2 rounded-xl bg-warn px-4 py-3 text-sm text-warn-ink"
      }
    >
      <p className="flex min-w-0 flex-1 basis-60 items-start gap-2">
        {!calm && <AlertIcon size={18} />}
        <span className="min-w-0 text-pretty wrap-anywhere">
          {words.message[status]}
          {error !== null && status === "failed" && words.message.failure(error)}
        </span>
      </p>
      {!calm && onRetry && (
        <Button onClick={onRetry} className="border-current! bg-transparent! text-warn-ink">
          <AgainIcon size={16} />
          {words.message.retry}
        </Button>
      )}
    </div>
  );
}
