"""What Knative's genuine queue-proxy adds to a first token, warm, one person after another: one hop of the way in the
cluster, without its ingress and activator."""

from __future__ import annotations

import asyncio
import statistics
import tempfile
from pathlib import Path

from tests.bench.client import read
from tests.bench.rows import Row, percentile
from tests.bench.stand import Stand
from tests.cluster.programs import GoMissingError
from tests.knative.queue_proxy import QueueProxy
from tests.stack import ports
from tests.stack.nginx import FUNCTIONS, Nginx
from tests.stack.services import load

QUESTIONS = 200
WARM_UP = 10
"""Questions before those that count: connections are made and statements prepared by then."""
QUESTION = "Hi [[words=3 title.status=500]]"
MEDIAN, WORST = 6.0, 25.0
"""Milliseconds that ingress, activator and queue-proxy may add together, at the 50th and the 99th percentile."""


def rows() -> list[Row]:
    """By turns, NGINX before the function and NGINX before queue-proxy, which is built if it is absent.

    NGINX on both ways, because it keeps its connections: a new one costs more than queue-proxy does.
    """
    with tempfile.TemporaryDirectory(prefix="nanoka-queue-proxy-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        try:
            with Stand(folder) as stand:
                concurrency = load("send_message").concurrency
                with QueueProxy(stand.send_message.port, folder, concurrency=concurrency) as proxy:
                    front = Nginx(
                        folder / "front", ports.free_port(), folder / "front.log", folder / "front-access.log"
                    )
                    front.start(folder / "pages", dict.fromkeys(FUNCTIONS, proxy.port), stand.programs)
                    return measure(stand, front)
        except GoMissingError as error:
            return [Row("queue-proxy added to the first token", f"NOT MEASURED: {error}", f"≤ {MEDIAN:.0f} ms")]


def measure(stand: Stand, front: Nginx) -> list[Row]:
    ways = {stand.port: list[float](), front.port: list[float]()}
    for number in range(WARM_UP + QUESTIONS):
        for port in sorted(ways, reverse=number % 2 == 1):  # each is first as often as the other
            sample = _first(stand, port)
            if number >= WARM_UP:
                ways[port].append(sample)
    direct, through = ways.values()
    p50 = statistics.median(through) - statistics.median(direct)
    p99 = percentile(through, 0.99) - percentile(direct, 0.99)
    name = "queue-proxy added to the first token, warm"
    return [
        Row(
            f"{name}: p50",
            f"{p50:.1f} ms of {statistics.median(through):.1f}",
            f"≤ {MEDIAN:.0f} ms, with ingress and activator",
            p50 <= MEDIAN,
            p50 / MEDIAN,
        ),
        Row(
            f"{name}: p99",
            f"{p99:.1f} ms of {percentile(through, 0.99):.1f}",
            f"≤ {WORST:.0f} ms, with ingress and activator",
            p99 <= WORST,
            p99 / WORST,
        ),
    ]


def _first(stand: Stand, port: int) -> float:
    """Milliseconds to the first token of a new conversation, on a connection of its own."""
    reading = asyncio.run(read(port, stand.request(QUESTION), b'"text-delta"', b"[DONE]"))
    if not reading.complete:
        raise RuntimeError("an answer was not complete")
    return reading.first * 1000
