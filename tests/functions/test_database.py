"""The pool: threads, a database that restarts under traffic, statements that take too long, logins that fail."""

import os
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pg8000.exceptions import DatabaseError

from nanoka import database as module
from nanoka.database import Connection, Database, DatabaseUnavailableError, address, message, sqlstate
from nanoka.settings import DatabaseSettings, SettingsError
from tests.stack.postgres import Postgres


@pytest.fixture
def make(database_url: str) -> Iterator[Callable[..., Database]]:
    """Makes pools on the test's database."""
    pools: list[Database] = []

    def pool(url: str = database_url, *, size: int = 5, timeout: float = 10.0) -> Database:
        settings = DatabaseSettings.read({"DATABASE_URL": url, "DATABASE_POOL_SIZE": str(size)})
        pools.append(Database(settings, name="pool", statement_timeout=timeout))
        return pools[-1]

    yield pool
    for one in pools:
        one.close()


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[Postgres]:
    """A server that this test alone may stop."""
    with Postgres(tmp_path, durable=False) as server:
        yield server


def backends(pool: Database) -> int:
    ((count,),) = pool.run(
        "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'pool' AND datname = current_database()"
    )
    return int(count)


def test_importing_and_making_a_pool_connects_to_nothing(make: Callable[..., Database]) -> None:
    make("postgresql://nobody@127.0.0.1:9/nothing")


def test_threads_never_get_each_others_answers(make: Callable[..., Database]) -> None:
    pool = make(size=3)
    with ThreadPoolExecutor(12) as executor:
        answers = list(
            executor.map(lambda n: pool.run("SELECT CAST(:n AS int), pg_sleep(0.001)", n=n)[0][0], range(300))
        )
    assert answers == list(range(300))
    assert backends(pool) <= 3


def test_who_finds_every_connection_in_use_waits_and_then_is_told(
    make: Callable[..., Database], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "RECOVERY", 0.2)
    pool = make(size=1)
    entered, leave = threading.Event(), threading.Event()

    def hold(connection: Connection) -> None:
        connection.run("SELECT 1")
        entered.set()
        leave.wait(30)

    with ThreadPoolExecutor() as executor:
        holding = executor.submit(pool.session, hold)
        entered.wait(30)
        with pytest.raises(DatabaseUnavailableError, match="in use"):
            pool.run("SELECT 1")
        leave.set()
        holding.result()
    assert pool.run("SELECT 1") == [[1]]


def test_connections_are_kept_and_their_statements_prepared_once(make: Callable[..., Database]) -> None:
    pool = make(size=1)
    for n in range(3):
        assert pool.run("SELECT CAST(:n AS int)", n=n) == [[n]]
    ((prepared,),) = pool.run("SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE 'SELECT CAST(%'")
    assert prepared == 1


def test_a_transaction_is_whole_or_nothing(make: Callable[..., Database]) -> None:
    pool = make(size=1)
    pool.run("CREATE TABLE t (id int PRIMARY KEY)")

    def fail(connection: Connection) -> None:
        connection.run("INSERT INTO t VALUES (1)")
        raise LookupError

    with pytest.raises(LookupError):
        pool.transaction(fail)
    assert pool.run("SELECT id FROM t") == []
    assert pool.transaction(lambda connection: connection.run("INSERT INTO t VALUES (2) RETURNING id")) == [[2]]
    with pytest.raises(DatabaseError) as error:
        pool.run("INSERT INTO t VALUES (2)")
    assert sqlstate(error.value) == "23505"
    assert "duplicate key" in message(error.value)
    assert pool.run("SELECT id FROM t") == [[2]]
    assert backends(pool) == 1


