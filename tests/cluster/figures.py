"""What was measured in a run, as a table."""

import dataclasses
import statistics
from collections.abc import Sequence


@dataclasses.dataclass
class Figures:
    """Rows of what, and how much, in the order in which they were measured."""

    rows: list[tuple[str, str]] = dataclasses.field(default_factory=list)

    def add(self, what: str, value: str) -> None:
        self.rows.append((what, value))

    def seconds(self, what: str, samples: Sequence[float]) -> None:
        """The median of some seconds and their range."""
        middle = statistics.median(samples)
        self.add(what, f"{middle:.2f} s (median of {len(samples)}, {min(samples):.2f} to {max(samples):.2f})")

    def milliseconds(self, what: str, samples: Sequence[float]) -> None:
        """Median and 99th percentile of some seconds, in milliseconds."""
        ordered = sorted(samples)
        last = ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]
        self.add(what, f"p50 {statistics.median(ordered) * 1000:.1f} ms, p99 {last * 1000:.1f} ms (of {len(ordered)})")

    def markdown(self) -> str:
        return "\n".join(["| what | seen |", "| --- | --- |", *(f"| {what} | {value} |" for what, value in self.rows)])
