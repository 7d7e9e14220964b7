"""Watches what runs: a function that dies is started again, any other part that dies ends the stack."""

from __future__ import annotations

import contextlib
import signal
import threading
import time
from typing import TYPE_CHECKING

import psutil

from tests.stack.errors import StackError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.stack.console import Console
    from tests.stack.function import Function
    from tests.stack.process import Programs

LOOK_SECONDS = 0.1
WORKERS_SECONDS = 0.5
"""Between two looks at the functions' workers, which their masters replace by themselves."""
SETTLED_SECONDS = 5.0
PAUSE_SECONDS = 1.0
"""Before the next start of a function that did not live for SETTLED_SECONDS: it may never come up."""


class Supervisor:
    """`failure` is set, and then `ended`, when the stack cannot go on."""

    def __init__(self, programs: Programs, functions: Mapping[str, Function], console: Console) -> None:
        self.failure: StackError | None = None
        self.ended = threading.Event()
        self._programs = programs
        self._functions = functions
        self._console = console
        self._started: dict[str, float] = {}
        self._due: dict[str, float] = {}
        self._workers: dict[int, set[int]] = {}
        self._workers_due = 0.0
        self._thread = threading.Thread(target=self._watch, daemon=True, name="supervisor")

    def start(self) -> None:
        """Begin to watch."""
        self._started = dict.fromkeys(self._functions, time.monotonic())
        self._tell_of_workers()
        self._thread.start()

    def stop(self) -> None:
        """Watch no more; call it before stopping the programs."""
        self.ended.set()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join()

    def _watch(self) -> None:
        while not self.ended.wait(LOOK_SECONDS):
            try:
                self._bury()
                self._revive()
                self._tell_of_workers()
            except Exception as error:  # noqa: BLE001 - without its watcher the stack must not go on
                self.failure = (
                    error if isinstance(error, StackError) else StackError(f"The supervisor failed: {error!r}")
                )
                self.ended.set()

    def _bury(self) -> None:
        now = time.monotonic()
        for program in self._programs.dead():
            function = next((f for f in self._functions.values() if f.program is program), None)
            if function is None:
                raise StackError(program.story())
            settled = now - self._started[function.name] > SETTLED_SECONDS
            self._due[function.name] = now if settled else now + PAUSE_SECONDS
            code = program.returncode or 0
            how = signal.Signals(-code).name if code < 0 else f"exit code {code}"
            self._console.say(f"{program.name} (process {program.pid}) died of {how}; its log is {program.log}")
            # Its workers would keep the port, and go on without a master.
            self._programs.end(program)

    def _tell_of_workers(self) -> None:
        now = time.monotonic()
        if now < self._workers_due:
            return
        self._workers_due = now + WORKERS_SECONDS
        found: dict[int, set[int]] = {}
        for function in self._functions.values():
            with contextlib.suppress(psutil.NoSuchProcess):
                found[function.pid] = {worker.pid for worker in psutil.Process(function.pid).children()}
                for dead in self._workers.get(function.pid, set()) - found[function.pid]:
                    self._console.say(
                        f"The function {function.name}'s worker (process {dead}) died;"
                        f" process {function.pid} starts another"
                    )
        self._workers = found

    def _revive(self) -> None:
        now = time.monotonic()
        for name in [name for name, due in self._due.items() if due <= now]:
            del self._due[name]
            program = self._functions[name].start()
            self._started[name] = now
            self._console.say(f"{program.name} has been started again as process {program.pid}")
