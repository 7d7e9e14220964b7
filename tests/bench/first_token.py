"""What NGINX, the session, the database and we add to a first token, one person after another, while all is warm."""

from __future__ import annotations

import json
import socket
import statistics
import time
from typing import TYPE_CHECKING

from tests.bench.rows import Row, percentile
from tests.bench.stand import http, measured

if TYPE_CHECKING:
    from tests.bench.stand import Stand

QUESTIONS = 200
QUESTION = "Hi [[words=3 title.status=500]]"


def measure(stand: Stand) -> list[Row]:
    """By turns: the model itself, ours, and a bare function that only streams LangChain."""
    asked = json.dumps({"model": "any", "stream": True, "messages": [{"role": "user", "content": QUESTION}]}).encode()
    model = http("/v1/chat/completions", asked, stand.origin)
    bare = http("/", QUESTION.encode(), stand.origin)
    direct: list[float] = []
    ours: list[float] = []
    theirs: list[float] = []
    for number in range(QUESTIONS + 10):
        samples = (
            _first(stand.model_port, model, b'"You"'),
            _first(stand.port, stand.request(QUESTION), b'"text-delta"'),
            _first(stand.bare.port, bare, b"You"),
        )
        if number >= 10:  # connections are made and statements prepared by then
            for samples_of, sample in zip((direct, ours, theirs), samples, strict=True):
                samples_of.append(sample * 1000)
    itself = statistics.median(direct)
    p50, p99 = statistics.median(ours) - itself, percentile(ours, 0.99) - itself
    compared = statistics.median(theirs) - itself
    return [
        Row(
            "added to the first token, warm: p50",
            f"{p50:.1f} ms; bare function {compared:.1f} ms",
            "≤ 9 ms",
            p50 <= 9,
            p50 / 9,
        ),
        Row("added to the first token, warm: p99", f"{p99:.1f} ms", "≤ 30 ms", p99 <= 30, p99 / 30),
    ]


def _first(port: int, request: bytes, token: bytes) -> float:
    """Seconds from a request, on a connection of its own, to its first token; the rest is read, too."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        started = time.perf_counter()
        connection.sendall(request)
        received, first = b"", 0.0
        while not received.endswith(b"0\r\n\r\n"):
            more = connection.recv(65536)
            if not more:
                break
            received += more
            if not first and token in received:
                first = time.perf_counter() - started
    if not first:
        raise RuntimeError(f"no token in {received[:300]!r}")
    return first


def rows() -> list[Row]:
    return measured(measure)
