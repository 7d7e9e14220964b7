import { useWords } from "@/i18n";
import { focusSoon } from "@/shared/focus";
import { IconButton } from "@/shared/icon-button";
import { LeftIcon, RightIcon } from "@/shared/icons";
import type { Message } from "./tree";

/** Walk between the versions of a message that was edited, or of an answer that was asked for again. */
export function Versions({
  of,
  all,
  onChoose,
}: {
  of: Message;
  all: readonly Message[];
  onChoose: (one: Message) => void;
}) {
  const words = useWords();
  const at = all.indexOf(of);
  const go = (to: number): void => {
    const version = all[to];
    if (!version) return;
    onChoose(version);
    // The buttons of this version go with it; those of the other one take the focus.
    focusSoon(() => {
      const buttons = document
        .getElementById(`versions-${version.id}`)
        ?.querySelectorAll<HTMLElement>("button:enabled");
      return to < at ? buttons?.[0] : buttons?.[buttons.length - 1];
    });
  };
  return (
    <div
      id={`versions-${of.id}`}
      role="group"
      aria-label={words.message.version(at + 1, all.length)}
      className="flex items-center text-sm text-soft"
    >
      <IconButton label={words.message.previous} disabled={at <= 0} onClick={() => go(at - 1)}>
        <LeftIcon size={16} />
      </IconButton>
      <span aria-hidden="true" className="tabular-nums">
        {at + 1}/{all.length}
      </span>
      <IconButton label={words.message.next} disabled={at >= all.length - 1} onClick={() => go(at + 1)}>
        <RightIcon size={16} />
      </IconButton>
    </div>
  );
}
