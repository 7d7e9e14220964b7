"""Ends what the runner leaves behind, even when the runner itself is killed with SIGKILL.

The guardian reads lines from its standard input, a pipe that only the runner writes to. The kernel closes
that pipe however the runner ends; then the guardian stops every process group it was told of and has not
been told to forget. That works on Linux and macOS alike, where `PR_SET_PDEATHSIG` or cgroups would not.

A line is `watch PGID SIGNAL ORDER` or `forget PGID`. Groups of a lower ORDER are stopped first: functions
before the model and database that they still save their answers with.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from typing import NamedTuple

# Functions have GRACE_SECONDS (20 locally) to finish their answers, and a little more to save them.
PATIENCE_SECONDS = {0: 28.0, 1: 5.0, 2: 5.0}


class Group(NamedTuple):
    """A process group, the signal that asks it to end, and its place in the order of stopping."""

    pgid: int
    signal: int
    order: int


def is_alive(pgid: int) -> bool:
    """True while the process group `pgid` has a member, a zombie included."""
    try:
        os.killpg(pgid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # macOS says so for a group of zombies
        return False
    return True


def ask(pgid: int, number: int) -> None:
    """Ask a group to end by its leader, as Kubernetes does; all of it if the leader has gone.

    The others know from their leader what to do: a PostgreSQL that is just being forked for a client takes the SIGINT
    that tells the server to stop for the wish to cancel its query.
    """
    with contextlib.suppress(ProcessLookupError, PermissionError):
        try:
            leads = os.getpgid(pgid) == pgid
        except ProcessLookupError:
            leads = False
        if leads:
            os.kill(pgid, number)
        else:
            os.killpg(pgid, number)


def stop(groups: list[Group]) -> None:
    """Stop the groups, one order after the other: their own signal first, SIGKILL for what stays."""
    for order in sorted({group.order for group in groups}):
        living = [group for group in groups if group.order == order]
        for group in living:
            ask(group.pgid, group.signal)
        deadline = time.monotonic() + PATIENCE_SECONDS.get(order, 5.0)
        while living := [group for group in living if is_alive(group.pgid)]:
            if time.monotonic() > deadline:
                for group in living:
                    with contextlib.suppress(ProcessLookupError, PermissionError):
                        os.killpg(group.pgid, signal.SIGKILL)
                break
            time.sleep(0.05)


def main() -> None:
    """Keep the list up to date until the pipe closes, then stop what is on it."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    groups: dict[int, Group] = {}
    for line in sys.stdin:
        verb, *numbers = line.split()
        if verb == "watch":
            group = Group(*map(int, numbers))
            groups[group.pgid] = group
        else:
            groups.pop(int(numbers[0]), None)
    stop(list(groups.values()))


if __name__ == "__main__":
    main()
