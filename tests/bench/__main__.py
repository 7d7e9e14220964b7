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
from typing import Any

from tests.bench.plot import plot
from tests.bench.rows import Row, table

ROOT = Path(__file__).parents[2]
OUT = ROOT / "bench"
PARTS = (
    "cold_start", "first_token", "queue_proxy", "streams", "memory", "history", "purge", "web", "start", "cluster",
)  # fmt: skip
BEGIN, END = "<!-- bench -->", "<!-- /bench -->"


def machine() -> str:
    """What figures are taken on, and when."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{dt.datetime.now(dt.UTC):%Y-%m-%d}, {os.cpu_count()} cores of {platform.machine()}, "
        f"{memory:.0f} GiB, {platform.system()}, Python {platform.python_version()}"
    )


def measure(part: str) -> None:
    """Take one part's rows, print them, and keep them for the table."""
    started, where, load = time.monotonic(), machine(), os.getloadavg()[0]
    print(f"… {part}", flush=True)
    rows: list[Row] = importlib.import_module(f"tests.bench.{part}").rows()
    (OUT / "parts").mkdir(parents=True, exist_ok=True)
    measured = {"where": where, "load": load, "rows": [dataclasses.asdict(row) for row in rows]}
    (OUT / "parts" / f"{part}.json").write_text(json.dumps(measured, indent=1))
    print(f"… {part}: {time.monotonic() - started:.0f} s\n{table(rows)}", flush=True)


def kept(part: str) -> dict[str, Any]:
    """A part as it was last measured: `where`, at which `load`, and its `rows`; without rows if it never was."""
    file = OUT / "parts" / f"{part}.json"
    return json.loads(file.read_text()) if file.exists() else {"rows": []}


def origins(parts: dict[str, dict[str, Any]]) -> str:
    """What the figures were taken on: one line, or one for each machine and day if parts were not taken together."""
    found: dict[str, dict[str, float]] = {}
    for name, part in parts.items():
        found.setdefault(part["where"], {})[name] = part["load"]
    return "\n".join(
        f"Measured on {where}; load {min(loads.values()):.1f} to {max(loads.values()):.1f} when its parts began"
        + (f" ({', '.join(loads)})." if len(found) > 1 else ".")
        for where, loads in found.items()
    )


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
    for part in arguments.parts or PARTS:
        measure(part)
    found = {part: found for part in PARTS if (found := kept(part))["rows"]}
    rows = [Row(**row) for part in found.values() for row in part["rows"]]
    text = f"{origins(found)}\n\n{table(rows)}"
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
