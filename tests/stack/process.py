"""Programs of the stack: each in a process group and session of its own, writing to a log file of its own."""

from __future__ import annotations

import atexit
import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

from tests.stack import guardian
from tests.stack.errors import StackError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ROOT = Path(__file__).resolve().parents[2]


class _Guard:
    """This process's end of the guardian's pipe; the guardian starts with the first program."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[str] | None = None

    def tell(self, line: str) -> None:
        with self._lock:
            if self._process is None:
                self._process = subprocess.Popen(
                    [sys.executable, "-I", "-S", guardian.__file__],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.DEVNULL,
                    text=True,
                    start_new_session=True,
                )
                atexit.register(self._close, self._process)
            pipe = self._process.stdin
            assert pipe is not None
            pipe.write(line + "\n")
            pipe.flush()

    @staticmethod
    def _close(process: subprocess.Popen[str]) -> None:
        assert process.stdin is not None
        process.stdin.close()
        process.wait()


_guard = _Guard()


class Program:
    """A running program. `order` is its place when everything stops: lower ones first."""

    def __init__(
        self,
        name: str,
        arguments: Sequence[str | Path],
        *,
        log: Path,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        stop_signal: signal.Signals = signal.SIGTERM,
        order: int = 1,
    ) -> None:
        """Start it; standard output and standard error go to the end of `log`.

        Raises StackError when the program cannot be started or the log not be written.
        """
        self.name = name
        self.log = log
        self.order = order
        self.stop_signal = stop_signal
        try:
            log.parent.mkdir(parents=True, exist_ok=True)
            with log.open("ab") as sink:
                self._log_start = sink.tell()
                self._popen = subprocess.Popen(
                    [str(argument) for argument in arguments],
                    env=dict(os.environ if env is None else env),
                    cwd=cwd or ROOT,
                    stdin=subprocess.DEVNULL,
                    stdout=sink,
                    stderr=sink,
                    start_new_session=True,
                )
        except OSError as error:
            raise StackError(f"{name} could not be started: {error}") from error
        _guard.tell(f"watch {self.pid} {int(stop_signal)} {order}")

    @property
    def pid(self) -> int:
        """The process id, which is also the id of its process group."""
        return self._popen.pid

    @property
    def returncode(self) -> int | None:
        """Its exit code, negative for a signal; None while it runs."""
        return self._popen.poll()

    def wait(self, seconds: float | None = None) -> int:
        """Wait for its end. Raises subprocess.TimeoutExpired after `seconds`."""
        return self._popen.wait(seconds)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the whole process group, if there is anyone left in it."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, number)

    def ask(self) -> None:
        """Ask it to end, by its own signal."""
        self._popen.poll()  # buries a leader that has ended and could not pass anything on
        guardian.ask(self.pid, self.stop_signal)

    def end(self) -> None:
        """End what is left of the whole process group now."""
        self.signal(signal.SIGKILL)
        self._popen.wait()
        _guard.tell(f"forget {self.pid}")

    def story(self) -> str:
        """How it ended, the last lines that it wrote, and where the others are."""
        code = self.returncode
        ending = "is still running" if code is None else f"ended with code {code}"
        if code is not None and code < 0:
            ending = f"was ended by {signal.Signals(-code).name}"
        return f"{self.name} {ending}.\n{self._tail()}Its log is {self.log}"

    def _tail(self, lines: int = 12) -> str:
        with contextlib.suppress(OSError), self.log.open("rb") as source:
            source.seek(self._log_start)
            text = source.read()[-20_000:].decode(errors="replace")
            return "".join(f"    {line}\n" for line in text.splitlines()[-lines:])
        return ""


def stop(programs: Sequence[Program]) -> None:
    """Stop programs in their order, each with its own signal first and SIGKILL for what stays after that."""
    for order in sorted({program.order for program in programs}):
        batch = [program for program in programs if program.order == order]
        for program in batch:
            program.ask()
        deadline = time.monotonic() + guardian.PATIENCE_SECONDS[order]
        for program in batch:
            with contextlib.suppress(subprocess.TimeoutExpired):
                program.wait(max(0.0, deadline - time.monotonic()))
            while guardian.is_alive(program.pid) and time.monotonic() < deadline:
                time.sleep(0.02)  # a worker that outlives its master still belongs to the program
            program.end()


class Programs:
    """The programs of one stack. Once it is stopped nothing can be started in it any more."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: list[Program] = []
        self.stopping = False

    def start(
        self,
        name: str,
        arguments: Sequence[str | Path],
        *,
        log: Path,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        stop_signal: signal.Signals = signal.SIGTERM,
        order: int = 1,
    ) -> Program:
        """Start a program, as Program does."""
        with self._lock:
            if self.stopping:
                raise StackError(f"{name} was not started: everything is being stopped.")
            program = Program(name, arguments, log=log, env=env, cwd=cwd, stop_signal=stop_signal, order=order)
            self._running.append(program)
            return program

    def run(
        self,
        name: str,
        arguments: Sequence[str | Path],
        *,
        log: Path,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        seconds: float = 900,
    ) -> None:
        """Run a program to its end. Raises StackError when it fails or takes longer than `seconds`."""
        program = self.start(name, arguments, log=log, env=env, cwd=cwd, order=0)
        try:
            if program.wait(seconds):
                raise StackError(program.story())
        except subprocess.TimeoutExpired:
            raise StackError(f"After {seconds:.0f} s {program.story()}") from None
        finally:
            self.end(program)

    def end(self, program: Program) -> None:
        """End a program and what is left of its group now."""
        program.end()
        with self._lock:
            if program in self._running:
                self._running.remove(program)

    def dead(self) -> list[Program]:
        """Those that have ended without having been asked to."""
        with self._lock:
            return [program for program in self._running if program.returncode is not None]

    def stop(self) -> None:
        """Stop all of them, in their order."""
        with self._lock:
            self.stopping = True
            running = list(self._running)
        stop(running)
        with self._lock:
            self._running.clear()
