import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { failureInJapanese } from "@/i18n/failures";

const FUNCTIONS = join(import.meta.dirname, "../../../../functions/nanoka");

/** Every sentence for people in the modules that say why an answer ended. */
function sentences(): string[] {
  const found: string[] = [];
  for (const file of ["failures.py", "liveness.py", "running.py", "readers.py"]) {
    const source = readFileSync(join(FUNCTIONS, file), "utf8");
    found.push(...[...source.matchAll(/(?<!")"((?:The|This) [^"{}]*\.)"(?!")/g)].map(([, sentence]) => sentence as string));
  }
  return found;
}

it("finds the sentences that the functions can say", () => {
  expect(sentences().length).toBeGreaterThan(12);
});

it.each(sentences())("says in Japanese: %s", (sentence) => {
  expect(failureInJapanese(sentence)).toMatch(/[ぁ-ん]/);
});

it("keeps the seconds that a busy model asks for", () => {
  expect(failureInJapanese("The model is answering too many people right now. Please try again in 7 seconds.")).toContain("7秒");
});

it("leaves a provider's own words alone", () => {
  expect(failureInJapanese("quota")).toBe("quota");
});