def test_transactions_that_are_in_each_others_way_are_run_again(make: Callable[..., Database]) -> None:
    pool = make(size=2)
    pool.run("CREATE TABLE t (id int PRIMARY KEY, n int)")
    pool.run("INSERT INTO t VALUES (1, 0), (2, 0)")
    pool.run(f"ALTER DATABASE {pool.settings.url.rsplit('/', 1)[1]} SET deadlock_timeout = '20ms'")
    pool.close()
    meeting = threading.Barrier(2, timeout=30)

    def both(first: int, second: int) -> None:
        met = False

        def work(connection: Connection) -> None:
            nonlocal met
            connection.run("UPDATE t SET n = n + 1 WHERE id = :id", id=first)
            if not met:
                met = True
                meeting.wait()
            connection.run("UPDATE t SET n = n + 1 WHERE id = :id", id=second)

        pool.transaction(work)

    with ThreadPoolExecutor() as executor:
        for running in [executor.submit(both, 1, 2), executor.submit(both, 2, 1)]:
            running.result()
    assert pool.run("SELECT n FROM t") == [[2], [2]]


def test_a_statement_that_takes_too_long_is_ended_and_its_connection_kept(make: Callable[..., Database]) -> None:
    pool = make(size=1, timeout=0.1)
    with pytest.raises(DatabaseUnavailableError, match="too long"):
        pool.run("SELECT pg_sleep(10)")
    assert pool.run("SELECT 1") == [[1]]
    assert backends(pool) == 1


def test_a_connection_that_the_server_ended_is_replaced_unnoticed(make: Callable[..., Database]) -> None:
    pool, killer = make(size=2), make()
    pool.run("SELECT 1")
    killer.run(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE pid <> pg_backend_pid() AND datname = current_database()"
    )
    while backends(killer) > 1:  # it ends them soon, not at once
        killer.run("SELECT pg_sleep(0.01)")
    assert pool.run("SELECT 2") == [[2]]  # although nobody said that it may be run again
    assert pool.transaction(lambda connection: connection.run("SELECT 3")) == [[3]]


