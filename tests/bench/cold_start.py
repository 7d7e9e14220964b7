"""From spawn to the first answer, against an empty function, and to the first token."""

from __future__ import annotations

import contextlib
import socket
import statistics
import threading
import time
from typing import TYPE_CHECKING

from tests.bench.rows import Row, spread
from tests.bench.stand import Function, Stand, http, measured
from tests.stack import ports, token_issuer
from tests.standins.vertex import Vertex

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

REPEATS = 15
BUDGETS = {"login": 1.5, "list_history": 1.3, "purge": 1.3, "send_message": 1.2}
FIRST_TOKEN = 4.5
GET = "GET {path} HTTP/1.1\r\nHost: localhost\r\nCookie: {cookie}\r\nConnection: close\r\n\r\n"


def measure(stand: Stand) -> list[Row]:
    """All functions by turns, so that what else the machine does hits all alike."""
    with Vertex() as vertex, _issuer(stand) as (certificates, token):
        requests = {
            "login": _get("/api/auth/me", stand.cookie),
            "list_history": _get("/api/conversations", stand.cookie),
            "purge": http("/?dry_run=true", b"", stand.origin, authorization=f"Bearer {token}"),
            "send_message": _get("/api/messages/ready", stand.cookie),
        }
        samples: dict[str, list[float]] = {name: [] for name in ["empty", *requests, "first token"]}
        settings = {
            "CHAT_MODEL": "google_genai:gemini-2.5-flash",
            "GOOGLE_CLOUD_PROJECT": "bench",
            "GOOGLE_VERTEX_BASE_URL": vertex.address,
            "PURGE_CERTS_URL": certificates,
        }
        for _ in range(REPEATS):
            samples["empty"].append(_spawn(stand, "empty", b"200", _get("/", ""), bare=True))
            for name, request in requests.items():
                samples[name].append(_spawn(stand, name, b"HTTP/1.1 20", request, environment=settings))
            question = stand.request("Hi [[words=3]]")
            first = _spawn(stand, "send_message", b'"text-delta"', question, environment=settings)
            samples["first token"].append(first)
    empty = statistics.median(samples["empty"])
    rows = [Row("spawn → first 200: empty function", spread(_ms(samples["empty"]), "ms"))]
    for name, budget in BUDGETS.items():
        rows.append(_row(f"spawn → first answer: {name}", samples[name], empty, budget))
    return [*rows, _row("spawn → first token, genai path", samples["first token"], empty, FIRST_TOKEN)]


@contextlib.contextmanager
def _issuer(stand: Stand) -> Iterator[tuple[str, str]]:
    """Where the certificates for purge's tokens are, and such a token."""
    port, signer = ports.free_port(), token_issuer.Signer(stand.folder / "issuer")
    server = token_issuer.serve(signer, port)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield (
        f"http://127.0.0.1:{port}/certs",
        signer.token(stand.environment["PURGE_AUDIENCE"], stand.environment["PURGE_CALLERS"]),
    )
    server.shutdown()
    thread.join()
    server.server_close()


def _row(name: str, samples: list[float], empty: float, budget: float) -> Row:
    ratio = statistics.median(samples) / empty
    return Row(name, spread(_ms(samples), "ms"), f"≤ {budget} × empty", ratio <= budget, ratio)


def _ms(samples: list[float]) -> list[float]:
    return [sample * 1000 for sample in samples]


def _get(path: str, cookie: str) -> bytes:
    return GET.format(path=path, cookie=cookie).encode()


def _spawn(
    stand: Stand,
    name: str,
    expected: bytes,
    request: bytes,
    *,
    environment: dict[str, str] | None = None,
    bare: bool = False,
) -> float:
    """Seconds from the spawn of a function's process until its answer to `request` holds `expected`."""
    with Function(name, stand.environment | (environment or {}), stand.folder, bare=bare) as function:
        connection = _connected(function)
        with connection:
            connection.sendall(request)
            received = b""
            while expected not in received:
                more = connection.recv(65536)
                if not more:
                    raise RuntimeError(f"{name} answered {received[:200]!r}")
                received += more
        return time.perf_counter() - function.started


def _connected(function: Function) -> socket.socket:
    """A connection as soon as one is accepted; looked for as often as Knative does."""
    deadline = time.monotonic() + 60
    connect: Callable[[], socket.socket] = lambda: socket.create_connection(("127.0.0.1", function.port), timeout=60)  # noqa: E731
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError):
            return connect()
        time.sleep(0.002)
    raise RuntimeError(function.program.story())


def rows() -> list[Row]:
    return measured(measure)
