import { useEffect, useState } from "react";
import { useWords } from "@/i18n";
import { IconButton } from "@/shared/icon-button";
import { CheckIcon, CopyIcon } from "@/shared/icons";
import { speak } from "@/shell/announcer";
import { notify } from "@/shell/notices";

export function CopyButton({ text }: { text: string }) {
  const words = useWords();
  const [copied, setCopied] = useState(false);

  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => setCopied(false), 2000);
    return () => clearTimeout(timer);
  }, [copied]);

  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(text);
      setCopied(true);
      speak(words.message.copied);
    } catch {
      notify(words.message.copyFailed);
    }
  };

  return (
    <IconButton label={words.message.copy} onClick={() => void copy()}>
      {copied ? <CheckIcon size={16} /> : <CopyIcon size={16} />}
    </IconButton>
  );
}
