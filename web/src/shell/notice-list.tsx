import { useEffect, useLayoutEffect, useRef, useState } from "react";
import { useWords } from "@/i18n";
import { focusComposer } from "@/shared/focus";
import { IconButton } from "@/shared/icon-button";
import { CloseIcon } from "@/shared/icons";
import { useStore } from "@/shared/store";
import { dismiss, type Notice, notices } from "./notices";

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

/** Goes by itself; its time begins anew when somebody who was on it, by pointer or keyboard, has left it. */
function NoticeView({ notice: { id, text, action, time, onEnd } }: { notice: Notice }) {
  const words = useWords();
  const box = useRef<HTMLDivElement>(null);
  const [hovered, setHovered] = useState(false);
  const [focused, setFocused] = useState(false);
  const held = hovered || focused;

  useEffect(() => {
    if (held) return;
    const timer = setTimeout(() => {
      dismiss(id);
      onEnd?.();
    }, time);
    return () => clearTimeout(timer);
  }, [held, id, time, onEnd]);

  useLayoutEffect(() => {
    const element = box.current;
    return () => {
      if (!element?.contains(document.activeElement)) return;
      // Unless its own action has led the focus somewhere by then.
      requestAnimationFrame(() => {
        if (document.activeElement === document.body) focusComposer();
      });
    };
  }, []);

  return (
    <div
      ref={box}
      role="presentation" // what happens in it is heard, not done
      onPointerEnter={() => setHovered(true)}
      onPointerLeave={() => setHovered(false)}
      onFocus={() => setFocused(true)}
      onBlur={() => setFocused(false)}
      className="pointer-events-auto flex max-w-2xl animate-rise items-center gap-2 rounded-xl bg-ink py-1.5 pr-1.5 pl-4 text-sm text-paper shadow-lg"
    >
      <p className="my-1.5 line-clamp-3 min-w-0 leading-5 wrap-anywhere">{text}</p>
      {action ? (
        <button
          type="button"
          onClick={action.run}
          aria-keyshortcuts={action.shortcut}
          className="min-h-9 shrink-0 rounded-lg px-3 font-medium underline underline-offset-4 hover:bg-paper/15 pointer-coarse:min-h-11"
        >
          {action.label}
        </button>
      ) : (
        <IconButton
          label={words.problem.dismiss}
          className="text-paper! hover:bg-paper/15!"
          onClick={() => dismiss(id)}
        >
          <CloseIcon size={16} />
        </IconButton>
      )}
    </div>
  );
}
