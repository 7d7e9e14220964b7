"""Knative's genuine queue-proxy, the program beside every function in its pod, started without a cluster.

Its settings are environment variables (`config` and `Env` in `pkg/queue/sharedmain/main.go` of knative.dev/serving).
Two of its ports are fixed, so that one queue-proxy at a time runs on a machine's own network; those of a cluster's
pods have networks of their own.
"""

from __future__ import annotations

import os
import signal
import time
import urllib.request
from typing import TYPE_CHECKING, Self

from tests.cluster import programs
from tests.stack import ports, process
from tests.stack.errors import StackError

if TYPE_CHECKING:
    from pathlib import Path

ADMIN, METRICS = 8022, 9090  # QueueAdminPort and AutoscalingQueueMetricsPort in pkg/networking/constants.go
DRAIN_SECONDS = 30
"""How long it goes on taking requests after SIGTERM (`drainSleepDuration`); not to be configured."""


def built() -> bool:
    """Whether it can be started without being built first."""
    return (programs.folder("knative") / "queue").exists()


class QueueProxy:
    """A queue-proxy before the function that listens on a port of 127.0.0.1, until the `with` statement is left.

    At most `concurrency` requests reach the function at once, ten times as many wait. A request that takes longer
    than `timeout` seconds is ended. Raises GoMissingError when it has to be built and cannot be, StackError when it
    does not start.
    """

    def __init__(self, function: int, folder: Path, *, concurrency: int, timeout: int = 600) -> None:
        self.port = ports.free_port()
        self._log = folder / f"queue-proxy-{self.port}.log"
        self._program = programs.program("knative", "queue")
        self._environment = {
            "CONTAINER_CONCURRENCY": str(concurrency),
            "QUEUE_SERVING_PORT": str(self.port),
            "QUEUE_SERVING_TLS_PORT": str(ports.free_port()),
            "USER_PORT": str(function),
            "REVISION_TIMEOUT_SECONDS": str(timeout),
            # As the functions' annotation features.knative.dev/http-full-duplex asks for.
            "ENABLE_HTTP_FULL_DUPLEX": "true",
            "SERVING_LOGGING_CONFIG": "",
            "SERVING_LOGGING_LEVEL": "",
            "SERVING_NAMESPACE": "nanoka",
            "SERVING_SERVICE": "function",
            "SERVING_CONFIGURATION": "function",
            "SERVING_REVISION": "function-00001",
            "SERVING_POD": "function-00001-pod",
            "SERVING_POD_IP": "127.0.0.1",
        }

    def __enter__(self) -> Self:
        self._wait_for_fixed_ports()
        self.program = process.Program("queue-proxy", [self._program], log=self._log, env=self._environment)
        try:
            for port in (self.port, ADMIN, METRICS):
                ports.wait_for_port(self.program, port, 20)
        except StackError:
            self.program.end()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.program.end()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def terminate(self) -> None:
        """Ask it to end, as Kubernetes does."""
        os.kill(self.program.pid, signal.SIGTERM)

    def wait_for_drain(self) -> None:
        """Return when the function may be asked to end: what the pod's preStop hook, set by Knative, waits for."""
        with urllib.request.urlopen(f"http://127.0.0.1:{ADMIN}/wait-for-drain", timeout=2 * DRAIN_SECONDS) as answer:
            answer.read()

    @staticmethod
    def _wait_for_fixed_ports() -> None:
        """Wait for another run's queue-proxy to end. Raises StackError when the ports stay taken."""
        deadline = time.monotonic() + 2 * DRAIN_SECONDS
        while taken := [port for port in (ADMIN, METRICS) if ports.is_taken(port)]:
            if time.monotonic() > deadline:
                raise StackError(f"queue-proxy needs the ports {ADMIN} and {METRICS}; taken: {taken}")
            time.sleep(0.1)
