"""The two moments of a function's process that its code must know of.

functions-framework runs a function's module in gunicorn's master and forks: a thread or a connection that was
made on import does not exist in the worker, so background work starts in `after_fork`. At SIGTERM gunicorn
waits for open connections only, so work that has none (an answer whose reader has left) is brought to its end
in `before_exit`.
"""

import os
import threading
from collections.abc import Callable

_finishers: list[Callable[[float], None]] = []

importing = threading.Lock()
"""Held by whoever imports big packages outside a module's top level: their modules import each other in circles, and
of two threads that are in such a circle at once, one may see a module that the other has not finished."""


def after_fork(start: Callable[[], None]) -> None:
    """Call `start` in every worker as soon as it exists; register it while the module is imported.

    Without a fork (a test, the debug server) it is never called: what it prepares must also be made on demand.
    It must return at once, as the worker serves nothing before that.
    """
    os.register_at_fork(after_in_child=start)


def before_exit(finish: Callable[[float], None]) -> None:
    """Call `finish(seconds)` when the process is asked to end (SIGTERM), in a thread of its own.

    `seconds` is how long running work may still go on. `finish` starts no new work, waits that long at most for
    what runs, saves the rest within the few seconds that are left after that, and returns; the process ends when
    it has, and the open connections have been served.
    """
    _finishers.append(finish)


def stop(seconds: float) -> list[threading.Thread]:
    """Start everything that was registered with `before_exit`. The server calls this, at SIGTERM."""
    threads = [threading.Thread(target=finish, args=(seconds,), daemon=True) for finish in _finishers]
    for thread in threads:
        thread.start()
    return threads
