import { useWords } from "@/i18n";
import { expiryText, remaining } from "@/i18n/dates";
import { IconButton } from "@/shared/icon-button";
import { PlusIcon } from "@/shared/icons";
import { Mark } from "@/shared/mark";
import { useNow } from "@/shared/use-now";
import { OpenSidebar } from "@/sidebar/visibility";
import { goTo } from "@/shell/location";

/** What is talked about, and how long that still lives. */
export function Header({ title, expiresAt }: { title: string | null; expiresAt: string | null }) {
  const words = useWords();
  const now = useNow();
  return (
    <header className="flex h-14 shrink-0 items-center gap-2 px-2 sm:px-3">
      <OpenSidebar />
      <div className="flex min-w-0 flex-1 items-center gap-3 md:pl-2">
        {title !== null && (
          <h1 className="truncate text-[0.9375rem] font-medium">{title || words.conversation.untitled}</h1>
        )}
        {expiresAt !== null && now > 0 && (
          <p className="flex shrink-0 items-center gap-1.5 text-xs text-soft">
            <Mark size={16} left={Math.max(1, remaining(expiresAt, now).days)} />
            <span className="max-sm:sr-only">{expiryText(expiresAt, now, words)}</span>
          </p>
        )}
      </div>
      <IconButton label={words.sidebar.newConversation} className="opens-sidebar" onClick={() => goTo(null)}>
        <PlusIcon />
      </IconButton>
    </header>
  );
}
