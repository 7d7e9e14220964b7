import type { Problem } from "@/api/client";
import { type Dictionary, useWords } from "@/i18n";

/** What a failed request means to a person, in their language. */
export function problemText(problem: Problem, words: Dictionary): string {
  if (problem.status === 0) return words.problem.offline;
  if (problem.status === 409) return words.problem.busy;
  if (problem.passing) return words.problem.unavailable;
  return words.problem.other(problem.detail);
}

export function Refusal({ problem }: { problem: Problem }) {
  return <p className="py-2 text-right text-sm text-danger">{problemText(problem, useWords())}</p>;
}
