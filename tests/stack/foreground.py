"""Runs a stack for somebody at a terminal, or for a program that sends SIGTERM."""

from __future__ import annotations

import os
import signal
import threading
import time
from typing import TYPE_CHECKING

from tests.stack.errors import StackError

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.stack.console import Console
    from tests.stack.stack import Stack


IMPATIENT_SECONDS = 1.0


class _Beginning(threading.Thread):
    """Starts the stack, so that a signal finds the main thread waiting and nothing else."""

    def __init__(self, stack: Stack, start: Callable[[], None], ready: Callable[[], None]) -> None:
        super().__init__(daemon=True)
        self.failure: BaseException | None = None
        self._stack, self._start, self._ready = stack, start, ready

    def run(self) -> None:
        try:
            self._start()
            self._ready()
        except BaseException as failure:  # noqa: BLE001 - raised again in the main thread
            self.failure = failure
            self._stack.supervisor.ended.set()


def run_in_foreground(stack: Stack, console: Console, start: Callable[[], None], ready: Callable[[], None]) -> None:
    """Start a stack, say that it is ready, and wait for Ctrl-C, SIGTERM or SIGHUP; then stop it.

    Ctrl-C once more, after IMPATIENT_SECONDS, stops everything at once. Raises StackError when the stack cannot
    start or go on.
    """
    asked: list[float] = []

    def ask(number: int, _frame: object) -> None:
        # Not any second signal: programs like `timeout` send the same one twice.
        if asked and number == signal.SIGINT and time.monotonic() - asked[0] > IMPATIENT_SECONDS:
            os.kill(os.getpid(), signal.SIGKILL)  # the guardian ends what is left
        asked.append(time.monotonic())
        stack.supervisor.ended.set()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # nohup's word on SIGHUP holds. A shell's on SIGINT, for what it starts in the background, does not: whoever
        # sends that one by hand means it.
        if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, ask)
    beginning = _Beginning(stack, start, ready)
    beginning.start()
    stack.supervisor.ended.wait()
    if asked:
        console.say("Stopping; answers that are being written may take a moment …")
    stack.stop()
    beginning.join()
    if asked:
        console.say("Stopped.")
    elif beginning.failure is not None:
        raise beginning.failure
    elif stack.supervisor.failure is not None:
        raise StackError(f"{stack.supervisor.failure}\nEverything else has been stopped.")
