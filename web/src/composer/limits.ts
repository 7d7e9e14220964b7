/** Characters (Unicode code points) that a question may hold. */
export const LONGEST = 32_000;

/** How many characters a text has too many; 0 when it fits. */
export function excess(text: string): number {
  // A text of fewer UTF-16 units has no more code points: most texts are never counted.
  return text.length <= LONGEST ? 0 : Math.max(0, Array.from(text).length - LONGEST);
}
