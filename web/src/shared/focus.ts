/** Move the focus once what is to have it has been rendered. */
export function focusSoon(find: () => HTMLElement | null | undefined): void {
  requestAnimationFrame(() => find()?.focus());
}

/**
 * Give the focus to the message field when the button that had it is about to go. Not on a touch screen, where that
 * would bring up the keyboard, and nobody misses the focus.
 */
export function focusComposer(): void {
  if (!matchMedia("(pointer: coarse)").matches) focusSoon(() => document.getElementById("composer"));
}
