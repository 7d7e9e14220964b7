import { describe, expect, it } from "vitest";
import { highlight, pieces } from "@/markdown/highlight";
import { knownLanguage, loadLanguage } from "@/markdown/languages";

describe("highlight", () => {
  it("gives the code back unchanged, in coloured runs", async () => {
    const code = 'const a = "<b>&amp;\'</b>"; // `x`\n';
    const highlighter = await loadLanguage("typescript");
    if (!highlighter) throw new Error("typescript was not loaded");
    const runs = highlight(highlighter, "typescript", code);
    expect(runs.map(({ text }) => text).join("")).toBe(code);
    expect(runs).toContainEqual({ text: "const", scope: "hljs-keyword" });
  });

  it.each(["py", "HTML", "c++", "markdown", "tsx"])("knows %s", async (name) => {
    const language = knownLanguage(name);
    expect(language).toBeDefined();
    expect((await loadLanguage(language ?? ""))?.getLanguage(language ?? "")).toBeDefined();
  });

  it("does not know what is not a language", () => {
    expect(["", "nothing", "constructor", "__proto__"].map(knownLanguage)).toEqual(Array(4).fill(undefined));
  });
});

describe("pieces", () => {
  it("are the code, cut only where a line begins at the margin, and stay while it grows", () => {
    const code = "def f():\n    x = 1\n\n    y = 2\n\n\n".repeat(1000);
    const cut = pieces(code);
    expect(cut.join("")).toBe(code);
    expect(cut.length).toBeGreaterThan(5);
    expect(cut.every((piece) => piece.startsWith("def f"))).toBe(true);
    expect(pieces(code + "more").slice(0, cut.length - 1)).toEqual(cut.slice(0, -1));
  });
});
