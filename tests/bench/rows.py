"""A figure, its budget, and the table that they make."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One line of the table.

    Attributes:
        name: what was measured.
        value: as text with its unit, minimum and median where it was repeated.
        budget: what was promised, as text.
        kept: whether the budget was kept; None where there is none.
        ratio: the value against its reference, taken in the same run, or against its budget; None without one.
    """

    name: str
    value: str
    budget: str = ""
    kept: bool | None = None
    ratio: float | None = None


def spread(samples: Sequence[float], unit: str) -> str:
    """Minimum and median of repeated runs, as the table shows them."""
    return f"min {min(samples):.3g}, median {statistics.median(samples):.3g} {unit}"


def percentile(samples: Sequence[float], share: float) -> float:
    """The smallest sample that `share` (0–1) of all do not exceed (nearest rank)."""
    ordered = sorted(samples)
    return ordered[max(0, -(-round(share * 1_000_000) * len(ordered) // 1_000_000) - 1)]


def table(rows: Sequence[Row]) -> str:
    """The rows as a Markdown table."""
    lines = ["| what | measured | ratio | budget | kept |", "| --- | --- | --- | --- | --- |"]
    for row in rows:
        ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
        kept = {True: "yes", False: "**no**", None: ""}[row.kept]
        lines.append(f"| {row.name} | {row.value} | {ratio} | {row.budget} | {kept} |")
    return "\n".join(lines) + "\n"
