"""What the terminal says: a line for each part as it becomes ready, and signs of life during long steps."""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SIGN_OF_LIFE_SECONDS = 10


class Console:
    """Prints whole lines from any thread, to standard output or, for a command whose output is data, nowhere."""

    def __init__(self, *, quiet: bool = False) -> None:
        self._lock = threading.Lock()
        self._quiet = quiet
        self._started = time.monotonic()

    def say(self, line: str) -> None:
        """Print a line at once, also into a pipe."""
        if not self._quiet:
            with self._lock, contextlib.suppress(BrokenPipeError):
                sys.stdout.write(line + "\n")
                sys.stdout.flush()

    def ready(self, part: str, address: str, log: Path | None, since: float) -> None:
        """A part's line: where it is, where it writes to, and how long it took since `since` (monotonic)."""
        where = f"  log {log}" if log else ""
        self.say(f"  {part:<13} {address}  ({time.monotonic() - since:.1f} s){where}")

    @contextlib.contextmanager
    def step(self, what: str) -> Iterator[None]:
        """Announce a long step, say every ten seconds that it goes on, and say how long it took."""
        started = time.monotonic()
        done = threading.Event()

        def signs_of_life() -> None:
            while not done.wait(SIGN_OF_LIFE_SECONDS):
                self.say(f"  … {what}: {time.monotonic() - started:.0f} s so far")

        self.say(f"  … {what}")
        thread = threading.Thread(target=signs_of_life, daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()
        self.say(f"  … {what}: done in {time.monotonic() - started:.1f} s")
