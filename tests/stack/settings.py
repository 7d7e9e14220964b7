"""What the functions are told: by the environment first, then by the parts that run here."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

from tests.stack.errors import StackError

if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT_PORT = 8080


class Settings:
    """The environment that was given, and what local parts add to it."""

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        self._given = {**os.environ, **(environment or {})}
        self._told: dict[str, str] = {}
        self._lock = threading.Lock()

    def given(self, name: str) -> str:
        """A variable of the environment; an empty one counts as none."""
        return self._given.get(name, "").strip()

    def tell(self, **values: str) -> None:
        """Add settings; one that the environment has already stays as it is there."""
        with self._lock:
            self._told |= {name: value for name, value in values.items() if not self.given(name)}

    def insist(self, **values: str) -> None:
        """Add settings that only a part started here can know."""
        with self._lock:
            self._told |= values

    def told(self) -> dict[str, str]:
        """What local parts added."""
        with self._lock:
            return dict(self._told)

    def complete(self) -> dict[str, str]:
        """The whole environment for a function."""
        return {**self._given, **self.told()}

    def front_port(self) -> int:
        """The port of the front, NANOKA_PORT. Raises StackError when that is none."""
        value = self.given("NANOKA_PORT") or str(DEFAULT_PORT)
        if not (value.isascii() and value.isdigit() and 0 < int(value) < 65_536):
            raise StackError(f"NANOKA_PORT must be a port, a number from 1 to 65535, and not {value!r}.")
        return int(value)
