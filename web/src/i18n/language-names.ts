import { useStore } from "@/shared/store";
import { language } from "@/shell/preferences";

/** Languages by their names in the page's language ("English and Japanese"), from their codes; null for none. */
export function useLanguageNames(codes: readonly string[] | undefined): string | null {
  const inLanguage = useStore(language);
  if (!codes || codes.length === 0) return null;
  const names = new Intl.DisplayNames(inLanguage, { type: "language" });
  return new Intl.ListFormat(inLanguage, { type: "conjunction" }).format(codes.map((code) => names.of(code) ?? code));
}
