"""The table as a picture: each ratio as a bar, those over their budget in another colour."""

from __future__ import annotations

from typing import TYPE_CHECKING

import matplotlib as mpl

mpl.use("Agg")  # a file, no window

import matplotlib.pyplot as plt

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.bench.rows import Row


def plot(rows: Sequence[Row], file: Path) -> None:
    """Write the rows that have a ratio as a bar chart (PNG)."""
    shown = [row for row in rows if row.ratio is not None][::-1]
    figure, axes = plt.subplots(figsize=(10, 1 + 0.35 * len(shown)), layout="constrained")
    colours = ["#b3541e" if row.kept is False else "#1f6f5c" for row in shown]
    bars = axes.barh([row.name for row in shown], [row.ratio or 0.0 for row in shown], color=colours)
    axes.bar_label(bars, labels=[f" {row.ratio:.2f}  ({row.budget})" for row in shown], fontsize=8)
    axes.set_xlabel("ratio, as the table gives it")
    axes.margins(x=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(file, dpi=120)
    plt.close(figure)
