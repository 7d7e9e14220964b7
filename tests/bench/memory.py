"""Memory of send-message, at rest and while a hundred streams run (PSS: what is shared counts in shares)."""

from __future__ import annotations

import asyncio
import time

from tests.bench.client import read_many
from tests.bench.rows import Row
from tests.bench.stand import Function, Stand, measured, pss_megabytes
from tests.bench.streams import ARRIVAL, QUESTION

IDLE, BUSY = 110, 170


def measure(stand: Stand) -> list[Row]:
    """Of a fresh process, with the genai client at rest, and with OpenAI's under load."""
    genai = {"CHAT_MODEL": "google_genai:gemini-2.5-flash", "GOOGLE_CLOUD_PROJECT": "bench"}
    with Function("send_message", stand.environment | genai, stand.folder).wait() as fresh:
        idle = _settled(fresh)
    with Function("send_message", stand.environment, stand.folder).wait() as function:
        busy = asyncio.run(_busy(stand, function))
    return [
        Row("memory of send-message at rest", f"{idle:.0f} MB", f"≤ {IDLE} MB", idle <= IDLE, idle / IDLE),
        Row("memory of send-message at 100 streams", f"{busy:.0f} MB", f"≤ {BUSY} MB", busy <= BUSY, busy / BUSY),
    ]


def _settled(function: Function) -> float:
    """Once the model is loaded: when its memory has not grown for two seconds."""
    highest, since = 0.0, time.monotonic()
    while time.monotonic() - since < 2:
        now = pss_megabytes(function.processes)
        if now > highest + 1:
            highest, since = now, time.monotonic()
        time.sleep(0.2)
    return highest


async def _busy(stand: Stand, function: Function) -> float:
    requests = [stand.request(QUESTION) for _ in range(100)]
    reading = asyncio.create_task(read_many(function.port, requests, b'"text-delta"', b"[DONE]", ARRIVAL))
    highest = 0.0
    while not reading.done():
        await asyncio.sleep(1)
        highest = max(highest, pss_megabytes(function.processes))
    return highest


def rows() -> list[Row]:
    return measured(measure)
