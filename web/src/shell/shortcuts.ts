import { useEffect } from "react";
import { sessionOf } from "@/conversation/sessions";
import { focusSoon } from "@/shared/focus";
import { isConverting } from "@/shared/keyboard";
import { undoRemoval } from "@/sidebar/removal";
import { drawer, isOpen, setSidebar } from "@/sidebar/visibility";
import { goTo, place } from "./location";
import { sheet } from "./sheets";

function inText(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    target.matches("textarea, input:not([type=radio], [type=checkbox]), [contenteditable]")
  );
}

function focus(id: string): void {
  focusSoon(() => document.getElementById(id));
}

/** Stop what is being written in the conversation that is shown; false if nothing is. */
function stopAnswer(): boolean {
  const here = place.get();
  const session = here ? sessionOf(here) : null;
  if (!session || session.state.get().phase === "idle") return false;
  void session.stop().catch(() => undefined);
  return true;
}

/** Do what a key stands for anywhere on the page; false leaves it to the browser. */
function act(event: KeyboardEvent): boolean {
  const command = event.metaKey || event.ctrlKey;
  const key = event.key.toLowerCase();
  if (command && !event.altKey) {
    if (key === "k" && !event.shiftKey) {
      if (!isOpen()) setSidebar(true);
      focus("search");
    } else if (key === "o" && event.shiftKey) {
      goTo(null);
      focus("composer");
    } else if (key === "b" && !event.shiftKey) setSidebar(!isOpen());
    else return key === "z" && !event.shiftKey && !inText(event.target) && undoRemoval();
    return true;
  }
  if (event.key === "Escape") {
    if (event.shiftKey) focus("composer");
    else if (drawer.get()) drawer.set(false);
    else return stopAnswer();
    return true;
  }
  if (inText(event.target) || command || event.altKey) return false;
  if (event.key === "?") sheet.set("shortcuts");
  else if (event.key === "/") focus("composer");
  else return false;
  return true;
}

export function useShortcuts(): void {
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent): void => {
      // An open dialog or menu has its own keys, and an input method has all of them.
      if (event.defaultPrevented || isConverting(event) || sheet.get() !== null) return;
      if (act(event)) event.preventDefault();
    };
    addEventListener("keydown", onKeyDown);
    return () => removeEventListener("keydown", onKeyDown);
  }, []);
}
