import { expect, it } from "vitest";
import { Problem } from "@/api/client";
import { problemText } from "@/conversation/refusal";
import { en } from "@/i18n/en";
import { ja } from "@/i18n/ja";

/** Every string of a dictionary by its path; a function is called with numbers, which every one of them takes. */
function strings(value: unknown, path = ""): Map<string, string> {
  if (typeof value === "string") return new Map([[path, value]]);
  if (typeof value === "function") return new Map([[path, String((value as (...n: number[]) => string)(2, 3))]]);
  const entries = Object.entries(value as object).flatMap(([key, inner]) => [...strings(inner, `${path}.${key}`)]);
  return new Map(entries);
}

it("says everything in both languages", () => {
  const english = strings(en);
  const japanese = strings(ja);
  expect([...japanese.keys()]).toEqual([...english.keys()]);
  const same = [...english].filter(([path, text]) => text !== "" && japanese.get(path) === text).map(([path]) => path);
  expect(same).toEqual([".name", ".conversation.model"]);
});

it.each([en, ja])("says in two sentences what this is and what happens to one's words", ({ signIn }) => {
  expect(signIn.what.match(/[.。]/g)).toHaveLength(2);
});

it.each([0, 400, 403, 404, 409, 413, 422, 500, 503])("says in both languages why a question was refused: %d", (status) => {
  const problem = new Problem(status, "The API's own words.");
  expect(problemText(problem, ja)).toMatch(/[ぁ-ん]/);
  for (const words of [en, ja]) expect(problemText(problem, words)).not.toContain(problem.detail);
});
