import { type Ref, useEffect, useImperativeHandle, useRef, useState } from "react";
import { wakeUp } from "@/api/messages";
import type { Phase } from "@/conversation/model";
import { useWords } from "@/i18n";
import { preloadMarkdown } from "@/markdown";
import { SendIcon, StopIcon } from "@/shared/icons";
import { isConverting, isSubmit } from "@/shared/keyboard";
import { NEW } from "./drafts";
import { excess } from "./limits";
import { useDraft } from "./use-draft";

export interface ComposerHandle {
  focus: () => void;
  fill: (text: string) => void;
}

interface Props {
  /** The conversation that is written in; null for a new one. */
  conversation: string | null;
  phase: Phase;
  onSend: (text: string) => void;
  onStop: () => void;
  onEditLast: () => void;
  ref: Ref<ComposerHandle>;
}

export function Composer({ conversation, phase, onSend, onStop, onEditLast, ref }: Props) {
  const words = useWords();
  const field = useRef<HTMLTextAreaElement>(null);
  const [text, setText] = useState("");
  const draft = useDraft(conversation ?? NEW, setText, field);
  const over = excess(text);
  const answering = phase !== "idle";
  const ready = !answering && text.trim() !== "" && over === 0;
  const writing = text !== "";

  useEffect(() => {
    // Who begins to write will soon want to read an answer.
    if (writing) void preloadMarkdown();
  }, [writing]);

  useImperativeHandle(ref, () => ({
    focus: () => field.current?.focus(),
    fill: (prompt) => {
      setText(prompt);
      draft.keep(prompt);
      field.current?.focus();
    },
  }));

  useEffect(() => {
    // On a phone the keyboard would cover half of what the person came to read.
    if (!matchMedia("(pointer: coarse)").matches || conversation === null)
      field.current?.focus({ preventScroll: true });
  }, [conversation]);

  const send = (): void => {
    if (!ready) return;
    onSend(text.trim());
    setText("");
    draft.keep("");
    field.current?.focus();
  };

  return (
    <form
      aria-label={words.composer.form}
      className="shrink-0 px-3 pb-[max(0.75rem,env(safe-area-inset-bottom))] sm:px-6 sm:pb-[max(1.25rem,env(safe-area-inset-bottom))]"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <div className="mx-auto max-w-3xl">
        {over > 0 && (
          <p id="too-long" role="alert" className="px-4 pb-2 text-sm text-danger">
            {words.composer.tooLong(over)}
          </p>
        )}
        <div className="flex items-end gap-2 rounded-3xl border border-field-line bg-raised p-2 shadow-[0_1px_12px_-6px_rgb(0_0_0/0.25)] transition-colors focus-within:border-accent">
          <textarea
            ref={field}
            id="composer"
            rows={1}
            value={text}
            aria-label={words.composer.label}
            aria-describedby={over > 0 ? "too-long" : "composer-hint"}
            aria-invalid={over > 0}
            placeholder={words.composer.placeholder}
            enterKeyHint="send"
            autoComplete="off"
            className="field-sizing-content max-h-[40dvh] min-h-10 flex-1 resize-none bg-transparent px-3 py-1.5 leading-7 outline-none placeholder:text-soft"
            onChange={(event) => {
              setText(event.target.value);
              draft.keep(event.target.value);
            }}
            onFocus={wakeUp}
            onKeyDown={(event) => {
              if (isSubmit(event)) {
                event.preventDefault();
                send();
              } else if (event.key === "ArrowUp" && text === "" && !answering && !isConverting(event)) {
                event.preventDefault();
                onEditLast();
              }
            }}
          />
          <span id="composer-hint" className="sr-only">
            {words.composer.hint}
          </span>
          <SendOrStop answering={answering} stopping={phase === "stopping"} ready={ready} onStop={onStop} />
        </div>
      </div>
    </form>
  );
}

interface SendOrStopProps {
  answering: boolean;
  stopping: boolean;
  ready: boolean;
  onStop: () => void;
}

/** One button in one place, so that it keeps the focus when sending turns it into the one that stops. */
function SendOrStop({ answering, stopping, ready, onStop }: SendOrStopProps) {
  const words = useWords();
  const label = answering ? words.composer.stop : words.composer.send;
  return (
    <button
      type={answering ? "button" : "submit"}
      aria-label={label}
      data-tip={label}
      aria-disabled={answering ? stopping : !ready}
      onClick={({ detail }) => {
        // The second press of a double click on Send is no wish to stop.
        if (answering && detail < 2) onStop();
      }}
      className="inline-flex size-10 shrink-0 items-center justify-center rounded-full bg-accent text-accent-ink transition-colors aria-disabled:cursor-default aria-disabled:bg-hover aria-disabled:text-soft pointer-coarse:size-11"
    >
      {answering ? <StopIcon size={20} /> : <SendIcon size={20} />}
    </button>
  );
}
