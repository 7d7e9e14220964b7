"""The embedded PostgreSQL: its data, its passwords, its throwaway databases, and how it comes back."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import psutil
import pytest
from pg8000.exceptions import DatabaseError

from tests.stack.errors import StackError
from tests.stack.postgres import Postgres, execute
from tests.stack.process import ROOT

if TYPE_CHECKING:
    from pathlib import Path


def test_is_postgresql_18_with_a_locale_that_is_the_same_everywhere(postgres: Postgres) -> None:
    assert str(postgres.execute("SHOW server_version")[0][0]).startswith("18.")
    assert postgres.execute("SELECT datlocprovider, datlocale FROM pg_database WHERE datname = 'nanoka'") == [
        ["b", "C.UTF-8"]
    ]
    assert postgres.execute("SELECT 'ÄÖ七日' ILIKE '%äö七%'") == [[True]]


def test_lets_nobody_in_without_the_password(postgres: Postgres) -> None:
    with pytest.raises(DatabaseError, match="28P01"):
        execute(postgres.address("nanoka", password="wrong"), "SELECT 1")
    assert (postgres.folder / "password").stat().st_mode & 0o077 == 0


def test_a_throwaway_database_has_the_schema_and_is_gone_afterwards(postgres: Postgres) -> None:
    with postgres.database() as first, postgres.database() as second:
        execute(first, "INSERT INTO users (issuer, subject, email, name) VALUES ('i', 's', 'e', 'n')")
        assert execute(first, "SELECT count(*) FROM users") == [[1]]
        assert execute(second, "SELECT count(*) FROM users") == [[0]]
    with pytest.raises(DatabaseError, match="3D000"):
        execute(first, "SELECT 1")


def test_what_was_committed_survives_a_restart_and_a_crash(tmp_path: Path) -> None:
    with Postgres(tmp_path / "postgres") as server:
        url = server.url
        execute(url, "CREATE TABLE kept (word text)")
        execute(url, "INSERT INTO kept VALUES ('restart')")
        server.restart()
        assert server.url == url
        execute(url, "INSERT INTO kept VALUES ('crash')")
        assert server.program is not None
        server.program.signal(signal.SIGKILL)
        server.program.wait(10)
        server.stop()
        server.start()
        assert execute(url, "SELECT word FROM kept ORDER BY word") == [["crash"], ["restart"]]


def test_a_lock_file_that_names_another_program_is_no_obstacle(tmp_path: Path) -> None:
    server = Postgres(tmp_path / "postgres", durable=False)
    with server:
        lock = (server.data / "postmaster.pid").read_text().splitlines()
    (server.data / "postmaster.pid").write_text("\n".join([str(os.getpid()), *lock[1:]]) + "\n")
    with server:
        assert server.execute("SELECT 1") == [[1]]


def test_a_second_server_on_the_same_data_is_refused(postgres: Postgres) -> None:
    with pytest.raises(StackError, match="already runs"):
        Postgres(postgres.folder, durable=False).start()
    assert postgres.execute("SELECT 1") == [[1]]


def test_a_start_that_broke_off_is_begun_anew(tmp_path: Path) -> None:
    (tmp_path / "data.unfinished").mkdir()
    (tmp_path / "data.unfinished" / "half").touch()
    with Postgres(tmp_path, durable=False) as server:
        assert server.execute("SELECT 1") == [[1]]


def test_data_that_is_broken_is_told_with_the_log(tmp_path: Path) -> None:
    server = Postgres(tmp_path, durable=False)
    with server:
        pass
    shutil.rmtree(server.data / "global")
    with pytest.raises(StackError, match=r"(?s)PostgreSQL ended with code 2.*pg_control.*Its log is"), server:
        pass


def test_is_stopped_when_the_process_that_started_it_is_killed(tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from tests.stack.postgres import Postgres\n"
        "server = Postgres(Path(sys.argv[1]), durable=False); server.start()\n"
        "print(server.program.pid, flush=True); time.sleep(600)"
    )
    starter = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path / "postgres")],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    )
    with starter:
        assert starter.stdout is not None
        server = psutil.Process(int(starter.stdout.readline()))
        family = [server, *server.children(recursive=True)]
        starter.kill()
    deadline = time.monotonic() + 20
    while any(process.is_running() and process.status() != psutil.STATUS_ZOMBIE for process in family):
        assert time.monotonic() < deadline
        time.sleep(0.05)
