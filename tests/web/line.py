"""A network that can be cut: what browsers emulate as "offline" leaves a running stream alone."""

from __future__ import annotations

import asyncio
import contextlib
import threading


class Line:
    """Passes connections on to a port of this machine, until it is cut."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._connections: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()
        self._whole = True
        self._target = 0

    def start(self, target: int) -> str:
        """Pass connections on to port `target` from now on. Returns the address to connect to."""
        self._target = target
        self._thread.start()
        opening = asyncio.start_server(self._connected, "127.0.0.1", 0)
        self._server = asyncio.run_coroutine_threadsafe(opening, self._loop).result()
        return f"http://localhost:{self._server.sockets[0].getsockname()[1]}"

    def stop(self) -> None:
        self.cut()
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def cut(self) -> None:
        """Break all connections, and every new one."""

        async def cut() -> None:
            self._whole = False
            for writer in self._writers:
                writer.transport.abort()
            await asyncio.sleep(0)

        asyncio.run_coroutine_threadsafe(cut(), self._loop).result()

    async def _end(self) -> None:
        self._server.close()
        for connection in self._connections:
            connection.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    def mend(self) -> None:
        self._whole = True

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)
        if not self._whole:
            writer.transport.abort()
            return
        try:
            front, to_front = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            writer.transport.abort()
            return
        both = {writer, to_front}
        self._writers |= both
        await asyncio.gather(_pass_on(reader, to_front), _pass_on(front, writer))
        self._writers -= both


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()
