import { type Language, language } from "@/shell/preferences";
import { useStore } from "@/shared/store";
import { type Dictionary, en } from "./en";
import { ja } from "./ja";

const dictionaries: Record<Language, Dictionary> = { en, ja };

export type { Dictionary };

/** The words of the page in the person's language. */
export function useWords(): Dictionary {
  return dictionaries[useStore(language)];
}

/** The same, for what happens outside rendering. */
export function words(): Dictionary {
  return dictionaries[language.get()];
}
