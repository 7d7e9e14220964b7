import { useEffect, useRef, useState } from "react";
import { excess } from "@/composer/limits";
import { useWords } from "@/i18n";
import { Button } from "@/shared/button";
import { isCancel, isSubmit } from "@/shared/keyboard";

interface Props {
  text: string;
  busy: boolean;
  onSend: (text: string) => void;
  onCancel: () => void;
}

/** A question while it is being changed, in its own place. */
export function EditQuestion({ text, busy, onSend, onCancel }: Props) {
  const words = useWords();
  const [value, setValue] = useState(text);
  const field = useRef<HTMLTextAreaElement>(null);
  const over = excess(value);
  const ready = !busy && value.trim() !== "" && over === 0;

  useEffect(() => {
    field.current?.focus();
    field.current?.setSelectionRange(-1, -1);
  }, []);

  return (
    <form
      className="mb-3 w-full rounded-2xl border border-field-line bg-raised p-3 focus-within:border-accent"
      onSubmit={(event) => {
        event.preventDefault();
        if (ready) onSend(value.trim());
      }}
    >
      <textarea
        ref={field}
        aria-label={words.message.editLabel}
        value={value}
        rows={2}
        className="field-sizing-content max-h-[50dvh] w-full resize-none bg-transparent px-1 leading-7 outline-none"
        onChange={(event) => setValue(event.target.value)}
        onKeyDown={(event) => {
          if (isCancel(event)) {
            event.preventDefault(); // it has been used, and stops no answer
            onCancel();
          }
          if (!isSubmit(event)) return;
          event.preventDefault();
          event.currentTarget.form?.requestSubmit();
        }}
      />
      {over > 0 && <p className="px-1 pb-2 text-sm text-danger">{words.composer.tooLong(over)}</p>}
      <div className="flex justify-end gap-2">
        <Button onClick={onCancel}>{words.message.cancel}</Button>
        <Button kind="primary" type="submit" disabled={!ready}>
          {words.message.editSend}
        </Button>
      </div>
    </form>
  );
}
