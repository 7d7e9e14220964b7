import type { KeyboardEvent as ReactKeyboardEvent } from "react";

/**
 * Whether a key belongs to an input method (a Japanese, Chinese or Korean conversion) and not to us.
 *
 * Chromium and Firefox send `keydown` before `compositionend`, with `isComposing` set. Safari sends it after
 * `compositionend`, with `isComposing` already false: there only keyCode 229 (UI Events, section 7.3.1) tells.
 */
export function isConverting(event: KeyboardEvent | ReactKeyboardEvent): boolean {
  const native = "nativeEvent" in event ? event.nativeEvent : event;
  // eslint-disable-next-line @typescript-eslint/no-deprecated -- nothing else tells in Safari
  return native.isComposing || native.keyCode === 229;
}

/** A plain Enter that means "do it": no Shift, no conversion. */
export function isSubmit(event: ReactKeyboardEvent): boolean {
  return event.key === "Enter" && !event.shiftKey && !event.altKey && !isConverting(event);
}

/** Escape that means "leave it": not the one that cancels a conversion. */
export function isCancel(event: ReactKeyboardEvent): boolean {
  return event.key === "Escape" && !isConverting(event);
}
