"""A small HTTP/1.1 server on asyncio for stand-ins: streams for hundreds of clients, and may break off midway."""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
from collections.abc import Awaitable, Callable
from typing import Any, Self


class Request:
    """One request: method, path with query, headers in lower case, body."""

    def __init__(self, method: str, path: str, headers: dict[str, str], body: bytes) -> None:
        self.method = method
        self.path = path
        self.headers = headers
        self.body = body

    def json(self) -> Any:
        return json.loads(self.body or b"null")


class Reply:
    """The answer to one request, whole or piece by piece (chunked transfer coding, RFC 9112 section 7.1)."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        self._transport = writer.transport

    async def whole(self, status: int, body: object, headers: dict[str, str] | None = None) -> None:
        await self._send(status, "application/json", json.dumps(body).encode(), headers)

    async def text(self, status: int, body: str, headers: dict[str, str] | None = None) -> None:
        await self._send(status, "text/plain", body.encode(), headers)

    async def _send(self, status: int, content_type: str, content: bytes, headers: dict[str, str] | None) -> None:
        lines = [f"HTTP/1.1 {status} -", f"content-type: {content_type}", f"content-length: {len(content)}"]
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        self._writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + content)
        await self._writer.drain()

    def begin(self, content_type: str) -> None:
        self._writer.write(
            b"HTTP/1.1 200 OK\r\ncontent-type: %b\r\ntransfer-encoding: chunked\r\n\r\n" % content_type.encode()
        )

    async def piece(self, content: bytes) -> None:
        """Send a piece. Raises ConnectionResetError when the client has gone."""
        if self._transport.is_closing():
            raise ConnectionResetError
        self._transport.write(b"%x\r\n%b\r\n" % (len(content), content))
        if self._transport.get_write_buffer_size() > 65536:
            await self._writer.drain()

    def end(self) -> None:
        self._writer.write(b"0\r\n\r\n")

    def break_off(self) -> None:
        """Break the connection at once, as a crash of the server would."""
        self._transport.abort()


Handler = Callable[[Request, Reply], Awaitable[None]]


class Server:
    """Serves `handler` on loopback, in a thread of its own when used in a `with` statement."""

    def __init__(self, handler: Handler, port: int = 0) -> None:
        self.port = port
        self._handler = handler
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def listen(self) -> asyncio.Server:
        server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, backlog=1024, limit=1 << 24)
        self.port = server.sockets[0].getsockname()[1]
        return server

    async def forever(self, ready: Callable[[], None]) -> None:
        """Serve until cancelled; `ready` is called once it listens."""
        async with await self.listen() as server:
            ready()
            await server.serve_forever()

    def __enter__(self) -> Self:
        listening = threading.Event()
        self._loop = asyncio.new_event_loop()

        async def run() -> None:
            with contextlib.suppress(asyncio.CancelledError):
                await self.forever(listening.set)

        def thread(loop: asyncio.AbstractEventLoop) -> None:
            try:
                loop.run_until_complete(run())
            finally:
                loop.close()

        self._thread = threading.Thread(target=thread, args=(self._loop,), daemon=True)
        self._thread.start()
        if not listening.wait(10):
            raise RuntimeError("the stand-in does not listen")
        return self

    def __exit__(self, *_: object) -> None:
        assert self._loop is not None
        assert self._thread is not None
        loop = self._loop

        def cancel_all() -> None:
            for task in asyncio.all_tasks(loop):
                task.cancel()

        loop.call_soon_threadsafe(cancel_all)
        self._thread.join(10)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while (request := await _read(reader)) is not None:
                await self._handler(request, Reply(writer))
                if request.headers.get("connection") == "close":
                    break
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.close()


async def _read(reader: asyncio.StreamReader) -> Request | None:
    """The next request of a connection, or None when the client has no more."""
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    except asyncio.IncompleteReadError:
        return None
    first, *lines = head.rstrip().split("\r\n")
    method, path, _ = first.split(" ", 2)
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Request(method, path, headers, body)
