import { useEffect, useRef } from "react";
import { useWords } from "@/i18n";
import { speak } from "@/shell/announcer";
import type { Conversation } from "./model";

/**
 * Tell listeners, in sentences, that an answer began and how it ended, also one that ended before its first word. Its
 * words are read when they want to; why something was refused is an alert of its own (`Refusal`).
 */
export function useSpokenAnswer({ id, phase, messages, leaf, unsent, problem }: Conversation): void {
  const words = useWords();
  const last = useRef({ id, phase, problem, waiting: unsent.length });
  const began = useRef(false);
  const status = messages.find((message) => message.id === leaf)?.status;
  const waiting = unsent.length;

  useEffect(() => {
    const before = last.current;
    last.current = { id, phase, problem, waiting };
    if (before.id !== id) began.current = false;
    if (before.id !== id || before.phase === phase) return;
    if (phase === "writing" && !began.current) {
      began.current = true;
      speak(words.spoken.began);
    }
    if (phase === "waking" || phase === "reconnecting") speak(words.phase[phase]);
    if (phase !== "idle") return;
    began.current = false;
    if (waiting > before.waiting) speak(words.spoken.unsent);
    else if (problem !== null && problem !== before.problem) return;
    else if (status === "complete" || status === "stopped" || status === "failed") speak(words.spoken[status]);
    else if (status === "cut" || status === "interrupted") speak(words.spoken.cut);
  }, [id, phase, problem, waiting, status, words]);
}
