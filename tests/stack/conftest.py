"""`nox -s chat` without nox: the runner as a process of its own, read line by line."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

import psutil
import pytest

from tests.stack import ports
from tests.stack.process import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

NOWHERE = "http://127.0.0.1:9"
"""An address at which nobody answers: what is told to be there is not started, and these tests do not ask it."""
OTHERS = {
    "CHAT_MODEL": "openai:elsewhere",
    "OPENAI_BASE_URL": f"{NOWHERE}/v1",
    "OPENAI_API_KEY": "none",
    "OIDC_ISSUER": NOWHERE,
    "OIDC_CLIENT_ID": "client",
    "OIDC_CLIENT_SECRET": "not-a-secret",
    "PURGE_CERTS_URL": f"{NOWHERE}/certs",
}

GIVEN = {"CHAT_SYSTEM_PROMPT": "Say  “七日”.", "LOG_LEVEL": "DEBUG", "ANYTHING": "else", "PURGE_AUDIENCE": "x"}
"""Set for the stack that most tests look at."""


class Runner:
    """One run of `python -m tests.stack …`."""

    def __init__(self, arguments: list[str], folder: Path, env: Mapping[str, str]) -> None:
        self.folder = folder
        self.lines: list[str] = []
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.stack", *arguments, "--folder", str(folder)],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": f"functions{os.pathsep}.", **env},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.pid = self._process.pid
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.lines.append(line.rstrip("\n"))

    @property
    def output(self) -> str:
        """Everything printed so far."""
        return "\n".join(self.lines)

    def wait_for(self, text: str, seconds: float = 120) -> str:
        """The first line that holds `text`; fails when the runner ends, or says nothing like it in time."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            ended = self._process.poll() is not None
            if line := next((line for line in list(self.lines) if text in line), None):
                return line
            assert not ended, f"ended without saying {text!r}:\n{self.output}"
            time.sleep(0.02)
        pytest.fail(f"did not say {text!r} within {seconds} s:\n{self.output}")

    @property
    def url(self) -> str:
        """The front's address, once the stack is ready."""
        return self.wait_for("Nanoka is ready: ").removeprefix("Nanoka is ready: ")

    @property
    def database_url(self) -> str:
        """The superuser's address of the local database, as it is printed."""
        line = self.wait_for("  PostgreSQL ")
        return next(word for word in line.split() if word.startswith("postgresql://"))

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the runner alone, as a program that drives it does."""
        self._process.send_signal(number)

    def wait(self, seconds: float = 60) -> int:
        """Wait for its end and return its exit code."""
        code = self._process.wait(seconds)
        self._reader.join(5)
        assert self._process.stdout is not None
        self._process.stdout.close()
        return code

    def processes(self) -> dict[str, psutil.Process]:
        """The functions' root processes by name, found as anybody could: by their environment."""
        found: dict[str, psutil.Process] = {}
        for process in psutil.Process(self.pid).children():
            with contextlib.suppress(psutil.Error):
                if name := process.environ().get("FUNCTION_TARGET"):
                    found[name] = process
        return found

    def left_over(self) -> list[psutil.Process]:
        """What still runs that has to do with this run: its folder is in the command line or the environment."""
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                words = [*process.cmdline(), process.environ().get("NANOKA_TEST_MARK", "")]
                if process.pid != os.getpid() and any(str(self.folder) in word for word in words):
                    found.append(process)
        return found

    def wait_until_alone(self, seconds: float) -> None:
        """Wait until nothing of this run is left; fails with the list of what is."""
        deadline = time.monotonic() + seconds
        while (left := self.left_over()) and time.monotonic() < deadline:
            time.sleep(0.1)
        assert not left


def make_pages(folder: Path) -> Path:
    """Pages as small as they can be."""
    (folder / "_next" / "static").mkdir(parents=True)
    (folder / "index.html").write_text("<h1>Start</h1>")
    (folder / "c.html").write_text("<h1>Conversation</h1>")
    (folder / "about.html").write_text("<h1>About</h1>")
    (folder / "404.html").write_text("<h1>Not here</h1>")
    (folder / "_next" / "static" / "app.js").write_text("// " + "x" * 5000)
    (folder / ".csp-script-hashes").write_text("'sha256-abc='\n")
    return folder


@contextlib.contextmanager
def runners(folder: Path) -> Iterator[Callable[..., Runner]]:
    """Starts the runner with `run("chat", …)`: all parts but PostgreSQL, NGINX and the functions are elsewhere.

    All of its runs share one home; in the end they are stopped, and nothing of them may be left.
    """
    started: list[Runner] = []
    pages, home = make_pages(folder / "pages"), folder / "home"

    def start(*arguments: str, **env: str) -> Runner:
        options = ["--pages", str(pages)] if arguments[0] == "chat" else []
        environment = {**OTHERS, "NANOKA_PORT": str(ports.free_port()), "NANOKA_TEST_MARK": str(home), **env}
        runner = Runner([*arguments, *options], home, environment)
        started.append(runner)
        return runner

    yield start
    for runner in started:
        with contextlib.suppress(ProcessLookupError):
            os.kill(runner.pid, signal.SIGTERM)
        runner.wait()
    for runner in started:
        runner.wait_until_alone(40)


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Callable[..., Runner]]:
    """Starts the runner in a home of this test's own."""
    with runners(tmp_path) as start:
        yield start


@pytest.fixture(scope="module")
def chat(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runner]:
    """A stack that runs and goes on running, for tests that only look, or break what mends itself."""
    with runners(tmp_path_factory.mktemp("chat")) as start:
        runner = start("chat", **GIVEN)
        runner.wait_for("Nanoka is ready")
        yield runner
