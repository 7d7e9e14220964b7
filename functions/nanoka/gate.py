"""Counts who is inside: what must have left before a process may end."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class ClosedError(Exception):
    """Nobody is let in any more."""


class Gate:
    """Whoever is inside is waited for; once it is closed nobody comes in."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._inside = 0
        self._closed = False

    @contextmanager
    def enter(self) -> Iterator[None]:
        """Be inside for as long as the block lasts. Raises ClosedError."""
        with self._changed:
            if self._closed:
                raise ClosedError
            self._inside += 1
        try:
            yield
        finally:
            with self._changed:
                self._inside -= 1
                self._changed.notify_all()

    def close(self) -> None:
        """Let nobody in from now on."""
        with self._changed:
            self._closed = True

    def wait_until_empty(self, seconds: float) -> bool:
        """Wait until everybody has left; whether that came in time."""
        with self._changed:
            return self._changed.wait_for(lambda: self._inside == 0, max(0.0, seconds))
