"""The server for a function in a pod: threads, kept connections, and an end that loses nothing."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from http.client import HTTPConnection, HTTPResponse
from typing import TYPE_CHECKING

import httpx
import psutil
import pytest

from nanoka import lifecycle, routing
from tests.functions.conftest import FUNCTIONS
from tests.stack import ports
from tests.stack.process import Program

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

SOURCE = '''
"""Streams as many ticks as it is asked for, and reports what the server does with it."""

import gc
import os
import threading
import time

from nanoka import lifecycle

forked = []
late = threading.Event()
lifecycle.after_fork(lambda: forked.append(os.getpid()))


@lifecycle.before_exit
def finish(seconds):
    print(f"finish within {seconds}", flush=True)
    if late.is_set():
        time.sleep(1.5)
        print("saved late", flush=True)


def function(request):
    if request.path == "/late":
        late.set()
    if request.path != "/ticks":
        return {"pid": os.getpid(), "forked": forked, "collects": gc.isenabled(), "frozen": gc.get_freeze_count()}

    def ticks():
        for number in range(int(request.args["count"])):
            yield f"{number}\\n"
            time.sleep(0.1)

    return ticks()
'''


class Pod:
    """A function, the one above by default, under our server."""

    def __init__(self, folder: Path, code: str, grace: int, threads: int) -> None:
        source = folder / "main.py"
        source.write_text(code)
        self.log = folder / "pod.log"
        self.port = ports.free_port()
        self.program = Program(
            "pod",
            [sys.executable, "-m", "nanoka.server"],
            log=self.log,
            env={
                **os.environ,
                "PYTHONPATH": str(FUNCTIONS),
                "FUNCTION_TARGET": "function",
                "FUNCTION_SOURCE": str(source),
                "HOST": "127.0.0.1",
                "PORT": str(self.port),
                "THREADS": str(threads),
                "GRACE_SECONDS": str(grace),
            },
        )
        ports.wait_for_port(self.program, self.port, 30)

    def get(self, path: str = "/") -> str:
        return httpx.get(f"http://127.0.0.1:{self.port}{path}", timeout=30).text

    @contextlib.contextmanager
    def ticks(self, count: int) -> Iterator[Iterator[str]]:
        """A stream of which the first tick has been read; the rest goes on."""
        with httpx.stream("GET", f"http://127.0.0.1:{self.port}/ticks?count={count}", timeout=30) as response:
            lines = response.iter_lines()
            assert next(lines) == "0"
            yield lines

    def worker(self) -> psutil.Process:
        """The process that serves, once it does."""
        self.get()
        (worker,) = psutil.Process(self.program.pid).children()
        return worker

    def terminate(self) -> None:
        """What Kubernetes does: SIGTERM to the first process alone."""
        os.kill(self.program.pid, signal.SIGTERM)

    def is_open(self) -> bool:
        with contextlib.suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", self.port)):
            return True
        return False


@pytest.fixture
def pod(tmp_path: Path) -> Iterator[Callable[..., Pod]]:
    pods: list[Pod] = []

    def start(*, grace: int = 20, threads: int = 4, source: str = SOURCE) -> Pod:
        pods.append(Pod(tmp_path, source, grace, threads))
        return pods[-1]

    yield start
    for started in pods:
        started.program.end()


def test_work_begins_in_the_worker_and_imports_are_no_garbage(pod: Callable[..., Pod]) -> None:
    started = pod()
    worker, answer = started.worker(), started.get()
    assert f'"forked":[{worker.pid}]' in answer
    assert f'"pid":{worker.pid}' in answer
    assert '"collects":true' in answer
    assert '"frozen":0' not in answer


def test_serves_as_many_requests_at_once_as_it_has_threads(pod: Callable[..., Pod]) -> None:
    started = pod(threads=3)
    with contextlib.ExitStack() as stack:
        streams = [stack.enter_context(started.ticks(20)) for _ in range(3)]
        begun = time.monotonic()
        assert started.get()
        assert time.monotonic() - begun > 0.5  # it had to wait for a thread
        assert [list(stream)[-1] for stream in streams] == ["19"] * 3


def test_a_connection_is_kept_for_longer_than_any_proxy_keeps_it(pod: Callable[..., Pod]) -> None:
    started = pod()
    with socket.create_connection(("127.0.0.1", started.port), timeout=30) as connection:
        for pause in (0.0, 3.0):  # functions-framework's own server closes after 2 s
            time.sleep(pause)
            connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            answer = connection.recv(4096)
            while answer and not answer.endswith(b"}\n"):
                answer += connection.recv(4096)
            assert answer.startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (f"GET / HTTP/1.1\r\nHost: x\r\nX-Large: {'x' * 9000}\r\n\r\n", 431),
        ("GET / HTTP/1.1\r\nHost: x\r\n" + "".join(f"X-{n}: x\r\n" for n in range(120)) + "\r\n", 431),
        ("GET / HTTP/1.1\r\nHost x\r\n\r\n", 400),
    ],
)
def test_what_is_no_request_to_the_server_is_a_problem(pod: Callable[..., Pod], request_: str, status: int) -> None:
    with socket.create_connection(("127.0.0.1", pod().port), timeout=30) as connection:
        connection.sendall(request_.encode())
        answer = HTTPResponse(connection)
        answer.begin()
        body = json.loads(answer.read())
    assert answer.status == body["status"] == status
    assert answer.getheader("Content-Type") == "application/problem+json"
    assert body["title"]
    assert body["detail"]


ROUTED = """
from nanoka.routing import Router, no_content

