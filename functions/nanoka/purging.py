"""Deletion of what is older than seven days, at a cost that does not grow with how much that is.

Days that have expired whole are dropped as partitions; only the boundary day, and what a late purge left in the
default partition, goes row by row, and even there a table with hardly anything left to keep is written anew. One
purge runs at a time, every step is a transaction of its own and finds by itself what is left to do: so a second
run, a late one, or one after a crash is just a run. Readers wait at most for `LOCK_WAIT` and a moment of work.
"""

# ruff: noqa: S608 - the SQL is put together from constants and names of tables; what comes from outside is bound

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, TypeVar

from pg8000.exceptions import DatabaseError

from nanoka import logs
from nanoka.database import CONFLICT, Connection, Database, sqlstate
from nanoka.retention import LIFETIME
from nanoka.sessions import VALID

T = TypeVar("T")

LOCK = 7_169
"""The number of the advisory lock that lets purges run one after the other."""
LOCK_WAIT = "20ms"
"""How long a table's exclusive lock is waited for; whoever wants to read meanwhile waits behind us."""
LOCK_PATIENCE = 20.0
"""Seconds for which it is asked for again; after that the next purge does the work."""
PAUSE = 0.1
"""Seconds between two attempts, for those who waited behind us."""
AUTOVACUUM_WAIT = "5s"
"""An autovacuum gives way after a second (deadlock_timeout) to a lock that readers do not mind."""
SCANNED_PAGES = 1_024
"""For a new partition the default one is read through under lock: milliseconds for up to so many pages of 8 KiB."""
SCAN_LIMIT = "45ms"
"""If it takes longer in a bigger one, the day does without a partition."""
BARRED = "no_coming_days"
"""The constraint by which PostgreSQL knows without reading that a big default partition has no row of a coming day."""
BAR_AHEAD = timedelta(hours=2)
"""How far off the first day must be that it bars: if this purge dies, the next one must come before that day does."""
COMING_DAYS = 8
BATCH = 5_000
"""Rows that one transaction deletes."""
KEEP = 500
"""As many rows at most are put back into a table that is written anew: some 10 ms."""
COUNTED_PAGES = 1_024
"""Up to so many pages of 8 KiB, the rows of a day that is dropped whole are counted."""
SAMPLE_PAGES = 128
"""Of a bigger one, so many pages are read to estimate them."""

LOCK_NOT_AVAILABLE = "55P03"
CHECK_VIOLATION = "23514"
QUERY_CANCELED = "57014"

PARTITIONS = r"""
    WITH bounds AS (
        SELECT c.oid, pg_get_expr(c.relpartbound, c.oid) AS bound
        FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = 'messages'::regclass
    )
    SELECT oid::regclass::text, substring(bound FROM $$FROM \('([^']+)'\)$$)::timestamptz,
        substring(bound FROM $$TO \('([^']+)'\)$$)::timestamptz
    FROM bounds ORDER BY 3
"""

# The index messages_age is on this expression.
AGE = "(created_at AT TIME ZONE 'UTC')"
CUTOFF = "(CAST(:cutoff AS timestamptz) AT TIME ZONE 'UTC')"
EXPIRED, LIVING = f"{AGE} <= {CUTOFF}", f"{AGE} > {CUTOFF}"

FORGOTTEN = "NOT EXISTS (SELECT FROM messages m WHERE m.conversation_id = c.id AND m.created_at > :cutoff)"
"""The condition under which a row of `conversations AS c` has no living message."""

# A message that comes meanwhile moves updated_at, under its conversation's row lock: so this waits, and leaves the row.
FORGET = f"""
    WITH forgotten AS MATERIALIZED (SELECT c.id, c.updated_at FROM conversations c WHERE {FORGOTTEN}),
    gone AS (
        DELETE FROM conversations c USING forgotten f WHERE c.id = f.id AND c.updated_at = f.updated_at RETURNING 1
    )
    SELECT count(*) FROM gone
"""


@dataclass
class Result:
    """What was deleted, or would be in a dry run. Days that were dropped whole count by estimate if they are big."""

    cutoff: datetime
    dry_run: bool
    messages: int = 0
    conversations: int = 0
    sessions: int = 0
    oldest_message_at: datetime | None = None


@dataclass(frozen=True)
class Partition:
    """A partition of `messages` by its name, quoted where needed; the default one has no bounds."""

    name: str
    start: datetime | None
    end: datetime | None


def purge(database: Database, *, dry_run: bool = False, clock: Callable[[], datetime] | None = None) -> Result:
    """Delete, or only count, what has expired. Waits for a purge that is under way.

    Args:
        clock: this machine's time.
    """
    clock = clock or (lambda: datetime.now(UTC))

    def work(connection: Connection) -> Result:
        if dry_run:
            return _Purge(connection, clock()).count()
        connection.run("SELECT pg_advisory_lock(:number)", number=LOCK)
        try:
            return _Purge(connection, clock()).delete()
        finally:
            connection.run("SELECT pg_advisory_unlock(:number)", number=LOCK)

    return database.session(work)


