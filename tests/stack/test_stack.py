"""What every stack promises, whoever starts it."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.stack.stack import Stack


def test_one_thread_at_a_time_stops_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A start that fails stops the stack, and so does whoever waits for its end and hears of it at that moment."""
    stack = Stack(folder=tmp_path)
    stack.home.hold()
    inside, both = list[None](), threading.Event()

    def stop() -> None:
        """Leaves the other one time to come in, too."""
        inside.append(None)
        if len(inside) == 2:
            both.set()
        both.wait(0.5)
        inside.pop()

    monkeypatch.setattr(stack.programs, "stop", stop)
    with ThreadPoolExecutor(2) as pool:
        for stopped in [pool.submit(stack.stop) for _ in range(2)]:
            stopped.result()
    assert not both.is_set()
