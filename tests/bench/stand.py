"""What is measured, started once: PostgreSQL, a model stand-in, NGINX, send-message, and functions to compare with."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Self
from uuid import uuid4

import psutil

from nanoka import sessions
from nanoka.database import Database
from nanoka.settings import DatabaseSettings
from tests.stack import ports, process
from tests.stack.nginx import Nginx
from tests.stack.postgres import Postgres

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.bench.rows import Row

THREADS = "250"
BARE = Path(__file__).parent / "bare_function" / "main.py"
FUNCTIONS = process.ROOT / "functions"


class Function:
    """A function in a process of its own; `bare` ones run on functions-framework's own server."""

    def __init__(self, name: str, environment: Mapping[str, str], folder: Path, *, bare: bool = False) -> None:
        self.port = ports.free_port()
        source = BARE if bare else FUNCTIONS / name / "main.py"
        command = ["functions_framework"] if bare else ["nanoka.server"]
        names = {"FUNCTION_TARGET": name, "FUNCTION_SOURCE": str(source), "PORT": str(self.port), "THREADS": THREADS}
        self.started = time.perf_counter()
        self.program = process.Program(
            name,
            [sys.executable, "-m", *command],
            log=folder / f"{name}.log",
            env={**os.environ, "PYTHONPATH": str(FUNCTIONS), **names, **environment},
            order=0,
        )

    def wait(self) -> Self:
        ports.wait_for_port(self.program, self.port, 60)
        return self

    @property
    def processes(self) -> list[psutil.Process]:
        return tree(self.program.pid)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.program.end()


class Stand:
    """The parts; `environment` is what a function of ours needs, `cookie` and `origin` what its client sends."""

    def __init__(self, folder: Path, *, front: bool = True) -> None:
        self.folder = folder
        self.front = front
        self.programs = process.Programs()
        self.model_port = ports.free_port()
        self.port = ports.free_port()
        self.origin = f"http://localhost:{self.port}"
        self.cookie = ""
        self.environment: dict[str, str] = {}
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as stack:
            stack.callback(self.programs.stop)
            self.postgres = stack.enter_context(Postgres(self.folder / "postgres"))
            url = stack.enter_context(self.postgres.database())
            model = self.programs.start(
                "model",
                [sys.executable, "-m", "tests.standins.openai_model", "--port", str(self.model_port)],
                log=self.folder / "model.log",
            )
            ports.wait_for_port(model, self.model_port, 30)
            self.environment = {
                "DATABASE_URL": url,
                "DATABASE_POOL_SIZE": "10",
                "PUBLIC_URL": self.origin,
                "CHAT_MODEL": "openai:any",
                "OPENAI_BASE_URL": f"http://127.0.0.1:{self.model_port}/v1",
                "OPENAI_API_KEY": "none",
                "OIDC_CLIENT_ID": "nanoka",
                "OIDC_CLIENT_SECRET": "none",
                "PURGE_AUDIENCE": "https://purge.test",
                "PURGE_CALLERS": "ops@nanoka.test",
            }
            self.cookie = f"{sessions.COOKIE}={_session(url)}"
            if self.front:
                self.send_message = stack.enter_context(Function("send_message", self.environment, self.folder)).wait()
                self.bare = stack.enter_context(Function("bare", self.environment, self.folder, bare=True)).wait()
                self.nginx = Nginx(
                    self.folder / "nginx", self.port, self.folder / "nginx.log", self.folder / "access.log"
                )
                pages = self.folder / "pages"
                pages.mkdir(exist_ok=True)
                there = self.send_message.port
                upstreams = {"login": there, "send_message": there, "list_history": there}
                self.nginx.start(pages, upstreams, self.programs)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def request(self, question: str) -> bytes:
        """A question in a new conversation, as it goes over the wire."""
        message = {"id": str(uuid4()), "role": "user", "parts": [{"type": "text", "text": question}]}
        body = json.dumps({"id": str(uuid4()), "trigger": "submit-message", "messages": [message]}).encode()
        return http("/api/messages", body, self.origin, self.cookie)

    def processes(self) -> list[psutil.Process]:
        """Everything of ours that a question sets in motion: NGINX, the function, PostgreSQL."""
        assert self.postgres.program is not None
        front = [program for program in self.programs._running if program.name == "NGINX"]  # noqa: SLF001
        roots = [self.send_message.program, self.postgres.program, *front]
        return [process for program in roots for process in tree(program.pid)]


def http(path: str, body: bytes, origin: str, cookie: str = "", authorization: str = "") -> bytes:
    """A POST as it goes over the wire."""
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nOrigin: {origin}\r\nContent-Type: application/json\r\n"
    head += f"Cookie: {cookie}\r\n" if cookie else ""
    head += f"Authorization: {authorization}\r\n" if authorization else ""
    return (head + f"Content-Length: {len(body)}\r\n\r\n").encode() + body


def tree(pid: int) -> list[psutil.Process]:
    root = psutil.Process(pid)
    return [root, *root.children(recursive=True)]


def cpu_seconds(processes: list[psutil.Process]) -> float:
    """The CPU time that processes, and their children that have ended, have used so far."""
    return sum(sum(process.cpu_times()[:4]) if process.is_running() else 0.0 for process in processes)


def pss_megabytes(processes: list[psutil.Process]) -> float:
    """Memory, what is shared counted in shares."""
    return sum(process.memory_full_info().pss for process in processes) / 1e6


def _session(url: str) -> str:
    """The token of a person's session."""
    database = Database(DatabaseSettings.read({"DATABASE_URL": url}), name="bench")
    sql = "INSERT INTO users (issuer, subject, email, name) VALUES ('i', 's', 'e', 'n') RETURNING id"
    (user_id,) = database.run(sql)[0]
    token = database.transaction(lambda connection: sessions.create(connection, user_id))
    database.close()
    return token


def measured(measure: Callable[[Stand], list[Row]]) -> list[Row]:
    """The rows of one part, on parts started for it and taken away afterwards."""
    with tempfile.TemporaryDirectory() as folder, Stand(Path(folder)) as stand:
        return measure(stand)
