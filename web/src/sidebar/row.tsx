import { memo, type MouseEvent, useRef, useState } from "react";
import { exportAddress, renameConversation } from "@/api/conversations";
import type { ConversationSummary } from "@/api/types";
import { useWords } from "@/i18n";
import { expiryText, isLastDay } from "@/i18n/dates";
import { classes } from "@/shared/classes";
import { focusSoon } from "@/shared/focus";
import { ClockIcon, MoreIcon } from "@/shared/icons";
import { MenuButton } from "@/shared/menu-button";
import { announce } from "@/shared/signals";
import { addressOf, goTo } from "@/shell/location";
import { notify } from "@/shell/notices";
import { removeConversation } from "./removal";
import { RenameField } from "./rename-field";
import { drawer } from "./visibility";

interface Props {
  conversation: ConversationSummary;
  current: boolean;
  now: number;
}

/** One conversation: go there, and what else can be done with it. */
export const Row = memo(function Row({ conversation: { id, title, expires_at }, current, now }: Props) {
  const words = useWords();
  const [renaming, setRenaming] = useState(false);
  const link = useRef<HTMLAnchorElement>(null);
  const shownTitle = title || words.conversation.untitled;
  const expiry = now > 0 ? expiryText(expires_at, now, words) : "";
  const lastDay = now > 0 && isLastDay(expires_at, now);

  const open = (event: MouseEvent): void => {
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.button !== 0) return; // a new tab or window is meant
    event.preventDefault();
    drawer.set(false);
    goTo(id);
  };

  const rename = (next: string | null, byKey: boolean): void => {
    setRenaming(false);
    if (byKey) focusSoon(() => link.current);
    if (next === null) return;
    announce({ type: "titled", id, title: next });
    renameConversation(id, next).catch(() => {
      announce({ type: "titled", id, title });
      notify(words.sidebar.renameFailed);
    });
  };

  const remove = (): void => {
    const row = link.current?.closest("li");
    const neighbour = (row?.nextElementSibling ?? row?.previousElementSibling)?.querySelector("a");
    removeConversation(id, shownTitle);
    focusSoon(() => neighbour ?? document.getElementById("new-conversation"));
  };

  if (renaming) {
    return (
      <li>
        <RenameField title={title} onDone={rename} />
      </li>
    );
  }
  return (
    <li className={classes("group relative flex items-center rounded-lg", current ? "bg-hover" : "hover:bg-hover")}>
      <a
        ref={link}
        href={addressOf(id)}
        onClick={open}
        aria-current={current ? "page" : undefined}
        className="flex min-h-9 min-w-0 flex-1 items-center gap-1.5 rounded-lg py-1.5 pr-10 pl-2.5 text-sm pointer-coarse:min-h-11"
      >
        <span className="truncate">{shownTitle}</span>
        {lastDay && (
          <span className="text-warn-ink">
            <ClockIcon size={14} />
          </span>
        )}
        <span className="sr-only">{expiry}</span>
      </a>
      <span className="absolute right-0.5 opacity-0 group-focus-within:opacity-100 group-hover:opacity-100 has-aria-expanded:opacity-100 pointer-coarse:opacity-100">
        <MenuButton
          label={words.sidebar.menu(shownTitle)}
          className="inline-flex size-8 items-center justify-center rounded-md text-soft hover:text-ink pointer-coarse:size-11"
          items={[
            { label: words.sidebar.rename, run: () => setRenaming(true) },
            { label: words.sidebar.exportMarkdown, href: exportAddress(id, "markdown") },
            { label: words.sidebar.exportJson, href: exportAddress(id, "json") },
            { label: words.sidebar.remove, danger: true, run: remove },
          ]}
          note={expiry}
        >
          <MoreIcon />
        </MenuButton>
      </span>
    </li>
  );
});
