import { useEffect, useRef } from "react";
import { useWords } from "@/i18n";
import { speak } from "@/shell/announcer";
import type { Conversation } from "./model";

/** Tell listeners, in sentences, that an answer began and how it ended. Its words are read when they want to. */
export function useSpokenAnswer({ phase, messages, leaf, unsent }: Conversation): void {
  const words = useWords();
  const began = useRef(false);
  const status = messages.find(({ id }) => id === leaf)?.status;

  useEffect(() => {
    if (phase === "writing" && !began.current) {
      began.current = true;
      speak(words.spoken.began);
    }
    if (phase === "waking" || phase === "reconnecting") speak(words.phase[phase]);
    if (phase !== "idle") return;
    if (unsent.length > 0) speak(words.spoken.unsent);
    if (!began.current) return;
    began.current = false;
    if (status === "complete" || status === "stopped" || status === "failed") speak(words.spoken[status]);
    else if (status === "cut" || status === "interrupted") speak(words.spoken.cut);
  }, [phase, status, unsent, words]);
}
