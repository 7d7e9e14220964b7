"""A stand-in for the functions behind NGINX: says what reached it, streams, or cuts the connection."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from nanoka.problems import Problem


class Upstream(ThreadingHTTPServer):
    """Answers each request with a JSON account of it, and keeps the accounts in `requests`.

    `/…/stream` sends one event, waits for `proceed`, and sends another; `/…/own?503` is a problem of its own,
    `/…/callback?503` a page; `/…/gateway?503` is what Knative says in a function's place; `/…/cut` closes the
    connection in place of an answer.
    """

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, name: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.name = name
        self.port: int = self.server_address[1]
        self.requests: list[dict[str, Any]] = []
        self.proceed = threading.Event()

    def __enter__(self) -> Upstream:
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def handle_error(self, *_: object) -> None:
        """Say nothing of clients that leave in the middle: tests do."""

    def __exit__(self, *_: object) -> None:
        self.proceed.set()
        self.shutdown()
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Upstream

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        account = {
            "function": self.server.name,
            "method": self.command,
            "path": self.path,
            "headers": {name.lower(): value for name, value in self.headers.items()},
            "length": len(body),
        }
        self.server.requests.append(account)
        path, _, query = self.path.partition("?")
        match path.rpartition("/")[2]:
            case "stream":
                self._stream()
            case "own":
                own = Problem(int(query or 404), "Its own “words”.", headers={"Retry-After": "7"}).response()
                self._send(own.status_code, str(own.content_type), own.get_data(), dict(own.headers))
            case "callback" if query.isdigit():
                self._send(int(query), "text/html; charset=utf-8", b"<h1>Its own page</h1>")
            case "gateway":
                self._send(int(query), "text/plain; charset=utf-8", b"activator request timeout")
            case "cut":
                self.close_connection = True
            case _:
                self._send(200, "application/json", json.dumps(account).encode())

    do_GET = do_POST = do_PATCH = do_DELETE = _answer  # noqa: N815 - http.server's names

    def _send(self, status: int, content_type: str, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name in ("Retry-After", "X-Problem"):
            if headers and name in headers:
                self.send_header(name, headers[name])
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Security-Policy", "default-src *")
        self.end_headers()
        self.wfile.write(body)

    def _stream(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream; charset=utf-8")
        self.send_header("Cache-Control", "no-cache, no-transform")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for event in (b"data: 1\n\n", b"data: 2\n\n"):
            self.wfile.write(b"%x\r\n%s\r\n" % (len(event), event))
            self.wfile.flush()
            if not self.server.proceed.wait(20):
                return
        self.wfile.write(b"0\r\n\r\n")

    def log_message(self, *_: object) -> None:
        """Say nothing."""
