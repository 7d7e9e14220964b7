"""A hundred and two hundred streams at 20 tokens a second: who gets what when, and what it costs, against a bare
function that only streams LangChain."""

from __future__ import annotations

import asyncio
import time

from tests.bench.client import Reading, read_many
from tests.bench.rows import Row, percentile
from tests.bench.stand import Function, Stand, cpu_seconds, http, measured

RATE = 20
SECONDS = 10
ARRIVAL = 1.0
"""Seconds within which the streams begin."""
WORDS = RATE * SECONDS
QUESTION = f"Hi [[words={WORDS} rate={RATE}]]"


def ours(stand: Stand, streams: int) -> tuple[list[Reading], float]:
    """The readings, and CPU seconds per 1,000 tokens of NGINX, the function and PostgreSQL together."""
    processes = stand.processes()
    before = cpu_seconds(processes)
    requests = [stand.request(QUESTION) for _ in range(streams)]
    readings = asyncio.run(read_many(stand.port, requests, b'"text-delta"', b"[DONE]", ARRIVAL))
    return readings, (cpu_seconds(stand.processes()) - before) / (streams * WORDS) * 1000


def theirs(function: Function, streams: int) -> tuple[list[Reading], float]:
    """The same of the bare function, without anything in front of it or behind."""
    before = cpu_seconds(function.processes)
    requests = [http("/", QUESTION.encode(), "http://localhost")] * streams
    readings = asyncio.run(read_many(function.port, requests, b"\r\n", b"\r\n0\r\n\r\n", ARRIVAL))
    return readings, (cpu_seconds(function.processes) - before) / (streams * WORDS) * 1000


def measure(stand: Stand) -> list[Row]:
    """Both by turns, so that what else the machine does hits both."""
    ours(stand, 5)
    theirs(stand.bare, 5)
    return [*_hundred(stand), *_two_hundred(stand)]


def _hundred(stand: Stand) -> list[Row]:
    figures, compared, readings, of_bare = [], [], [], []
    for _ in range(3):
        of_ours, cost = ours(stand, 100)
        of_theirs, compared_cost = theirs(stand.bare, 100)
        figures.append(cost)
        compared.append(compared_cost)
        readings += of_ours
        of_bare += of_theirs
        time.sleep(1)
    first, bare = (percentile([reading.first for reading in some], 0.99) for some in (readings, of_bare))
    stall = max(reading.stall for reading in readings)
    complete = sum(reading.complete for reading in readings)
    ratio = min(figures) / min(compared)
    return [
        Row("100 streams: complete", f"{complete} of {len(readings)}", "all", complete == len(readings)),
        Row(
            "100 streams: first token p99",
            f"{first * 1000:.0f} ms; bare function {bare * 1000:.0f} ms",
            "≤ 300 ms",
            first <= 0.3,
            first / 0.3,
        ),
        Row("100 streams: worst stall", f"{stall * 1000:.0f} ms", "≤ 400 ms", stall <= 0.4, stall / 0.4),
        Row(
            "100 streams: CPU s per 1,000 tokens, NGINX and PostgreSQL included",
            f"min {min(figures):.2f}; bare function {min(compared):.2f}",
            "≤ 1.0 × bare function",
            ratio <= 1.0,
            ratio,
        ),
    ]


def _two_hundred(stand: Stand) -> list[Row]:
    readings, _ = ours(stand, 200)
    complete = sum(reading.complete for reading in readings)
    first = percentile([reading.first for reading in readings], 0.99)
    return [
        Row("200 streams: complete", f"{complete} of 200", "all", complete == 200),
        Row("200 streams: first token p99", f"{first * 1000:.0f} ms", "≤ 2 s", first <= 2, first / 2),
    ]


def rows() -> list[Row]:
    return measured(measure)
