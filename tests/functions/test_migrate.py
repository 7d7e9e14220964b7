"""Migrations: each step once, whole or not at all, whoever else runs them; and the roles that they leave."""

import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from pg8000.exceptions import DatabaseError

from nanoka import migrate
from nanoka.database import Database
from nanoka.settings import DatabaseSettings, MigrateSettings, SettingsError
from tests.functions.conftest import FUNCTIONS
from tests.stack.postgres import Postgres, execute


@pytest.fixture
def empty(postgres: Postgres) -> Iterator[str]:
    """An empty database, by its superuser's address."""
    name = f"empty_{secrets.token_hex(6)}"
    postgres.execute(f"CREATE DATABASE {name}", "postgres")
    yield postgres.address(name)
    postgres.execute(f"DROP DATABASE {name} WITH (FORCE)", "postgres")


@pytest.fixture
def pool(empty: str) -> Iterator[Database]:
    database = Database(DatabaseSettings.read({"DATABASE_URL": empty}), name="migrate", statement_timeout=60)
    yield database
    database.close()


@pytest.fixture
def steps(tmp_path: Path) -> Path:
    """A folder with two steps and harmless grants."""
    (tmp_path / "0001_first.sql").write_text("CREATE TABLE first (id int); INSERT INTO first VALUES (1);")
    (tmp_path / "0002_second.sql").write_text("CREATE TABLE second (id int);")
    (tmp_path / "grants.sql").write_text("SELECT 1;")
    return tmp_path


