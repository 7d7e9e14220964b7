import { useEffect, useRef } from "react";
import { useWords } from "@/i18n";
import { focusComposer } from "@/shared/focus";
import { IconButton } from "@/shared/icon-button";
import { CloseIcon } from "@/shared/icons";
import { useStore } from "@/shared/store";
import { dismiss, type Notice, notices } from "./notices";

const SHOWN_MS = 6000;

export function NoticeList() {
  const words = useWords();
  return (
    <div
      role="status"
      aria-label={words.problem.notices}
      className="pointer-events-none fixed inset-x-0 top-3 z-40 mt-[env(safe-area-inset-top)] flex flex-col items-center gap-2 px-4"
    >
      {useStore(notices).map((notice) => (
        <NoticeView key={notice.id} notice={notice} />
      ))}
    </div>
  );
}

/** One with an action is taken away by whoever offered it; any other goes by itself, unless somebody is on it. */
function NoticeView({ notice: { id, text, action } }: { notice: Notice }) {
  const words = useWords();
  const box = useRef<HTMLDivElement>(null);

  const close = (): void => {
    dismiss(id);
    focusComposer();
  };

  useEffect(() => {
    if (action) return;
    const timer = setInterval(() => {
      if (!box.current?.matches(":hover, :focus-within")) dismiss(id);
    }, SHOWN_MS);
    return () => clearInterval(timer);
  }, [id, action]);

  return (
    <div
      ref={box}
      className="pointer-events-auto flex max-w-full animate-rise items-center gap-2 rounded-xl bg-ink py-1.5 pr-1.5 pl-4 text-sm text-paper shadow-lg"
    >
      <p className="min-w-0 truncate py-1.5">{text}</p>
      {action && (
        <button
          type="button"
          onClick={action.run}
          className="min-h-9 shrink-0 rounded-lg px-3 font-medium underline underline-offset-4 hover:bg-paper/15 pointer-coarse:min-h-11"
        >
          {action.label}
        </button>
      )}
      {!action && (
        <IconButton label={words.problem.dismiss} className="text-paper! hover:bg-paper/15!" onClick={close}>
          <CloseIcon size={16} />
        </IconButton>
      )}
    </div>
  );
}
