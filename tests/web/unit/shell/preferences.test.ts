import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { adoptPreferences } from "@/shell/preferences";

const boot = readFileSync(join(import.meta.dirname, "../../../../web/src/app/boot.js"), "utf8");

/** Run what stands in the page's head, for a browser of some language and system theme. */
function load(language: string, dark: boolean): Record<string, string | boolean | null> {
  vi.stubGlobal("navigator", { language });
  vi.stubGlobal("matchMedia", () => ({ matches: dark }));
  // eslint-disable-next-line @typescript-eslint/no-implied-eval -- it is a script, and this is how a page runs it
  new Function(boot)();
  const root = document.documentElement;
  return { lang: root.lang, theme: root.getAttribute("data-theme"), waits: root.hasAttribute("data-pending") };
}

beforeEach(() => localStorage.clear());
afterEach(() => {
  vi.unstubAllGlobals();
  for (const name of ["theme", "pending", "sidebar"]) document.documentElement.removeAttribute(`data-${name}`);
});

describe("before the first paint", () => {
  it("takes language and theme from the browser", () => {
    expect(load("ja-JP", true)).toEqual({ lang: "ja", theme: "dark", waits: true });
  });

  it("does not let English wait, nor those whose language it does not speak", () => {
    expect(load("en-GB", false)).toEqual({ lang: "en", theme: "light", waits: false });
    expect(load("fr", false)).toEqual({ lang: "en", theme: "light", waits: false });
  });

  it("takes what the person chose instead", () => {
    localStorage.setItem("nanoka.language", "en");
    localStorage.setItem("nanoka.theme", "light");
    localStorage.setItem("nanoka.sidebar", "closed");
    expect(load("ja-JP", true)).toEqual({ lang: "en", theme: "light", waits: false });
    expect(document.documentElement.dataset.sidebar).toBe("closed");
  });

  it("goes on without storage", () => {
    vi.stubGlobal("localStorage", {
      getItem: () => {
        throw new DOMException("denied", "SecurityError");
      },
    });
    expect(load("ja", false)).toEqual({ lang: "ja", theme: "light", waits: true });
  });
});

it("colours the browser's own bars as the person chose, whatever the system does", () => {
  document.head.innerHTML = '<meta name="theme-color" media="(prefers-color-scheme: light)" content="#faf9f6">';
  vi.stubGlobal("matchMedia", () => ({ matches: false, addEventListener: () => undefined }));
  localStorage.setItem("nanoka.theme", "dark");
  adoptPreferences();
  expect(document.querySelector("meta")?.content).toBe("#161817");
});
