"""Deletion of what is older than seven days, at a cost that does not grow with how much that is.

Days that have expired whole are dropped as partitions; only the boundary day, and what a late purge left in the
default partition, goes row by row, and even there a table with hardly anything left to keep is written anew. One
purge runs at a time, every step is a transaction of its own and finds by itself what is left to do: so a second
run, a late one, or one after a crash is just a run.
"""

# ruff: noqa: S608 - the SQL is put together from constants and names of tables; what comes from outside is bound

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

from nanoka.database import Connection, Database
from nanoka.partitions import LOCK_WAIT, Partition, Partitions
from nanoka.retention import LIFETIME
from nanoka.sessions import VALID

LOCK = 7_169
"""The number of the advisory lock that lets purges run one after the other."""
AUTOVACUUM_WAIT = "5s"
"""An autovacuum gives way after a second (deadlock_timeout) to a lock that readers do not mind."""
BATCH = 5_000
"""Rows that one transaction deletes."""
KEEP = 500
"""As many rows at most are put back into a table that is written anew: some 10 ms."""
COUNTED_PAGES = 1_024
"""Up to so many pages of 8 KiB, the rows of a day that is dropped whole are counted."""
SAMPLE_PAGES = 128
"""Of a bigger one, so many pages are read to estimate them."""

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
        self.partitions = Partitions(connection)

    def count(self) -> Result:
        result = Result(self.cutoff, dry_run=True)
        for partition in self.partitions.list():
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
        self.partitions.unbar()
        partitions = self.partitions.list()
        # The default partition first: what has expired in it would only make new partitions slow to come.
        for partition in partitions:
            if partition.start is None:
                result.messages += self._clear(partition)
        self.partitions.create_coming(self.now)
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

    def _is_expired(self, partition: Partition) -> bool:
        return partition.end is not None and partition.end <= self.cutoff

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

        return self.partitions.exclusively(work) or 0

    def _clear(self, partition: Partition) -> int:
        """Delete what has expired of a partition in which something may live."""
        if self._living(partition) <= KEEP and self._some_expired(partition) > BATCH:
            rows = self.partitions.exclusively(partial(self._write_anew, partition, self._expired(partition)))
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
        self.connection.script(f"LOCK TABLE {partition.name} IN ACCESS EXCLUSIVE MODE")
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
        pages = self.partitions.pages(partition.name)
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

    def _oldest(self) -> datetime | None:
        rows = self.connection.run(f"SELECT min({AGE}) FROM messages")
        oldest: datetime | None = rows[0][0]
        return oldest and oldest.replace(tzinfo=UTC)

    def _number(self, sql: str, *, cutoff: bool = True, **parameters: Any) -> int:
        if cutoff:
            parameters["cutoff"] = self.cutoff
        ((number,),) = self.connection.run(sql, **parameters)
        return int(number)
