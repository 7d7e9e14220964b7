import { read, write } from "@/shared/storage";
import { createStore } from "@/shared/store";

export const LANGUAGES = ["en", "ja"] as const;
export type Language = (typeof LANGUAGES)[number];

export const THEMES = ["system", "light", "dark"] as const;
export type Theme = (typeof THEMES)[number];

/** The pages are exported in English; `app/boot.js` has put the person's own choices on <html> before they show. */
export const language = createStore<Language>("en");
export const theme = createStore<Theme>("system");

const darkSystem = "(prefers-color-scheme: dark)";

/** Take over what `boot.js` found, and follow the system's theme and the other tabs from then on. */
export function adoptPreferences(): void {
  language.set(document.documentElement.lang === "ja" ? "ja" : "en");
  const kept = read("theme");
  theme.set(THEMES.find((one) => one === kept) ?? "system");
  showTheme(); // the browser's own bars follow the system's until then
  matchMedia(darkSystem).addEventListener("change", showTheme);
  addEventListener("storage", ({ key, newValue }) => {
    if (key === "nanoka.theme") chooseTheme(THEMES.find((one) => one === newValue) ?? "system");
    if (key === "nanoka.language") chooseLanguage(newValue === "ja" ? "ja" : "en");
  });
}

export function chooseLanguage(next: Language): void {
  write("language", next);
  document.documentElement.lang = next;
  language.set(next);
}

export function chooseTheme(next: Theme): void {
  write("theme", next === "system" ? null : next);
  theme.set(next);
  showTheme();
}

function showTheme(): void {
  const chosen = theme.get();
  const dark = chosen === "dark" || (chosen === "system" && matchMedia(darkSystem).matches);
  document.documentElement.dataset.theme = dark ? "dark" : "light";
  for (const meta of document.querySelectorAll('meta[name="theme-color"]')) {
    meta.setAttribute("content", dark ? "#161817" : "#faf9f6");
  }
}
