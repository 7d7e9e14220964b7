"""Seven days: purge never takes a living row, comes late, crashes, runs twice, and lets everybody read meanwhile."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pg8000.exceptions import DatabaseError

from nanoka import partitions, purging
from nanoka.database import Connection, Database
from nanoka.purging import purge
from nanoka.retention import LIFETIME, LIFETIME_SQL, alive, expires
from nanoka.settings import DatabaseSettings
from nanoka.times import utc, utc_sql
from tests.functions.conftest import Person, Rows
from tests.stack.postgres import Postgres


@pytest.fixture
def conversation_id(rows: Rows, alice: Person) -> UUID:
    return rows.conversation(alice)


@pytest.fixture
def other(database_url: str) -> Iterator[Database]:
    """Somebody else at the same database."""
    database = Database(DatabaseSettings.read({"DATABASE_URL": database_url}), name="other")
    yield database
    database.close()


def names_of_partitions(rows: Rows) -> list[str]:
    return [name for (name,) in rows("SELECT relid::text FROM pg_partition_tree('messages') WHERE isleaf ORDER BY 1")]


def day(rows: Rows, days_ago: int) -> tuple[datetime, str]:
    """The noon of a UTC day and the name of its partition."""
    ((midnight,),) = rows("SELECT date_trunc('day', now())")
    start = midnight - timedelta(days=days_ago)
    return start + timedelta(hours=12), f"messages_{start:%Y_%m_%d}"


def insert(rows: Rows, conversation_id: UUID, count: int, moment: datetime, *, step: float = 0.001) -> None:
    """Many messages from `moment` on, `step` seconds apart."""
    rows(
        "INSERT INTO messages (conversation_id, created_at, id, role, text)"
        " SELECT :id, CAST(:moment AS timestamptz) + n * CAST(:step AS float8) * interval '1 second',"
        " gen_random_uuid(), 'user', 'x' FROM generate_series(1, CAST(:count AS int)) n",
        id=conversation_id,
        moment=moment,
        step=step,
        count=count,
    )


def without_partitions(rows: Rows, *, keep: Callable[[str], bool] = lambda _name: False) -> None:
    """What a purge that did not come for a long time leaves: hardly any partition but the default one."""
    for name in names_of_partitions(rows):
        if name != "messages_default" and not keep(name):
            rows(f"DROP TABLE {name}")


def test_a_lifetime_is_168_hours_in_python_and_in_sql(rows: Rows) -> None:
    moment = datetime(2026, 3, 28, 23, 30, tzinfo=UTC)  # the night in which Europe's clocks change
    sql = f"SELECT {utc_sql(expires('CAST(:moment AS timestamptz)'))}, {LIFETIME_SQL}"
    assert rows(sql, moment=moment) == [[utc(moment + timedelta(hours=168)), LIFETIME]]


@given(st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC)), st.timezones())  # noqa: DTZ001
def test_equal_moments_are_equal_texts(moment: datetime, zone: tzinfo) -> None:
    text = utc(moment)
    assert text.endswith("Z")
    assert len(text) == 27
    assert datetime.fromisoformat(text) == moment
    assert text == utc(moment.astimezone(zone))


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ages=st.lists(st.floats(-1, 400) | st.sampled_from([167.99, 168.01, 24.0, 191.9, 192.1, 216.0]), max_size=12))
def test_purge_takes_just_what_readers_no_longer_see(rows: Rows, database: Database, ages: list[float]) -> None:
    rows("DELETE FROM messages")
    rows("DELETE FROM conversations")
    person = rows.person()
    conversations = [rows.conversation(person, age=age) for age in ages]
    for conversation_id, age in zip(conversations, ages, strict=True):
        rows.message(conversation_id, age=age)
    living = rows(f"SELECT id FROM messages m WHERE {alive('m')} ORDER BY id")
    dry = purge(database, dry_run=True)
    result = purge(database)
    expired = len(ages) - len(living)
    assert (dry.messages, dry.conversations) == (expired, expired)
    assert (result.messages, result.conversations) == (expired, expired)
    assert rows("SELECT id FROM messages ORDER BY id") == living
    assert len(rows("SELECT FROM conversations WHERE user_id = :id", id=person.id)) == len(living)


def test_a_row_is_taken_only_if_both_clocks_say_that_it_is_too_old(
    rows: Rows, database: Database, conversation_id: UUID
) -> None:
    rows.message(conversation_id, age=170)
    behind, ahead = timedelta(hours=-3), timedelta(days=30)
    assert purge(database, clock=lambda: datetime.now(UTC) + behind).messages == 0
    rows.message(conversation_id, age=1)
    assert purge(database, clock=lambda: datetime.now(UTC) + ahead).messages == 1
    assert rows("SELECT count(*) FROM messages") == [[1]]


def test_expired_days_go_whole_and_coming_ones_are_made(rows: Rows, database: Database, conversation_id: UUID) -> None:
    noon, expired = day(rows, 8)
    insert(rows, conversation_id, 3, noon)
    without_partitions(rows, keep=lambda name: name <= day(rows, 0)[1])
    result = purge(database)
    assert result.messages == 3
    names = names_of_partitions(rows)
    assert expired not in names
    for ahead in range(partitions.COMING_DAYS + 1):
        assert day(rows, -ahead)[1] in names
    owners = rows(
        "SELECT DISTINCT relowner::regrole::text FROM pg_class WHERE relname LIKE 'messages_20%' AND relkind = 'r'"
    )
    assert owners == [["nanoka_purge"]]


@pytest.mark.parametrize("analysed", [False, True])
def test_a_big_day_is_estimated(
    rows: Rows, database: Database, conversation_id: UUID, monkeypatch: pytest.MonkeyPatch, analysed: bool
) -> None:
    monkeypatch.setattr(purging, "COUNTED_PAGES", 64)
    insert(rows, conversation_id, 30_000, day(rows, 8)[0])
    if analysed:
        rows(f"ANALYZE messages_{day(rows, 8)[0]:%Y_%m_%d}")
        monkeypatch.setattr(purging, "SAMPLE_PAGES", 0)  # no sample is needed
    dry = purge(database, dry_run=True)
    result = purge(database)
    assert result.messages == dry.messages == pytest.approx(30_000, rel=0.05)
    assert rows("SELECT count(*) FROM messages") == [[0]]


@pytest.mark.parametrize("living", [0, 3, 700])
def test_a_late_purge_empties_the_default_partition(
    rows: Rows, database: Database, conversation_id: UUID, living: int
) -> None:
    without_partitions(rows)
    insert(rows, conversation_id, 6_000, day(rows, 20)[0])
    insert(rows, conversation_id, living, day(rows, 2)[0])
    left = rows("SELECT * FROM messages WHERE created_at > now() - interval '168 hours' ORDER BY id")
    assert len(left) == living
    assert purge(database).messages == 6_000
    assert rows("SELECT * FROM messages ORDER BY id") == left
    names = names_of_partitions(rows)
    for ahead in (1, 2):
        assert day(rows, -ahead)[1] in names


def test_a_day_whose_messages_are_in_the_default_partition_stays_there(
    rows: Rows, database: Database, conversation_id: UUID
) -> None:
    without_partitions(rows)
    message_id = rows.message(conversation_id)
    purge(database)
    assert rows("SELECT id, tableoid::regclass::text FROM messages") == [[message_id, "messages_default"]]
    assert day(rows, 0)[1] not in names_of_partitions(rows)
    assert day(rows, -1)[1] in names_of_partitions(rows)
    rows.message(conversation_id)  # and writing goes on


@pytest.fixture
def big_default(monkeypatch: pytest.MonkeyPatch) -> None:
    """Any default partition counts as one that takes too long to read through under lock."""
    monkeypatch.setattr(partitions, "SCANNED_PAGES", 0)


@pytest.mark.usefixtures("big_default")
def test_coming_days_get_their_partitions_beside_a_big_default_one_that_is_not_read_for_it(
    rows: Rows, database_url: str, conversation_id: UUID
) -> None:
    name = database_url.rsplit("/", 1)[1]
    rows(f"ALTER DATABASE {name} SET client_min_messages = debug1")  # PostgreSQL then tells what it need not read
    without_partitions(rows)
    insert(rows, conversation_id, 3_000, day(rows, 2)[0])
    talkative = Database(DatabaseSettings.read({"DATABASE_URL": database_url}))
    said: list[bytes] = []

    def listen(connection: Connection) -> None:
        connection.raw.notices.clear()
        assert purging._Purge(connection, datetime.now(UTC)).delete().messages == 0  # noqa: SLF001
        said.extend(notice[b"M"] for notice in connection.raw.notices)

    talkative.session(listen)
    talkative.close()
    names = names_of_partitions(rows)
    coming = [day(rows, -ahead)[1] for ahead in range(2, partitions.COMING_DAYS + 1)]  # near midnight not tomorrow's
    assert set(coming) <= set(names)
    assert sum(b"is implied by existing constraints" in words for words in said) >= len(coming)
    assert rows("SELECT count(*) FROM messages") == [[3_000]]
    assert rows("SELECT FROM pg_constraint WHERE conname = :name", name=partitions.BARRED) == []


@pytest.mark.usefixtures("big_default")
def test_a_row_of_the_future_in_a_big_default_partition_stays_there(
    rows: Rows, database: Database, conversation_id: UUID
) -> None:
    without_partitions(rows)
    message_id = rows.message(conversation_id, age=-3 * 24)
    purge(database)
    assert rows("SELECT id, tableoid::regclass::text FROM messages") == [[message_id, "messages_default"]]
    assert day(rows, -2)[1] in names_of_partitions(rows)
    assert rows("SELECT FROM pg_constraint WHERE conname = :name", name=partitions.BARRED) == []


@pytest.mark.usefixtures("big_default")
def test_what_a_purge_that_died_has_barred_is_opened_again(rows: Rows, database: Database) -> None:
    rows(f"ALTER TABLE messages_default ADD CONSTRAINT {partitions.BARRED} CHECK (created_at < now()) NOT VALID")
    purge(database)
    assert rows("SELECT FROM pg_constraint WHERE conname = :name", name=partitions.BARRED) == []


def test_the_boundary_day_is_counted_exactly_however_big(rows: Rows, database: Database, conversation_id: UUID) -> None:
    ((cutoff,),) = rows("SELECT now() - interval '168 hours'")
    midnight = cutoff.replace(hour=0, minute=0, second=0, microsecond=0)
    room = (cutoff - midnight).total_seconds()
    insert(rows, conversation_id, 11_000, midnight, step=room / 12_000)
    insert(rows, conversation_id, 600, cutoff + timedelta(minutes=2))
    assert purge(database).messages == 11_000
    assert rows("SELECT count(*) FROM messages") == [[600]]


def test_two_purges_at_once_take_every_row_once(rows: Rows, database: Database, other: Database, alice: Person) -> None:
    for age in range(150, 260, 2):
        rows.message(rows.conversation(alice, age=age), age=age)
    expired = len(rows("SELECT FROM messages WHERE created_at <= now() - interval '168 hours'"))
    with ThreadPoolExecutor() as pool:
        running = [pool.submit(purge, one) for one in (database, other, database, other)]
        results = [future.result() for future in running]
    assert sorted(result.messages for result in results) == [0, 0, 0, expired]
    assert sum(result.conversations for result in results) == expired


def test_readers_do_not_wait_while_purge_waits_for_one_of_them(
    rows: Rows, database: Database, other: Database, conversation_id: UUID
) -> None:
    insert(rows, conversation_id, 3, day(rows, 8)[0])
    insert(rows, conversation_id, 3, day(rows, 1)[0])
    with ThreadPoolExecutor() as pool:

        def read_for_long(connection: Connection) -> None:
            connection.run("SELECT count(*) FROM messages")
            running = pool.submit(purge, database)
            deadline = time.monotonic() + 1.5
            while time.monotonic() < deadline:
                assert read(rows.database) == 3
            assert not running.done()
            futures.append(running)

        def read(somebody: Database) -> int:
            def work(connection: Connection) -> int:
                # Far above what is promised, far below what a purge that just waits would cost.
                connection.script("SET LOCAL lock_timeout = '400ms'")
                return len(connection.run(f"SELECT FROM messages m WHERE {alive('m')}"))

            return somebody.transaction(work)

        futures: list[Any] = []
        other.transaction(read_for_long)
        assert futures[0].result().messages == 3


def test_what_a_vacuum_holds_is_left_to_the_next_purge(
    rows: Rows, database: Database, other: Database, conversation_id: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(purging, "AUTOVACUUM_WAIT", "100ms")
    monkeypatch.setattr(partitions, "LOCK_PATIENCE", 0.3)
    noon, name = day(rows, 8)
    insert(rows, conversation_id, 3, noon)

    def hold(connection: Connection) -> None:
        connection.script(f"LOCK TABLE {name} IN SHARE UPDATE EXCLUSIVE MODE")
        assert purge(database).messages == 0
        assert rows("SELECT count(*) FROM messages") == [[3]]

    other.transaction(hold)
    assert purge(database).messages == 3


def test_a_message_that_comes_while_its_conversation_is_purged_keeps_it(
    rows: Rows, database: Database, other: Database, alice: Person
) -> None:
    conversation_id = rows.conversation(alice, age=200)
    rows.message(conversation_id, age=200)
    with ThreadPoolExecutor() as pool:

        def send(connection: Connection) -> None:
            connection.run("SELECT FROM conversations WHERE id = :id FOR UPDATE", id=conversation_id)
            running.append(pool.submit(purge, database))
            while not rows("SELECT FROM pg_locks WHERE NOT granted"):
                assert not running[0].done()
            connection.run(
                "WITH moved AS (UPDATE conversations SET updated_at = now() WHERE id = :id RETURNING id, updated_at)"
                " INSERT INTO messages (conversation_id, created_at, id, role)"
                " SELECT id, updated_at, gen_random_uuid(), 'user' FROM moved",
                id=conversation_id,
            )

        running: list[Any] = []
        other.transaction(send)
        result = running[0].result()
    assert (result.messages, result.conversations) == (1, 0)
    assert rows("SELECT id FROM conversations") == [[conversation_id]]


class CrashError(BaseException):
    """The end of a process, as far as its database connection can tell."""


@pytest.mark.parametrize("scanned_pages", [partitions.SCANNED_PAGES, 0])
def test_purge_can_crash_anywhere_and_the_next_one_ends_its_work(
    rows: Rows, database_url: str, alice: Person, monkeypatch: pytest.MonkeyPatch, scanned_pages: int
) -> None:
    monkeypatch.setattr(partitions, "SCANNED_PAGES", scanned_pages)
    without_partitions(rows, keep=lambda name: name <= day(rows, 0)[1])
    kept = rows.conversation(alice)
    insert(rows, kept, 2, day(rows, 1)[0])
    for age_of_day in (8, 20):
        insert(rows, rows.conversation(alice), 6_000, day(rows, age_of_day)[0])
    for age in (168.001, 168.002):
        rows.message(rows.conversation(alice), age=age)
    originals = {name: getattr(Connection, name) for name in ("run", "script")}
    left = 0

    def crash_at_last(name: str) -> Callable[..., Any]:
        def statement(self: Connection, *arguments: Any, **parameters: Any) -> Any:
            nonlocal left
            if self.raw.parameter_statuses.get("application_name") == "crashing":
                left -= 1
                if left < 0:
                    with suppress(OSError):
                        self.raw._usock.shutdown(socket.SHUT_RDWR)  # noqa: SLF001
                    raise CrashError
            return originals[name](self, *arguments, **parameters)

        return statement

    for name in originals:
        monkeypatch.setattr(Connection, name, crash_at_last(name))
    crashes, finished = 0, False
    while not finished:
        left = crashes
        database = Database(DatabaseSettings.read({"DATABASE_URL": database_url}), name="crashing")
        try:
            purge(database)
            finished = True
        except CrashError:
            crashes += 1
        database.close()
        # Whatever has happened, nothing that lives is gone, and everybody can read and write.
        assert rows(f"SELECT count(*) FROM messages m WHERE {alive('m')}") == [[2]]
    assert crashes > 10
    assert rows("SELECT DISTINCT conversation_id FROM messages") == [[kept]]
    assert rows("SELECT id FROM conversations") == [[kept]]
    assert day(rows, 8)[1] not in names_of_partitions(rows)
    assert day(rows, -partitions.COMING_DAYS)[1] in names_of_partitions(rows)


def test_purges_role_is_enough_and_the_apps_is_not(
    rows: Rows, postgres: Postgres, database_url: str, conversation_id: UUID
) -> None:
    name = database_url.rsplit("/", 1)[1]
    insert(rows, conversation_id, 3, day(rows, 8)[0])
    rows.message(conversation_id, age=168.01)
    without_partitions(rows, keep=lambda name: name <= day(rows, 0)[1])
    app = Database(DatabaseSettings.read({"DATABASE_URL": postgres.login("nanoka_app", name)}))
    with pytest.raises(DatabaseError, match="42501"):
        purge(app)
    app.close()
    limited = Database(DatabaseSettings.read({"DATABASE_URL": postgres.login("nanoka_purge", name)}))
    result = purge(limited)
    limited.close()
    assert (result.messages, result.conversations) == (4, 1)
    assert day(rows, -2)[1] in names_of_partitions(rows)


def test_a_partition_that_a_superuser_made_does_not_stop_purge(
    rows: Rows, database: Database, conversation_id: UUID
) -> None:
    noon, _ = day(rows, 12)
    midnight = noon - timedelta(hours=12)
    rows(
        "CREATE TABLE by_hand PARTITION OF messages"
        f" FOR VALUES FROM ('{midnight.isoformat()}') TO ('{(midnight + timedelta(days=1)).isoformat()}')"
    )
    insert(rows, conversation_id, 5, noon)
    assert purge(database).messages == 5
    assert "by_hand" not in names_of_partitions(rows)


def test_purge_waits_for_the_one_that_runs(rows: Rows, database: Database, other: Database) -> None:
    entered, leave = threading.Event(), threading.Event()

    def hold(connection: Connection) -> None:
        connection.run("SELECT pg_advisory_lock(:number)", number=purging.LOCK)
        entered.set()
        leave.wait(30)
        connection.run("SELECT pg_advisory_unlock(:number)", number=purging.LOCK)

    with ThreadPoolExecutor() as pool:
        holding = pool.submit(other.session, hold)
        entered.wait(30)
        waiting = pool.submit(purge, database)
        while not rows("SELECT FROM pg_locks WHERE NOT granted AND locktype = 'advisory'"):
            assert not waiting.done()
        leave.set()
        assert waiting.result().messages == 0
        holding.result()