def test_a_connection_that_rested_is_tried_before_it_is_used(
    make: Callable[..., Database], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CHECK_AFTER", -1.0)
    pool = make(size=1)
    for _ in range(3):
        assert pool.run("SELECT pg_backend_pid()") == pool.run("SELECT pg_backend_pid()")
    (connection,) = pool._idle  # noqa: SLF001
    patience = connection.raw._usock.gettimeout()  # noqa: SLF001
    assert connection.alive()
    assert connection.raw._usock.gettimeout() == patience == 15  # noqa: SLF001


def end_in_the_middle(connection: Connection) -> None:
    connection.run("SELECT pg_terminate_backend(pg_backend_pid())")


def test_what_was_lost_midway_is_run_again_only_if_that_does_no_harm(make: Callable[..., Database]) -> None:
    pool = make()
    pool.run("CREATE TABLE t (id int)")
    with pytest.raises(DatabaseUnavailableError, match="lost"):
        pool.run("SELECT pg_terminate_backend(pg_backend_pid())")
    runs: list[int] = []

    def lost_once(connection: Connection) -> None:
        runs.append(1)
        connection.run("INSERT INTO t VALUES (1)")
        if len(runs) == 1:
            end_in_the_middle(connection)

    pool.transaction(lost_once)  # nothing of the first attempt was committed
    assert pool.run("SELECT count(*) FROM t") == [[1]]
    runs.clear()
    with pytest.raises(DatabaseUnavailableError, match="lost"):
        pool.session(lost_once)  # but here the INSERT was
    assert len(runs) == 1


def test_a_lost_commit_is_repeated_only_when_asked(
    make: Callable[..., Database], monkeypatch: pytest.MonkeyPatch
) -> None:
    pool = make()
    script, commits = Connection.script, []

    def lose(self: Connection, sql: str) -> None:
        script(self, sql)
        if sql == "COMMIT":
            commits.append(sql)
            if len(commits) == 1:
                raise ConnectionResetError

    monkeypatch.setattr(Connection, "script", lose)
    with pytest.raises(DatabaseUnavailableError, match="lost"):
        pool.transaction(lambda connection: connection.run("SELECT 1"))
    assert len(commits) == 1
    commits.clear()
    assert pool.transaction(lambda connection: connection.run("SELECT 1"), retry=True) == [[1]]
    assert len(commits) == 2


def test_an_answer_that_was_not_read_to_its_end_is_nobody_elses(
    make: Callable[..., Database], monkeypatch: pytest.MonkeyPatch
) -> None:
    pool = make(size=1)
    pool.run("SELECT 1")

    def interrupted(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("pg8000.core.CoreConnection.handle_messages", interrupted)
        with pytest.raises(KeyboardInterrupt):
            pool.run("SELECT 'somebody else''s'")
    assert pool.run("SELECT 2") == [[2]]
    with monkeypatch.context() as patch:

        def work(connection: Connection) -> None:
            connection.run("SELECT 1")
            patch.setattr("pg8000.core.CoreConnection.handle_messages", interrupted)
            connection.run("SELECT 'somebody else''s'")

        with pytest.raises(KeyboardInterrupt):
            pool.transaction(work)
    assert pool.run("SELECT 3") == [[3]]


def test_a_database_that_restarts_under_traffic_fails_no_request(own_server: Postgres) -> None:
    settings = DatabaseSettings.read({"DATABASE_URL": own_server.url})
    pool = Database(settings)
    pool.run("CREATE TABLE t (id serial)")
    stop, failures, done = threading.Event(), [], []

    def traffic(number: int) -> None:
        while not stop.is_set():
            try:
                if number % 2:
                    pool.run("SELECT pg_sleep(0.005)", retry=True)
                else:
                    pool.transaction(lambda connection: connection.run("INSERT INTO t DEFAULT VALUES"), retry=True)
                done.append(number)
            except Exception as error:  # noqa: BLE001
                failures.append(repr(error))

    threads = [threading.Thread(target=traffic, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for _ in range(2):
        before = len(done)
        own_server.restart()
        deadline = time.monotonic() + 20
        while len(done) < before + 30 and time.monotonic() < deadline:
            time.sleep(0.01)
    stop.set()
    for thread in threads:
        thread.join()
    pool.close()
    assert failures == []
    assert len(done) > 60


def test_a_database_that_is_not_there_is_given_up(
    make: Callable[..., Database], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "RECOVERY", 0.2)
    started = time.monotonic()
    with pytest.raises(DatabaseUnavailableError, match="cannot be reached"):
        make("postgresql://nobody@127.0.0.1:9/nothing").run("SELECT 1")
    assert time.monotonic() - started < 5


def test_a_login_that_is_refused_is_told_at_once(make: Callable[..., Database], postgres: Postgres) -> None:
    started = time.monotonic()
    for url, words in (
        (postgres.address("postgres", password="wrong"), "password authentication failed"),
        (postgres.address("postgres", user="nobody"), "password authentication failed"),
        (postgres.address("no_such_database"), "does not exist"),
    ):
        with pytest.raises(DatabaseUnavailableError, match=words) as error:
            make(url).run("SELECT 1")
        assert "wrong" not in str(error.value)
    assert time.monotonic() - started < 5


def test_too_many_connections_is_a_passing_state(
    make: Callable[..., Database], postgres: Postgres, database_url: str
) -> None:
    name = database_url.rsplit("/", 1)[1]
    role = f"limited_{name}"
    postgres.execute(f"CREATE ROLE {role} LOGIN PASSWORD 'p' CONNECTION LIMIT 1")
    url = postgres.address(name, role, "p")
    first, second = make(url), make(url)

    def hold(connection: Connection) -> None:
        connection.run("SELECT 1")
        threading.Timer(0.3, connection.close).start()
        assert second.run("SELECT 2") == [[2]]

    first.session(hold)


def test_a_child_process_makes_connections_of_its_own(make: Callable[..., Database]) -> None:
    pool = make()
    child = os.fork()
    if child == 0:
        os._exit(0 if pool.run("SELECT 1") == [[1]] else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert pool.run("SELECT 2") == [[2]]


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("postgresql://u:p@h:1/d", {"user": "u", "password": "p", "host": "h", "port": 1, "database": "d"}),
        (
            "postgres://u%40x:p%2F%3A@h/d%20d",
            {"user": "u@x", "password": "p/:", "host": "h", "port": 5432, "database": "d d"},
        ),
        ("postgresql://u@[::1]:2/d", {"user": "u", "password": None, "host": "::1", "port": 2, "ssl_context": False}),
        ("postgresql://u@h/d?sslmode=disable", {"host": "h", "ssl_context": False}),
        ("postgresql://u@localhost/d", {"host": "localhost", "ssl_context": False}),
        (
            "postgresql:///d?host=/run/pg&user=u",
            {"user": "u", "unix_sock": "/run/pg/.s.PGSQL.5432", "ssl_context": False},
        ),
        ("postgresql://", {"user": "postgres", "host": "localhost", "database": None}),
    ],
)
def test_an_address_is_read_as_libpq_reads_it(url: str, expected: dict[str, object]) -> None:
    parts = address(url)
    assert {name: parts.get(name) for name in expected} == expected
    assert ("unix_sock" in parts) != ("host" in parts)


@pytest.mark.parametrize(
    ("mode", "verify", "hostname"),
    [
        ("require", ssl.CERT_NONE, False),
        ("verify-ca", ssl.CERT_REQUIRED, False),
        ("verify-full", ssl.CERT_REQUIRED, True),
    ],
)
def test_tls_is_asked_for_as_strictly_as_the_address_says(mode: str, verify: ssl.VerifyMode, *, hostname: bool) -> None:
    for host in ("h", "localhost"):
        context = address(f"postgresql://u@{host}/d?sslmode={mode}")["ssl_context"]
        assert (context.verify_mode, context.check_hostname) == (verify, hostname)
    assert "ssl_context" not in address("postgresql://u@h/d")


def test_a_server_without_tls_is_not_used_when_tls_is_required(
    make: Callable[..., Database], database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "RECOVERY", 0.2)
    with pytest.raises(DatabaseUnavailableError, match="SSL"):
        make(f"{database_url}?sslmode=require").run("SELECT 1")


def test_a_unix_socket_works(
    tmp_path_factory: pytest.TempPathFactory, make: Callable[..., Database], database_url: str
) -> None:
    """The embedded server listens on none, so a relay does."""
    folder = Path("/tmp", f"nanoka-{os.getpid()}")  # a socket's path has 108 bytes at most
    folder.mkdir()
    path = folder / ".s.PGSQL.5432"
    parts = address(database_url)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()

        def relay() -> None:
            client, _ = listener.accept()
            with client, socket.create_connection((parts["host"], parts["port"])) as server:
                back = threading.Thread(target=pump, args=(server, client))
                back.start()
                pump(client, server)
                back.join()

        def pump(source: socket.socket, sink: socket.socket) -> None:
            while chunk := source.recv(65536):
                sink.sendall(chunk)
            sink.shutdown(socket.SHUT_WR)

        thread = threading.Thread(target=relay)
        thread.start()
        pool = make(f"postgresql://{parts['user']}:{parts['password']}@/{parts['database']}?host={folder}")
        assert pool.run("SELECT 1") == [[1]]
        pool.close()
        thread.join()
    path.unlink()
    folder.rmdir()


@pytest.mark.parametrize(
    "url", ["mysql://h/d", "h:5432/d", "postgresql://h:x/d", "postgresql://h:0/d", "postgresql://[::/d"]
)
def test_an_address_that_is_none_is_a_fault_that_does_not_tell_it(url: str) -> None:
    with pytest.raises(SettingsError, match="DATABASE_URL") as error:
        DatabaseSettings.read({"DATABASE_URL": url})
    assert url not in str(error.value)


def test_a_setting_of_neither_kind_is_a_fault() -> None:
    with pytest.raises(SettingsError, match="neither DATABASE_URL nor INSTANCE_CONNECTION_NAME"):
        DatabaseSettings.read({})
    assert replace(DatabaseSettings.read({"DATABASE_URL": "postgresql://h/d"}), pool_size=1).pool_size == 1