router = Router(None)


@router.route("POST", "/")
def take(request):
    return no_content()


def function(request):
    return router(request)
"""


def test_after_a_body_that_is_too_large_the_connection_goes_on(pod: Callable[..., Pod]) -> None:
    started = pod(source=ROUTED)
    large = b"x" * (routing.BODY_LIMIT * 10)
    for body in (large, iter([large])):  # its length told, and not
        client = HTTPConnection("127.0.0.1", started.port, timeout=30)
        client.request("POST", "/", body=body)
        kept = client.sock
        answer = client.getresponse()
        assert answer.status == 413
        answer.read()
        # What the server leaves unread it gives up the connection for, though it has said that it is kept.
        readable, _, _ = select.select([kept], [], [], 0.5)
        assert not readable
        client.request("POST", "/")
        assert client.getresponse().status == 204
        assert client.sock is kept
        client.close()


def test_a_worker_that_dies_is_replaced(pod: Callable[..., Pod]) -> None:
    started = pod()
    before = started.worker()
    before.kill()
    before.wait(10)
    assert f'"pid":{before.pid}' not in started.get()
    assert started.program.returncode is None


def test_sigterm_lets_a_stream_end_and_takes_nothing_new(pod: Callable[..., Pod]) -> None:
    started = pod()
    with started.ticks(20) as stream:
        started.terminate()
        deadline = time.monotonic() + 10
        while started.is_open():
            assert time.monotonic() < deadline
            time.sleep(0.02)
        assert list(stream)[-1] == "19"
    assert started.program.wait(10) == 0
    assert started.log.read_text().splitlines() == ["finish within 20"]


def test_sigterm_waits_for_work_that_has_no_connection(pod: Callable[..., Pod]) -> None:
    started = pod()
    started.get("/late")
    begun = time.monotonic()
    started.terminate()
    assert started.program.wait(10) == 0
    assert 1.5 < time.monotonic() - begun < 8
    assert started.log.read_text().splitlines() == ["finish within 20", "saved late"]


def test_what_does_not_end_within_the_grace_period_is_ended(pod: Callable[..., Pod]) -> None:
    started = pod(grace=1)
    with started.ticks(600) as stream:
        begun = time.monotonic()
        started.terminate()
        with contextlib.suppress(httpx.TransportError):
            list(stream)
    started.program.wait(20)
    assert 5 < time.monotonic() - begun < 12  # the grace, and what is left for saving
    assert "finish within 1" in started.log.read_text()


def test_a_worker_without_a_master_ends_too(pod: Callable[..., Pod]) -> None:
    started = pod()
    worker = started.worker()
    os.kill(started.program.pid, signal.SIGKILL)
    worker.wait(20)
    assert "finish within" in started.log.read_text()


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("PORT", "http", "function cannot start: PORT must be a whole number from 1 to 65535, not 'http'"),
        ("THREADS", "0", "THREADS must be"),
        ("GRACE_SECONDS", "-1", "GRACE_SECONDS must be"),
        ("FUNCTION_SOURCE", "nowhere.py", "nowhere.py"),
        ("FUNCTION_TARGET", "other", "other cannot start"),
    ],
)
def test_a_wrong_setting_ends_it_at_once_with_a_sentence(tmp_path: Path, name: str, value: str, said: str) -> None:
    source = tmp_path / "main.py"
    source.write_text(SOURCE)
    environment = {"PYTHONPATH": str(FUNCTIONS), "FUNCTION_TARGET": "function", "FUNCTION_SOURCE": str(source)}
    ended = subprocess.run(
        [sys.executable, "-m", "nanoka.server"],
        env={**os.environ, **environment, name: value},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 1
    assert said in ended.stderr
    assert "Traceback" not in ended.stderr


def test_every_finisher_is_told_how_long_it_has(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[float] = []
    monkeypatch.setattr(lifecycle, "_finishers", [])
    lifecycle.before_exit(told.append)
    lifecycle.before_exit(told.append)
    for thread in lifecycle.stop(7.0):
        thread.join(5)
    assert told == [7.0, 7.0]
