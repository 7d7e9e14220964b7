"""A stack's folder, its ports, and the settings that the environment gives."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.stack import services
from tests.stack.errors import StackError
from tests.stack.function import Function
from tests.stack.home import PERSISTENT, Home
from tests.stack.ports import RANGE, Ports
from tests.stack.process import ROOT, Programs
from tests.stack.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path


def test_one_stack_at_a_time(tmp_path: Path) -> None:
    first, second = Home(tmp_path), Home(tmp_path)
    first.hold()
    with pytest.raises(StackError, match="already runs"):
        second.hold()
    first.release()
    second.hold()
    second.release()


def test_the_hold_ends_with_the_process(tmp_path: Path) -> None:
    code = (
        "import sys, os; from pathlib import Path; from tests.stack.home import Home\n"
        "Home(Path(sys.argv[1])).hold(); os._exit(9)"
    )
    subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=False
    )
    home = Home(tmp_path)
    home.hold()
    home.release()


def test_a_full_disk_is_told_before_anything_starts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=12_000_000))
    home = Home(tmp_path)
    with pytest.raises(StackError, match=r"is full: 12 MB are free, 300 MB are needed\. Make room"):
        home.hold()
    monkeypatch.undo()
    home.hold()  # the failed attempt holds nothing
    home.release()


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StackError, match="cannot be written"):
        Home(tmp_path / "file").hold()


def test_reset_forgets_data_and_nothing_else(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.hold()
    for name in ("postgres", "sign-in", "token-issuer", "other"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "data").touch()
    (tmp_path / "ports.json").write_text("{}")
    home.forget()
    assert {path.name for path in tmp_path.iterdir()} == {"lock", "other"}
    assert "ports.json" in PERSISTENT
    home.release()


def test_other_commands_learn_what_runs_and_only_while_it_does(tmp_path: Path) -> None:
    home = Home(tmp_path)
    assert home.running() is None
    home.hold()
    home.tell(url="http://localhost:1")
    running = Home(tmp_path).running()
    assert running is not None
    assert (running["url"], running["pid"]) == ("http://localhost:1", os.getpid())
    assert (tmp_path / "stack.json").stat().st_mode & 0o077 == 0
    home.release()
    assert Home(tmp_path).running() is None


def test_a_part_keeps_its_port_unless_somebody_took_it(tmp_path: Path) -> None:
    file = tmp_path / "ports.json"
    ports = Ports(file)
    first, second = ports.claim("sign-in"), ports.claim("model")
    assert first != second
    assert {first, second} <= set(RANGE)
    assert Ports(file).claim("sign-in") == first
    with socket.create_server(("127.0.0.1", first)):
        moved = Ports(file)
        assert moved.claim("sign-in") not in (first, second)
        assert moved.before("sign-in") == first


def test_the_environment_wins_over_what_parts_tell() -> None:
    settings = Settings({"PUBLIC_URL": "https://mine.example", "OIDC_CLIENT_ID": ""})
    settings.tell(PUBLIC_URL="http://localhost:1", OIDC_CLIENT_ID="local", GRACE_SECONDS="20")
    complete = settings.complete()
    assert complete["PUBLIC_URL"] == "https://mine.example"
    assert complete["OIDC_CLIENT_ID"] == "local"  # an empty variable is none
    assert complete["GRACE_SECONDS"] == "20"
    settings.insist(PUBLIC_URL="x")
    assert settings.complete()["PUBLIC_URL"] == "x"


@pytest.mark.parametrize("value", ["http", "0", "65536", "-1", "８０８０"])
def test_a_front_port_that_is_none_is_told(value: str) -> None:
    with pytest.raises(StackError, match="NANOKA_PORT must be a port"):
        Settings({"NANOKA_PORT": value}).front_port()


@pytest.mark.parametrize("name", services.NAMES)
def test_functions_run_as_knative_declares_them(name: str, tmp_path: Path) -> None:
    function = Function(name, 1234, {"GRACE_SECONDS": "20", "PATH": "/bin"}, tmp_path / "log", Programs())
    service = services.load(name)
    assert function.command == [sys.executable, "-m", "nanoka.server"]
    assert function.environment["FUNCTION_TARGET"] == name
    assert function.environment["FUNCTION_SOURCE"] == str(ROOT / "functions" / name / "main.py")
    assert function.environment["THREADS"] == str(service.concurrency) == service.values["THREADS"]
    assert function.environment["DATABASE_POOL_SIZE"] == service.values["DATABASE_POOL_SIZE"]
    assert function.environment["GRACE_SECONDS"] == "20"
    assert service.values["GRACE_SECONDS"] != "20"
    assert function.environment["PORT"] == "1234"


def test_a_function_without_a_setting_that_it_needs_is_not_started(tmp_path: Path) -> None:
    environment = {"PUBLIC_URL": "http://localhost:1", "OIDC_CLIENT_ID": "client"}
    with pytest.raises(StackError, match=r"login needs settings that are not set: OIDC_CLIENT_SECRET\."):
        Function("login", 1234, environment, tmp_path / "log", Programs()).start()


def test_a_manifest_that_declares_no_function_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "BASE", tmp_path)
    (tmp_path / "login.yaml").write_text("spec: {template: {spec: {containers: []}}}")
    for name in ("login", "purge"):
        with pytest.raises(StackError, match=f"{name}.yaml does not declare a function"):
            services.load(name)
