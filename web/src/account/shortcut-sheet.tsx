import { useWords } from "@/i18n";
import { Dialog } from "@/shared/dialog";

/** Every keyboard shortcut of the page. */
export function ShortcutSheet({ onClose }: { onClose: () => void }) {
  const words = useWords();
  const command = /Mac|iPhone|iPad/.test(navigator.userAgent) ? "⌘" : "Ctrl";
  const all: [string, string[][]][] = [
    [words.shortcuts.send, [["Enter"]]],
    [words.shortcuts.line, [["Shift", "Enter"]]],
    [words.shortcuts.editLast, [["↑"]]],
    [words.shortcuts.stop, [["Esc"]]],
    [words.shortcuts.focus, [["/"], ["Shift", "Esc"]]],
    [words.shortcuts.search, [[command, "K"]]],
    [words.shortcuts.newConversation, [[command, "Shift", "O"]]],
    [words.shortcuts.sidebar, [[command, "B"]]],
    [words.shortcuts.undo, [[command, "Z"]]],
    [words.shortcuts.sheet, [["?"]]],
  ];
  return (
    <Dialog title={words.shortcuts.title} onClose={onClose}>
      <dl className="mt-4 divide-y divide-line text-sm">
        {all.map(([name, ways]) => (
          <div key={name} className="flex items-center justify-between gap-4 py-2.5">
            <dt>{name}</dt>
            <dd className="flex shrink-0 items-center gap-2">
              {ways.map((keys, at) => (
                <span key={keys.join()} className="flex items-center gap-1">
                  {at > 0 && <span className="pr-1 text-soft">{words.shortcuts.or}</span>}
                  {keys.map((key) => (
                    <kbd key={key} className="rounded-md border border-line bg-sunken px-1.5 py-0.5 font-sans text-xs">
                      {key}
                    </kbd>
                  ))}
                </span>
              ))}
            </dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}
