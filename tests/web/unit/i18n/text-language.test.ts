import { expect, it } from "vitest";
import { textLanguage } from "@/i18n/text-language";

it.each([
  ["これはペンです。", "en", "ja"],
  ["これはペンです。", "ja", "ja"],
  ["안녕하세요", "en", "ko"],
  ["A pen.", "en", undefined],
  ["A pen.", "ja", ""],
  ["你好", "en", ""],
  ["日本語", "ja", undefined], // Japanese as well as Chinese
  ["42", "ja", undefined],
] as const)("says of %s on a page in %s: %s", (text, page, language) => {
  expect(textLanguage(text, page)).toBe(language);
});
