import type { Problem } from "@/api/client";
import { type Dictionary, useWords } from "@/i18n";

/** What a failed request means to a person, in their language: what the API says is English, and for programs. */
export function problemText(problem: Problem, words: Dictionary): string {
  if (problem.status === 0) return words.problem.offline;
  if (problem.status === 409) return words.problem.busy;
  if (problem.passing) return words.problem.unavailable;
  if (problem.status === 404) return words.problem.gone;
  return problem.status < 500 ? words.problem.refused : words.problem.failed;
}

export function Refusal({ problem }: { problem: Problem }) {
  return <p role="alert" className="py-2 text-right text-sm text-balance text-danger">{problemText(problem, useWords())}</p>;
}
