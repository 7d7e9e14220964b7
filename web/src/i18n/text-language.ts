import type { Language } from "@/shell/preferences";

/**
 * The language of what a person or a model wrote, for line breaking, glyphs and voice, as far as its script gives it
 * away; "" (unknown) where it is not the page's; undefined where it may be.
 */
export function textLanguage(text: string, page: Language): string | undefined {
  const beginning = text.slice(0, 1000);
  if (/[\p{sc=Hiragana}\p{sc=Katakana}]/u.test(beginning)) return "ja";
  if (/\p{sc=Hangul}/u.test(beginning)) return "ko";
  const foreign = page === "ja" ? /^\P{sc=Han}*$/u : /\p{sc=Han}/u;
  return foreign.test(beginning) && /\p{L}/u.test(beginning) ? "" : undefined;
}
