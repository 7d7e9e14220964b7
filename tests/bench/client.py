"""A light client: hundreds of streams on one event loop, read as bytes, so that the machine measures the server."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass


@dataclass
class Reading:
    """One stream. Seconds: `first` from the request to the first token, `stall` the longest wait after it."""

    first: float = 0.0
    stall: float = 0.0
    complete: bool = False


async def read(port: int, request: bytes, token: bytes, end: bytes, delay: float = 0.0) -> Reading:
    """Send a request after `delay` seconds, and read until `end`; whatever holds `token` counts as a token."""
    await asyncio.sleep(delay)
    reading = Reading()
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 20)
    started = last = time.perf_counter()
    writer.write(request)
    tail = b""
    while received := await reader.read(1 << 16):
        now = time.perf_counter()
        if token in received:
            if reading.first:
                reading.stall = max(reading.stall, now - last)
            else:
                reading.first = now - started
            last = now
        tail = (tail + received)[-max(512, len(end)) :]
        if end in tail:
            reading.complete = b'"finish"' in tail or end != b"[DONE]"
            break
    writer.close()
    return reading


async def read_many(port: int, requests: list[bytes], token: bytes, end: bytes, seconds: float) -> list[Reading]:
    """Read all of them at once, begun evenly over `seconds`."""
    step = seconds / len(requests)
    return await asyncio.gather(
        *(read(port, request, token, end, index * step) for index, request in enumerate(requests))
    )
