"""On a genuine Knative: cold starts and where their time goes, what its parts add to a warm answer, memory, and how
long a release takes. Needs a cluster that runs: `nox -s cluster -- --keep` leaves one up."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING

from tests.bench.rows import Row, percentile
from tests.cluster import measure
from tests.cluster.person import signed_in
from tests.cluster.running import Running

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.cluster.measure import ColdStart

COLD, WARM, RELEASES = 7, 200, 3
FIRST_BYTE, FIRST_TOKEN = 1.5, 2.5
"""Times an empty function's cold start in the same run."""
P50, P99 = 6.0, 25.0
"""Milliseconds that ingress, activator and queue-proxy may add together."""
PARTS = ("activator", "scheduling", "sandbox", "imports", "answer")


def rows() -> list[Row]:
    """The figures of the cluster that runs on this machine; none, and a word about it, if there is none."""
    running = Running.find()
    if running is None:
        print("no cluster runs (`nox -s cluster -- --keep` raises one and leaves it up)", flush=True)
        return []
    with signed_in(running.door) as person:
        cold = measure.cold_starts(running, person, COLD)
        warm = measure.warm(running, person, WARM)
        used = measure.memory(running, person)
    released = [measure.roll_out(running) for _ in range(RELEASES)]
    return [
        *_cold(cold),
        *_warm(warm),
        *_memory(used),
        Row("from a commit to a rolled-out revision", _seconds(released)),
    ]


def _seconds(samples: Sequence[float]) -> str:
    return f"min {min(samples):.2f}, median {statistics.median(samples):.2f} s (of {len(samples)})"


def _cold(starts: Mapping[str, Sequence[ColdStart]]) -> list[Row]:
    totals = {name: [start.total for start in found] for name, found in starts.items()}
    base = statistics.median(totals["cold-empty"])
    found = [Row("from zero pods, an empty function: first byte", _seconds(totals["cold-empty"]), ratio=1.0)]
    for name, what, most in (
        ("cold-list", "the list: first byte", FIRST_BYTE),
        ("cold-send", "first token", FIRST_TOKEN),
    ):
        ratio = statistics.median(totals[name]) / base
        budget = f"≤ {most} × an empty function"
        found.append(Row(f"from zero pods, {what}", _seconds(totals[name]), budget, ratio <= most, ratio))
    for name, what in (("cold-empty", "an empty function"), ("cold-list", "the list"), ("cold-send", "first token")):
        medians = [statistics.median(getattr(start, part) for start in starts[name]) for part in PARTS]
        split = " + ".join(f"{value:.2f}" for value in medians)
        found.append(Row(f"of that, {what}: activator + scheduling + sandbox + imports + answer", f"{split} s"))
    return found


def _warm(seconds: Mapping[str, Sequence[float]]) -> list[Row]:
    alone, *ways = seconds
    found = [Row(f"warm first token: {alone}", f"p50 {statistics.median(seconds[alone]) * 1000:.1f} ms")]
    for way in ways:
        p50 = (statistics.median(seconds[way]) - statistics.median(seconds[alone])) * 1000
        p99 = (percentile(seconds[way], 0.99) - percentile(seconds[alone], 0.99)) * 1000
        whole = way == ways[-1]
        found.append(
            Row(
                f"added to a warm first token: {way}",
                f"p50 {p50:+.1f} ms, p99 {p99:+.1f} ms",
                f"p50 ≤ {P50:.0f} ms, p99 ≤ {P99:.0f} ms" if whole else "",
                p50 <= P50 and p99 <= P99 if whole else None,
                p50 / P50 if whole else None,
            )
        )
    return found


def _memory(used: Mapping[str, float]) -> list[Row]:
    return [Row(f"memory in the cluster: {name}", f"{mib:.0f} MiB") for name, mib in sorted(used.items())]