class _Purge:
    """One run, with the moments that decide taken once."""

    def __init__(self, connection: Connection, own_time: datetime) -> None:
        self.connection = connection
        ((database_time,),) = connection.run("SELECT now()")
        # If the two clocks differ, the earlier one: a row that is too old can go later, a younger one never comes back.
        self.cutoff: datetime = min(database_time, own_time) - LIFETIME
        self.now: datetime = database_time
        self.today = database_time.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        self.give_up_at = time.monotonic() + LOCK_PATIENCE

    def count(self) -> Result:
        result = Result(self.cutoff, dry_run=True)
        for partition in self._partitions():
            if self._is_expired(partition):
                result.messages += self._whole(partition)
            elif partition.start is None or partition.start <= self.cutoff:
                result.messages += self._expired(partition)
        result.conversations = self._number(f"SELECT count(*) FROM conversations c WHERE {FORGOTTEN}")
        result.sessions = self._number(f"SELECT count(*) FROM sessions s WHERE NOT ({VALID})", cutoff=False)
        result.oldest_message_at = self._oldest()
        return result

    def delete(self) -> Result:
        result = Result(self.cutoff, dry_run=False)
        self._unbar()  # what a purge that died may have left
        partitions = self._partitions()
        # The default partition first: what has expired in it would only make new partitions slow to come.
        for partition in partitions:
            if partition.start is None:
                result.messages += self._clear(partition)
        self._create_coming({partition.start for partition in partitions})
        for partition in partitions:
            if self._is_expired(partition):
                result.messages += self._drop(partition)
            elif partition.start is not None and partition.start <= self.cutoff:
                result.messages += self._clear(partition)
        result.conversations = self._number(FORGET)
        result.sessions = self._number(
            f"WITH gone AS (DELETE FROM sessions s WHERE NOT ({VALID}) RETURNING 1) SELECT count(*) FROM gone",
            cutoff=False,
        )
        result.oldest_message_at = self._oldest()
        return result

    def _partitions(self) -> list[Partition]:
        return [Partition(*row) for row in self.connection.run(PARTITIONS)]

    def _is_expired(self, partition: Partition) -> bool:
        return partition.end is not None and partition.end <= self.cutoff

    def _create_coming(self, starts: set[datetime | None]) -> None:
        coming = [self.today + timedelta(days=offset) for offset in range(COMING_DAYS + 1)]
        missing = [start for start in coming if start not in starts]
        if missing and self._pages("messages_default") > SCANNED_PAGES:
            self._bar(next(start for start in coming if start - self.now >= BAR_AHEAD))
        for start in missing:
            try:
                self._exclusively(partial(self._create, start))
            except DatabaseError as error:
                # Rows of that day, or too many of others, are in the default partition already: they can stay there.
                if sqlstate(error) not in (CHECK_VIOLATION, QUERY_CANCELED):
                    raise
                logs.warning("a day's messages stay in the default partition", day=f"{start:%Y-%m-%d}")
        self._unbar()

    def _bar(self, first: datetime) -> None:
        """Keep rows from `first` on out of the default partition, where PostgreSQL then need not look for them under
        lock; it looks once, and nobody waits for that (ALTER TABLE, VALIDATE CONSTRAINT)."""
        self._exclusively(
            lambda: self.connection.script(
                f"SET LOCAL lock_timeout = '{LOCK_WAIT}'; ALTER TABLE messages_default"
                f" ADD CONSTRAINT {BARRED} CHECK (created_at < '{first.isoformat()}') NOT VALID"
            )
        )
        try:
            self._validate()
        except DatabaseError as error:
            if sqlstate(error) != CHECK_VIOLATION:
                raise
            self._unbar()  # somebody's clock has put a row there

    def _validate(self) -> None:
        if self._barred():
            self.connection.script(f"ALTER TABLE messages_default VALIDATE CONSTRAINT {BARRED}")

    def _unbar(self) -> None:
        if self._barred():
            self._exclusively(
                lambda: self.connection.script(
                    f"SET LOCAL lock_timeout = '{LOCK_WAIT}'; ALTER TABLE messages_default DROP CONSTRAINT {BARRED}"
                )
            )

    def _barred(self) -> bool:
        sql = "SELECT count(*) FROM pg_constraint WHERE conrelid = 'messages_default'::regclass AND conname = :name"
        return self._number(sql, cutoff=False, name=BARRED) > 0

    def _create(self, start: datetime) -> None:
        # The owner of `messages` is to own its partitions, too, whoever of its members runs this.
        self.connection.script(
            f"SET LOCAL lock_timeout = '{LOCK_WAIT}'; SELECT set_config('role', pg_get_userbyid(relowner)::text, true)"
            " FROM pg_class WHERE oid = 'messages'::regclass"
        )
        if self._pages("messages_default") > SCANNED_PAGES:
            self.connection.script(f"SET LOCAL statement_timeout = '{SCAN_LIMIT}'")
        self.connection.script(
            f"CREATE TABLE messages_{start:%Y_%m_%d} PARTITION OF messages"
            f" FOR VALUES FROM ('{start.isoformat()}') TO ('{(start + timedelta(days=1)).isoformat()}')"
        )

    def _drop(self, partition: Partition) -> int:
        rows = self._whole(partition)

        def work() -> int:
            self.connection.script(
                f"SET LOCAL lock_timeout = '{AUTOVACUUM_WAIT}';"
                f"LOCK TABLE {partition.name} IN SHARE UPDATE EXCLUSIVE MODE;"
                f"SET LOCAL lock_timeout = '{LOCK_WAIT}';"
                f"DROP TABLE {partition.name}"
            )
            return rows

        return self._exclusively(work) or 0

    def _clear(self, partition: Partition) -> int:
        """Delete what has expired of a partition in which something may live."""
        if self._living(partition) <= KEEP and self._some_expired(partition) > BATCH:
            rows = self._exclusively(partial(self._write_anew, partition, self._expired(partition)))
            if rows is not None:
                return rows
        total = 0
        while rows := self._number(
            f"WITH gone AS (DELETE FROM {partition.name} WHERE {EXPIRED} AND ctid = ANY(ARRAY("
            f"SELECT ctid FROM {partition.name} WHERE {EXPIRED} LIMIT {BATCH})) RETURNING 1)"
            " SELECT count(*) FROM gone"
        ):
            total += rows
        return total

    def _write_anew(self, partition: Partition, expired: int) -> int | None:
        """Replace a partition by what lives in it; None if that has become too much meanwhile."""
        self.connection.script(
            f"SET LOCAL lock_timeout = '{LOCK_WAIT}'; LOCK TABLE {partition.name} IN ACCESS EXCLUSIVE MODE"
        )
        living = self._living(partition)
        if living > KEEP:
            return None
        if living:
            self.connection.script(
                f"CREATE TEMPORARY TABLE kept ON COMMIT DROP AS"
                f" SELECT * FROM {partition.name} WHERE created_at > '{self.cutoff.isoformat()}'"
            )
        self.connection.script(f"TRUNCATE {partition.name}")
        if living:
            self.connection.script(f"INSERT INTO {partition.name} SELECT * FROM kept")
        return expired

    def _exclusively(self, work: Callable[[], T]) -> T | None:
        """Run what needs a table for itself, in a transaction, until it gets it; None if it does not in good time."""
        while True:
            try:
                with self.connection.transaction():
                    return work()
            except DatabaseError as error:
                if sqlstate(error) not in (LOCK_NOT_AVAILABLE, *CONFLICT):
                    raise
            if time.monotonic() > self.give_up_at:
                logs.warning("a table is in use; the next purge will find it")
                return None
            time.sleep(PAUSE)

    def _living(self, partition: Partition) -> int:
        """How many rows live, or KEEP + 1 if there are more."""
        return self._number(
            f"SELECT count(*) FROM (SELECT FROM {partition.name} WHERE {LIVING} LIMIT {KEEP + 1}) living"
        )

    def _some_expired(self, partition: Partition) -> int:
        """How many rows have expired, or BATCH + 1 if there are more."""
        return self._number(
            f"SELECT count(*) FROM (SELECT FROM {partition.name} WHERE {EXPIRED} LIMIT {BATCH + 1}) gone"
        )

    def _expired(self, partition: Partition) -> int:
        """How many rows have expired: exactly, but for a default partition in which nothing lives."""
        if partition.end is None and self._living(partition) == 0:
            return self._whole(partition)
        return self._number(f"SELECT count(*) FROM {partition.name} WHERE {EXPIRED}")

    def _whole(self, partition: Partition) -> int:
        """How many rows there are: counted in a small table, else by how many PostgreSQL's statistics have on a page.

        A table that it has not analysed yet tells by a sample of its pages, which may have to come from the disk.
        """
        pages = self._pages(partition.name)
        if pages <= COUNTED_PAGES:
            return self._number(f"SELECT count(*) FROM {partition.name}", cutoff=False)
        estimate = self._number(
            "SELECT CASE WHEN reltuples >= 0 AND relpages > 0 THEN round(reltuples / relpages * :pages) ELSE -1 END"
            " FROM pg_class WHERE oid = to_regclass(:name)",
            cutoff=False,
            name=partition.name,
            pages=pages,
        )
        if estimate >= 0:
            return estimate
        return self._number(
            f"SELECT coalesce(round({pages} * count(*) / nullif(count(DISTINCT (ctid::text::point)[0]), 0)), 0)"
            f" FROM {partition.name} TABLESAMPLE SYSTEM ({100 * SAMPLE_PAGES / pages}) REPEATABLE (0)",
            cutoff=False,
        )

    def _pages(self, table: str) -> int:
        sql = "SELECT coalesce(pg_relation_size(to_regclass(:name)), 0) / current_setting('block_size')::int"
        return self._number(sql, cutoff=False, name=table)

    def _oldest(self) -> datetime | None:
        rows = self.connection.run(f"SELECT min({AGE}) FROM messages")
        oldest: datetime | None = rows[0][0]
        return oldest and oldest.replace(tzinfo=UTC)

    def _number(self, sql: str, *, cutoff: bool = True, **parameters: Any) -> int:
        if cutoff:
            parameters["cutoff"] = self.cutoff
        ((number,),) = self.connection.run(sql, **parameters)
        return int(number)