def run(url: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """The command, as the Job runs it."""
    env = {**os.environ, "DATABASE_URL": url, "PYTHONPATH": str(FUNCTIONS), **environment}
    return subprocess.run(
        [sys.executable, "-m", "nanoka.migrate"], env=env, capture_output=True, text=True, check=False, timeout=120
    )


def test_each_step_runs_once_in_the_order_of_names(pool: Database, steps: Path) -> None:
    assert migrate.migrate(pool, steps) == ["0001_first", "0002_second"]
    assert migrate.migrate(pool, steps) == []
    (steps / "0003_third.sql").write_text("INSERT INTO first VALUES (3);")
    assert migrate.migrate(pool, steps) == ["0003_third"]
    assert pool.run("SELECT id FROM first") == [[1], [3]]


def test_a_step_that_fails_leaves_nothing_and_stops_the_rest(pool: Database, steps: Path) -> None:
    (steps / "0002_second.sql").write_text("CREATE TABLE second (id int); SELECT 1/0;")
    (steps / "0003_third.sql").write_text("CREATE TABLE third (id int);")
    with pytest.raises(DatabaseError, match="22012"):
        migrate.migrate(pool, steps)
    assert pool.run("SELECT name FROM migrations") == [["0001_first"]]
    assert pool.run("SELECT to_regclass('second'), to_regclass('third')") == [[None, None]]
    (steps / "0002_second.sql").write_text("CREATE TABLE second (id int);")
    assert migrate.migrate(pool, steps) == ["0002_second", "0003_third"]


def test_a_step_of_a_newer_version_is_left_alone(pool: Database, steps: Path) -> None:
    migrate.migrate(pool, steps)
    pool.run("INSERT INTO migrations (name) VALUES ('0009_newer')")
    assert migrate.migrate(pool, steps) == []


def test_runners_at_once_share_the_work(empty: str, steps: Path) -> None:
    (steps / "0001_first.sql").write_text("CREATE TABLE first (id int); SELECT pg_sleep(0.2);")
    pools = [Database(DatabaseSettings.read({"DATABASE_URL": empty}), statement_timeout=60) for _ in range(4)]
    with ThreadPoolExecutor() as executor:
        applied = list(executor.map(lambda pool: migrate.migrate(pool, steps), pools))
    for pool in pools:
        pool.close()
    assert sorted(name for names in applied for name in names) == ["0001_first", "0002_second"]


def test_a_runner_that_is_killed_leaves_a_database_that_the_next_one_finishes(empty: str, pool: Database) -> None:
    """The runner waits behind our lock in the middle of its first step, and is killed there."""
    pool.run("CREATE TABLE migrations (name text PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())")
    pool.run("CREATE FUNCTION pause() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(60); END'")
    pool.run("CREATE EVENT TRIGGER pause ON ddl_command_end WHEN TAG IN ('CREATE INDEX') EXECUTE FUNCTION pause()")
    env = {**os.environ, "DATABASE_URL": empty, "PYTHONPATH": str(FUNCTIONS)}
    with subprocess.Popen([sys.executable, "-m", "nanoka.migrate"], env=env) as runner:
        while not pool.run(
            "SELECT FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()"
        ):
            assert runner.poll() is None
        runner.kill()
    pool.run("DROP EVENT TRIGGER pause")
    pool.run(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE wait_event = 'PgSleep' AND datname = current_database()"
    )
    assert pool.run("SELECT to_regclass('users')") == [[None]]
    assert run(empty).returncode == 0
    assert pool.run("SELECT count(*) FROM users") == [[0]]


def test_the_command_says_what_it_did_and_can_be_run_again(empty: str) -> None:
    first, second = run(empty), run(empty)
    assert first.returncode == second.returncode == 0, first.stderr + second.stderr
    assert first.stdout.splitlines() == [f"applied {step.stem}" for step in sorted(migrate.STEPS.glob("[0-9]*.sql"))]
    assert second.stdout == ""


def test_databases_of_one_server_are_migrated_at_once_although_they_share_their_roles(postgres: Postgres) -> None:
    names = [f"side_{secrets.token_hex(6)}" for _ in range(3)]
    for name in names:
        postgres.execute(f"CREATE DATABASE {name}", "postgres")
    with ThreadPoolExecutor() as executor:
        results = list(executor.map(lambda name: run(postgres.address(name)), names))
    for name in names:
        postgres.execute(f"DROP DATABASE {name} WITH (FORCE)", "postgres")
    assert [result.returncode for result in results] == [0, 0, 0], [result.stderr for result in results]


def test_users_get_their_role_and_just_its_rights(postgres: Postgres, empty: str) -> None:
    name = empty.rsplit("/", 1)[1]
    app, purge = f"app-{secrets.token_hex(3)}@project.iam", f"purge-{secrets.token_hex(3)}@project.iam"
    for user in (app, purge):
        postgres.execute(f"CREATE ROLE \"{user}\" LOGIN PASSWORD 'p'")
    for _ in range(2):
        result = run(empty, DB_APP_USERS=f" {app} ,", DB_PURGE_USERS=purge)
        assert result.returncode == 0, result.stderr
    as_app = postgres.address(name, app.replace("@", "%40"), "p")
    as_purge = postgres.address(name, purge.replace("@", "%40"), "p")
    for table in ("users", "sessions", "conversations", "messages"):
        execute(as_app, f"SELECT count(*) FROM {table}")
        execute(as_app, f"DELETE FROM {table}")
    for statement in (
        "DROP TABLE messages_default",
        "TRUNCATE messages",
        "CREATE TABLE mine (id int)",
        "SELECT FROM migrations",
        "ALTER TABLE users ADD COLUMN x int",
    ):
        with pytest.raises(DatabaseError, match="42501"):
            execute(as_app, statement)
    execute(as_purge, "DELETE FROM conversations")
    execute(as_purge, "TRUNCATE messages_default")
    for statement in ("SELECT FROM users", "INSERT INTO conversations (id, user_id) VALUES (gen_random_uuid(), NULL)"):
        with pytest.raises(DatabaseError, match="42501"):
            execute(as_purge, statement)


def test_a_user_who_does_not_exist_is_named(empty: str) -> None:
    result = run(empty, DB_APP_USERS="nobody@project.iam")
    assert result.returncode == 1
    assert "nobody@project.iam" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("may_create_roles", [True, False])
def test_an_ordinary_owner_can_migrate_and_then_run_everything(postgres: Postgres, *, may_create_roles: bool) -> None:
    owner = f"owner_{secrets.token_hex(4)}"
    postgres.execute(f"CREATE ROLE {owner} LOGIN PASSWORD 'p' {'CREATEROLE' if may_create_roles else ''}")
    postgres.execute(f"CREATE DATABASE {owner} OWNER {owner}", "postgres")
    url = postgres.address(owner, owner, "p")
    for _ in range(2):
        result = run(url)
        assert result.returncode == 0, result.stderr
    execute(url, "SELECT count(*) FROM messages")
    execute(url, "DROP TABLE messages_default")
    postgres.execute(f"DROP DATABASE {owner} WITH (FORCE)", "postgres")


def test_what_cannot_be_done_is_a_sentence(postgres: Postgres, empty: str) -> None:
    user = f"guest_{secrets.token_hex(4)}"
    postgres.execute(f"CREATE ROLE {user} LOGIN PASSWORD 'p'")
    name = empty.rsplit("/", 1)[1]
    for url, words in (
        (postgres.address(name, user, "p"), "permission denied"),
        (postgres.address(name, user, "wrong"), "password"),
        (postgres.address("no_such_database"), "does not exist"),
        ("mysql://x", "DATABASE_URL"),
    ):
        result = run(url)
        assert result.returncode == 1
        assert words in result.stderr
        assert "Traceback" not in result.stderr
        assert "wrong" not in result.stderr


def test_names_of_users_are_checked() -> None:
    assert MigrateSettings.read({"DB_APP_USERS": "a@b.iam, c", "DB_PURGE_USERS": ""}) == MigrateSettings(
        ("a@b.iam", "c"), ()
    )
    with pytest.raises(SettingsError, match="DB_PURGE_USERS"):
        MigrateSettings.read({"DB_PURGE_USERS": "x" * 64})
    with pytest.raises(SettingsError, match="DB_APP_USERS"):
        MigrateSettings.read({"DB_APP_USERS": "a\x01b"})
