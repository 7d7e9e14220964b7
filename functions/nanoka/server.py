"""The server for a function in a pod: functions-framework's application on gunicorn, fit for Knative.

`python -m nanoka.server` reads FUNCTION_TARGET, FUNCTION_SOURCE, HOST, PORT and THREADS as functions-framework
does, and GRACE_SECONDS: how long running answers may go on after SIGTERM. functions-framework's own command
stays usable for local testing; it differs in a keepalive of 2 s, which behind Knative's queue-proxy makes
random 502s, and in cutting every stream 30 s after SIGTERM.
"""

import gc

gc.disable()  # nothing that is imported here is ever garbage: looking for it costs a tenth of a cold start

import os  # noqa: E402
import socket  # noqa: E402
import sys  # noqa: E402
import time  # noqa: E402
from types import FrameType  # noqa: E402
from typing import TYPE_CHECKING  # noqa: E402

import gunicorn.util  # noqa: E402
from functions_framework import create_app  # noqa: E402
from functions_framework._http import create_server  # noqa: E402
from functions_framework.exceptions import FunctionsFrameworkException  # noqa: E402
from gunicorn.workers.gthread import ThreadWorker  # noqa: E402

from nanoka import lifecycle  # noqa: E402
from nanoka.problems import Problem  # noqa: E402
from nanoka.settings import ServerSettings, SettingsError  # noqa: E402

if TYPE_CHECKING:
    from threading import Thread

# Above the 90 s after which Knative's queue-proxy and NGINX drop an idle connection: the side that sends
# requests must be the one that closes, or a request can meet a connection that is just being closed.
KEEPALIVE_SECONDS = 120

# After the grace period: to save what is left as interrupted, and to tell those who still read.
SAVING_SECONDS = 5


class Worker(ThreadWorker):  # type: ignore[misc]
    """gunicorn's threaded worker, which at SIGTERM lets the function finish its work, connections or not."""

    def __init__(self, *arguments: object) -> None:
        super().__init__(*arguments)
        self._finishing: list[Thread] | None = None
        self._deadline = 0.0

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._finish()
        super().handle_exit(sig, frame)

    def run(self) -> None:
        """Serve until SIGTERM or the master's death, then until connections and work have come to their end."""
        super().run()
        self._finish()
        for thread in self._finishing or []:
            thread.join(max(0.0, self._deadline - time.monotonic()))

    def _finish(self) -> None:
        if self._finishing is None:
            self._deadline = time.monotonic() + self.cfg.graceful_timeout
            self._finishing = lifecycle.stop(self.cfg.graceful_timeout - SAVING_SECONDS)


def _write_problem(connection: socket.socket, status: int, _reason: str, _message: str) -> None:
    """What gunicorn cannot make a request of, such as too large headers, told as a problem as well."""
    response = Problem(status, "The server could not read the request, or takes none that large.").response()
    head = f"HTTP/1.1 {response.status}\r\nConnection: close\r\nCache-Control: no-store\r\n{response.headers}"
    gunicorn.util.write_nonblock(connection, head.encode() + response.get_data())


def main() -> None:
    """Serve the function until SIGTERM. A wrong setting ends the process at once, with a sentence."""
    try:
        settings = ServerSettings.read()
        app = create_app()  # type: ignore[no-untyped-call]
    except (SettingsError, FunctionsFrameworkException) as error:
        sys.exit(f"{os.environ.get('FUNCTION_TARGET') or 'The function'} cannot start: {error}")
    gunicorn.util.write_error = _write_problem  # instead of its page of HTML
    gc.freeze()
    gc.enable()
    create_server(  # type: ignore[no-untyped-call]
        app,
        debug=False,
        worker_class=Worker,
        threads=settings.threads,
        keepalive=KEEPALIVE_SECONDS,
        graceful_timeout=settings.grace_seconds + SAVING_SECONDS,
        control_socket_disable=True,
    ).run(settings.host, settings.port)


if __name__ == "__main__":
    main()
