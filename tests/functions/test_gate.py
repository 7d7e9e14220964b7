"""Who is inside is waited for, and nobody comes in through a closed gate."""

import threading

import pytest

from nanoka.gate import ClosedError, Gate


def test_whoever_is_inside_is_waited_for() -> None:
    gate, leave = Gate(), threading.Event()
    assert gate.wait_until_empty(0)

    def visit() -> None:
        with gate.enter():
            leave.wait(10)

    with gate.enter():
        visitor = threading.Thread(target=visit)
        visitor.start()
        assert not gate.wait_until_empty(0.05)
    assert not gate.wait_until_empty(0.05)
    threading.Timer(0.05, leave.set).start()
    assert gate.wait_until_empty(10)
    visitor.join()


def test_nobody_comes_in_once_it_is_closed() -> None:
    gate = Gate()
    with gate.enter():
        gate.close()
        assert not gate.wait_until_empty(0)
    with pytest.raises(ClosedError), gate.enter():
        pass
    assert gate.wait_until_empty(-1)


def test_who_fails_has_left() -> None:
    gate = Gate()
    with pytest.raises(ValueError, match="inside"), gate.enter():
        raise ValueError("inside")
    assert gate.wait_until_empty(0)
