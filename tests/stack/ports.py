"""TCP ports on loopback."""

from __future__ import annotations

import contextlib
import json
import random
import socket
import threading
import time
import urllib.request
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tests.stack.errors import StackError

if TYPE_CHECKING:
    from pathlib import Path

    from tests.stack.process import Program

RANGE = range(20_000, 30_000)
"""Below the ports that systems hand out for outgoing connections, so that nothing takes ours in between."""


class Ports:
    """The ports of a stack's parts, the same at every start as far as they are free."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._lock = threading.Lock()
        self._before: dict[str, int] = json.loads(file.read_text()) if file.exists() else {}
        self._now: dict[str, int] = {}

    def claim(self, name: str) -> int:
        """A free port for a part: the one it had last time, if that is still to be had."""
        with self._lock:
            port = self._before.get(name, 0)
            if not port or port in self._now.values() or not _is_free(port):
                port = free_port()
                while port in {*self._now.values(), *self._before.values()}:
                    port = free_port()
            self._now[name] = port
            self._file.write_text(json.dumps({**self._before, **self._now}, indent=2) + "\n")
            return port

    def before(self, name: str) -> int | None:
        """The port that the part had last time."""
        return self._before.get(name)


def free_port() -> int:
    """A port that nobody listens on at this moment."""
    while True:
        port = random.choice(RANGE)
        if _is_free(port):
            return port


def has_ipv6_loopback() -> bool:
    """True when this machine can listen on `::1`, which browsers try first for `localhost`."""
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET6) as listener:
        listener.bind(("::1", 0))
        return True
    return False


def is_taken(port: int) -> bool:
    """True when someone listens on the port, on either loopback address."""
    for family, address in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
        with contextlib.suppress(OSError), socket.socket(family) as client:
            client.settimeout(1)
            client.connect((address, port))
            return True
    return False


def wait_for_port(program: Program, port: int, seconds: float) -> None:
    """Wait until the program listens on 127.0.0.1:`port`. Raises StackError when it dies or is too slow."""
    deadline = time.monotonic() + seconds
    while True:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        if program.returncode is not None:
            raise StackError(f"While starting, {program.story()}")
        if time.monotonic() > deadline:
            raise StackError(f"After {seconds:.0f} s nothing listens on port {port}, though {program.story()}")
        time.sleep(0.02)


def wait_for_answer(program: Program, url: str, seconds: float) -> None:
    """Wait until `url` answers with 200. Raises StackError when the program dies or is too slow."""
    deadline = time.monotonic() + seconds
    wait_for_port(program, urlsplit(url).port or 80, seconds)
    while time.monotonic() < deadline and program.returncode is None:
        with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=5):
            return
        time.sleep(0.05)
    raise StackError(f"{url} does not answer: {program.story()}")


def _is_free(port: int) -> bool:
    with contextlib.suppress(OSError), socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        return not is_taken(port)
    return False
