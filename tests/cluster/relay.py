"""Lets pods reach what listens on this machine's loopback: the address that they see, TLS included, is the relay's."""

import asyncio
import contextlib
import ssl
import threading
from collections.abc import Iterator

from tests.cluster.controlplane import LOOPBACK


async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Pass on what comes, and the end of it."""
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    with contextlib.suppress(OSError, RuntimeError):
        if writer.can_write_eof():
            writer.write_eof()
        else:
            writer.close()


@contextlib.contextmanager
def relay(address: str, port: int, target: int, tls: ssl.SSLContext | None = None) -> Iterator[None]:
    """While the context lasts, carry connections to address:port on to a port of loopback."""
    loop = asyncio.new_event_loop()
    listening, stopping = threading.Event(), asyncio.Event()
    carrying: set[asyncio.Task[None]] = set()  # asyncio itself holds on to none of them

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there, back = await asyncio.open_connection(LOOPBACK, target)
        except OSError:
            writer.close()
            return
        try:
            await asyncio.gather(pump(reader, back), pump(there, writer))
        finally:
            back.close()
            writer.close()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = loop.create_task(carry(reader, writer))
        carrying.add(task)
        task.add_done_callback(carrying.discard)

    async def serve() -> None:
        async with await asyncio.start_server(accept, address, port, ssl=tls, backlog=1024):
            listening.set()
            await stopping.wait()
        for task in carrying:
            task.cancel()
        await asyncio.gather(*carrying, return_exceptions=True)

    def run() -> None:
        try:
            loop.run_until_complete(serve())
        finally:
            loop.close()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    if not listening.wait(10):
        raise RuntimeError(f"nothing can listen on {address}:{port}")
    try:
        yield
    finally:
        loop.call_soon_threadsafe(stopping.set)
        thread.join(10)
