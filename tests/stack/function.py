"""One function as a process tree of its own, as its pod would run it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tests.stack import ports, process, services
from tests.stack.errors import StackError

if TYPE_CHECKING:
    from collections.abc import Mapping


class Function:
    """A function on a port of its own.

    `environment` wins over what the manifest declares. `framework=True` runs functions-framework's own server
    instead of ours.
    """

    def __init__(
        self,
        name: str,
        port: int,
        environment: Mapping[str, str],
        log: Path,
        programs: process.Programs,
        *,
        framework: bool = False,
    ) -> None:
        self.service = services.load(name)
        self.name = name
        self.port = port
        self.log = log
        self.program: process.Program | None = None
        self._programs = programs
        self._framework = framework
        self.environment = self._complete(environment)

    @property
    def pid(self) -> int:
        """The process id of gunicorn's master: the root of the tree and its process group's id."""
        assert self.program is not None
        return self.program.pid

    @property
    def url(self) -> str:
        """Where it answers without NGINX."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def command(self) -> list[str]:
        """What its pod runs, by this Python; one more pod of it is the same with another PORT."""
        if self._framework:
            return [str(Path(sys.executable).parent / "functions-framework")]
        first, *rest = self.service.command
        return [sys.executable if first in ("python", "python3") else first, *rest]

    def start(self) -> process.Program:
        """Start it; it serves once `wait` has returned. Raises StackError."""
        if missing := sorted(name for name in self.service.required if not self.environment.get(name)):
            raise StackError(f"The function {self.name} needs settings that are not set: {', '.join(missing)}.")
        self.program = self._programs.start(
            f"The function {self.name}", self.command, log=self.log, env=self.environment, order=0
        )
        return self.program

    def wait(self, seconds: float = 60) -> None:
        """Wait until it listens, which it does once its module is imported. Raises StackError."""
        assert self.program is not None
        ports.wait_for_port(self.program, self.port, seconds)

    def _complete(self, environment: Mapping[str, str]) -> dict[str, str]:
        root = process.ROOT
        declared = {"THREADS": str(self.service.concurrency), **self.service.values}
        return {
            **declared,
            **environment,
            # Absolute, so that the command works from any folder.
            "FUNCTION_SOURCE": str(root / declared["FUNCTION_SOURCE"]),
            "FUNCTION_TARGET": self.service.target,
            "PYTHONPATH": str(root / declared["PYTHONPATH"]),
            "HOST": "127.0.0.1",
            "PORT": str(self.port),
        }
