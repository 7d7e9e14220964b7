"""Measure everything that has a budget: `python -m tests.bench [PART …]`.

Writes the table to `bench/table.md` and a plot of it to `bench/plot.png`, and prints it. With `--readme` it also puts
the table, with a word about the machine, between the README's markers. Parts measured earlier are kept in
`bench/parts/`, so that one of them can be measured anew alone.
"""

from __future__ import annotations

import argparse
import dataclasses
import datetime as dt
import importlib
import json
import os
import platform
import sys
import time
from pathlib import Path

from tests.bench.plot import plot
from tests.bench.rows import Row, table

ROOT = Path(__file__).parents[2]
OUT = ROOT / "bench"
PARTS = ("cold_start", "first_token", "queue_proxy", "streams", "memory", "history", "purge", "web", "cluster")
BEGIN, END = "<!-- bench -->", "<!-- /bench -->"


def machine() -> str:
    """What the figures were taken on, in one sentence."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{dt.datetime.now(dt.UTC):%Y-%m-%d}, {os.cpu_count()} cores of {platform.machine()}, "
        f"{memory:.0f} GiB, {platform.system()}, Python {platform.python_version()}; "
        f"load {os.getloadavg()[0]:.1f} when the first part began."
    )


def measure(part: str) -> list[Row]:
    """One part's rows, taken now and kept for later tables."""
    started = time.monotonic()
    print(f"… {part}", flush=True)
    rows: list[Row] = importlib.import_module(f"tests.bench.{part}").rows()
    (OUT / "parts").mkdir(parents=True, exist_ok=True)
    (OUT / "parts" / f"{part}.json").write_text(json.dumps([dataclasses.asdict(row) for row in rows], indent=1))
    print(f"… {part}: {time.monotonic() - started:.0f} s\n{table(rows)}", flush=True)
    return rows


def kept(part: str) -> list[Row]:
    """A part's rows as they were last measured, none if they never were."""
    file = OUT / "parts" / f"{part}.json"
    return [Row(**row) for row in json.loads(file.read_text())] if file.exists() else []


def into_readme(text: str) -> None:
    readme = ROOT / "README.md"
    head, _, rest = readme.read_text().partition(BEGIN)
    tail = rest.partition(END)[2]
    readme.write_text(f"{head}{BEGIN}\n{text}{END}{tail}")


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench", description="Measure everything that has a budget.")
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"{', '.join(PARTS)}; all of them unless given")
    parser.add_argument("--readme", action="store_true", help="put the table into the README")
    arguments = parser.parse_args()
    if unknown := set(arguments.parts) - set(PARTS):
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    where = machine()
    wanted = arguments.parts or PARTS
    rows = [row for part in PARTS for row in (measure(part) if part in wanted else kept(part))]
    text = f"Measured on {where}\n\n{table(rows)}"
    OUT.mkdir(exist_ok=True)
    (OUT / "table.md").write_text(text)
    plot(rows, OUT / "plot.png")
    if arguments.readme:
        into_readme(text)
    print(text)
    missed = [row.name for row in rows if row.kept is False]
    sys.exit(f"budgets missed: {'; '.join(missed)}" if missed else 0)


if __name__ == "__main__":
    main()
