import { useWords } from "@/i18n";
import { isLastDay, momentText } from "@/i18n/dates";
import { ClockIcon } from "@/shared/icons";
import { useStore } from "@/shared/store";
import { useNow } from "@/shared/use-now";
import { language } from "@/shell/preferences";

/** On a conversation's last day: when it goes, and how to keep it. */
export function ExpiryNote({ expiresAt }: { expiresAt: string | null }) {
  const words = useWords();
  const now = useNow();
  const inLanguage = useStore(language);
  if (expiresAt === null || now === 0 || !isLastDay(expiresAt, now)) return null;
  return (
    <p className="mt-4 flex items-start gap-2 rounded-xl bg-warn px-4 py-3 text-sm leading-6 text-pretty text-warn-ink">
      <span className="mt-0.5">
        <ClockIcon />
      </span>
      {words.expiry.lastDay(momentText(expiresAt, inLanguage, words))}
    </p>
  );
}
