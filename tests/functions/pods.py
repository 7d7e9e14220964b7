"""A function in a process of its own, as in a pod: `python -m nanoka.server` with the environment of a test."""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING

import psutil

from tests.functions.conftest import FUNCTIONS
from tests.stack import ports, process

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


class Pod:
    """A running function. Its standard output and error go to `log`."""

    def __init__(self, name: str, environment: Mapping[str, str], folder: Path) -> None:
        self.port = ports.free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self.log = folder / f"{name}-{self.port}.log"
        inherited = {key: value for key, value in os.environ.items() if not key.startswith(("COV_", "GOOGLE_"))}
        self.program = process.Program(
            name,
            [sys.executable, "-m", "nanoka.server"],
            log=self.log,
            env=inherited
            | {
                "PYTHONPATH": str(FUNCTIONS),
                "FUNCTION_TARGET": name,
                "FUNCTION_SOURCE": str(FUNCTIONS / name / "main.py"),
                "PORT": str(self.port),
                "THREADS": "32",
                "GRACE_SECONDS": "20",
            }
            | dict(environment),
        )

    def wait_until_ready(self) -> Pod:
        ports.wait_for_port(self.program, self.port, 30)
        return self

    @property
    def threads(self) -> int:
        """The threads of all its processes."""
        master = psutil.Process(self.program.pid)
        return sum(process.num_threads() for process in [master, *master.children(recursive=True)])

    def kill(self) -> None:
        """End every process of it at once, as a node that fails does."""
        self.program.signal(signal.SIGKILL)
        self.program.wait(10)

    def terminate(self) -> None:
        """Ask it to end, as Kubernetes does."""
        os.kill(self.program.pid, signal.SIGTERM)

    def close(self) -> None:
        self.program.end()
