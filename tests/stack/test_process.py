"""Programs: how they are started, in which order they are stopped, and what is told of their end."""

from __future__ import annotations

import signal
import sys
import time
from typing import TYPE_CHECKING

import pytest

from tests.stack import guardian, packages, ports
from tests.stack.errors import StackError
from tests.stack.process import Program, Programs

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def programs() -> Iterator[Programs]:
    started = Programs()
    yield started
    started.stop()


def _python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


WRITES_WHEN_STOPPED = """
import signal, sys, time
def stop(*_):
    with open(sys.argv[1], "a") as file:
        file.write(sys.argv[2] + "\\n")
    sys.exit()
signal.signal(signal.SIGTERM, stop)
print("ready", flush=True)
time.sleep(600)
"""


def _wait_until_ready(program: Program, processes: int = 1) -> None:
    deadline = time.monotonic() + 20
    while program.log.read_text().count("ready") < processes:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_lower_orders_are_stopped_first(programs: Programs, tmp_path: Path) -> None:
    ends = tmp_path / "ends"
    for order in (2, 0, 1):
        log = tmp_path / f"{order}.log"
        _wait_until_ready(
            programs.start(str(order), [*_python(WRITES_WHEN_STOPPED), str(ends), str(order)], log=log, order=order)
        )
    programs.stop()
    assert ends.read_text().split() == ["0", "1", "2"]


def test_what_ignores_its_signal_is_killed_with_all_that_it_started(
    programs: Programs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(guardian.PATIENCE_SECONDS, 1, 0.3)
    stubborn = programs.start(
        "stubborn",
        _python(
            "import signal, subprocess, sys, time\n"
            "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
            "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
            "print('ready', flush=True); time.sleep(600)"
        ),
        log=tmp_path / "log",
    )
    _wait_until_ready(stubborn)
    programs.stop()
    assert stubborn.returncode == -signal.SIGKILL
    deadline = time.monotonic() + 5
    while guardian.is_alive(stubborn.pid):
        assert time.monotonic() < deadline
        time.sleep(0.01)


LEADS_A_CHILD = """
import os, signal, sys, time
def say(word):
    os.write(1, word.encode() + b"\\n")
child = os.fork()
signal.signal(signal.SIGTERM, lambda *_: (say("leader" if child else "child"), os._exit(0)))
if not child or "stay" in sys.argv:
    say("ready")
    time.sleep(600)
"""


def test_only_the_leader_is_asked_to_end(programs: Programs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(guardian.PATIENCE_SECONDS, 1, 0.3)
    pair = programs.start("pair", [*_python(LEADS_A_CHILD), "stay"], log=tmp_path / "log")
    _wait_until_ready(pair, processes=2)
    programs.stop()
    assert pair.log.read_text().split() == ["ready", "ready", "leader"]


def test_without_a_leader_those_that_are_left_are_asked_to_end(programs: Programs, tmp_path: Path) -> None:
    orphan = programs.start("orphan", _python(LEADS_A_CHILD), log=tmp_path / "log")
    _wait_until_ready(orphan)
    orphan.wait(20)
    programs.stop()
    assert orphan.log.read_text().split() == ["ready", "child"]


def test_nothing_is_started_once_everything_is_being_stopped(programs: Programs, tmp_path: Path) -> None:
    programs.stop()
    with pytest.raises(StackError, match="late was not started"):
        programs.start("late", _python(""), log=tmp_path / "log")


def test_a_program_that_cannot_be_started_is_named(programs: Programs, tmp_path: Path) -> None:
    with pytest.raises(StackError, match=r"The model could not be started: .*no-such-program"):
        programs.start("The model", ["/no-such-program"], log=tmp_path / "log")


def test_a_step_that_fails_tells_its_last_words_and_its_log(programs: Programs, tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("words of an earlier run\n")
    with pytest.raises(StackError) as caught:
        programs.run("The build", _python("print('no space left'); raise SystemExit(3)"), log=log)
    assert str(caught.value) == f"The build ended with code 3.\n    no space left\nIts log is {log}"


def test_a_step_that_takes_too_long_is_ended(programs: Programs, tmp_path: Path) -> None:
    begun = time.monotonic()
    with pytest.raises(StackError, match=r"After 0 s The build is still running"):
        programs.run("The build", _python("import time; time.sleep(600)"), log=tmp_path / "log", seconds=0.2)
    assert time.monotonic() - begun < 10


def test_those_that_died_are_known_and_how(programs: Programs, tmp_path: Path) -> None:
    dead = programs.start(
        "dead", _python("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)"), log=tmp_path / "1"
    )
    programs.start("living", _python("import time; time.sleep(600)"), log=tmp_path / "2")
    dead.wait(20)
    assert programs.dead() == [dead]
    assert dead.story().startswith("dead was ended by SIGSEGV.")


def test_a_part_that_dies_or_stays_silent_while_starting_is_told(programs: Programs, tmp_path: Path) -> None:
    dead = programs.start("The sign-in", _python("raise SystemExit('no key')"), log=tmp_path / "1")
    with pytest.raises(StackError, match=r"(?s)While starting, The sign-in ended with code 1.*no key"):
        ports.wait_for_port(dead, ports.free_port(), 20)
    silent = programs.start("The model", _python("import time; time.sleep(600)"), log=tmp_path / "2")
    with pytest.raises(StackError, match="nothing listens on port"):
        ports.wait_for_port(silent, ports.free_port(), 0.1)


def test_a_missing_package_is_named_with_a_way_out() -> None:
    with pytest.raises(StackError, match=r"`no-such-package` is not installed.*or set THIS\."):
        packages.folder("no_such_package", "no-such-package", "set THIS.")
