"""The partitions of `messages`, one for each UTC day: which there are, those of the coming days, and their locks.

Readers wait for whoever wants a table for itself, and for those that wait for it: so an exclusive lock is asked for
during `LOCK_WAIT` at a time, and what is done under it takes some milliseconds.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TypeVar

from pg8000.exceptions import DatabaseError

from nanoka import logs
from nanoka.database import CONFLICT, Connection, sqlstate

T = TypeVar("T")

COMING_DAYS = 8
LOCK_WAIT = "20ms"
"""How long a table's exclusive lock is waited for; whoever wants to read meanwhile waits behind us."""
LOCK_PATIENCE = 20.0
"""Seconds for which it is asked for again; after that the next purge does the work."""
PAUSE = 0.1
"""Seconds between two attempts, for those who waited behind us."""
SCANNED_PAGES = 1_024
"""For a new partition the default one is read through under lock: milliseconds for up to so many pages of 8 KiB."""
SCAN_LIMIT = "45ms"
"""If it takes longer in a bigger one, the day does without a partition."""
BARRED = "no_coming_days"
"""The constraint by which PostgreSQL knows without reading that a big default partition has no row of a coming day."""
BAR_AHEAD = timedelta(hours=2)
"""How far off the first day must be that it bars: if this purge dies, the next one must come before that day does."""

LOCK_NOT_AVAILABLE = "55P03"
CHECK_VIOLATION = "23514"
QUERY_CANCELED = "57014"

LIST = r"""
    WITH bounds AS (
        SELECT c.oid, pg_get_expr(c.relpartbound, c.oid) AS bound
        FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = 'messages'::regclass
    )
    SELECT oid::regclass::text, substring(bound FROM $$FROM \('([^']+)'\)$$)::timestamptz,
        substring(bound FROM $$TO \('([^']+)'\)$$)::timestamptz
    FROM bounds ORDER BY 3
"""


@dataclass(frozen=True)
class Partition:
    """A partition by its name, quoted where needed; the default one has no bounds."""

    name: str
    start: datetime | None
    end: datetime | None


class Partitions:
    """The partitions as one purge sees and changes them, over its connection."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.give_up_at = time.monotonic() + LOCK_PATIENCE

    def list(self) -> list[Partition]:
        """All of them, the oldest first and the default one last."""
        return [Partition(*row) for row in self.connection.run(LIST)]

    def pages(self, name: str) -> int:
        """How many pages of 8 KiB one has on disk; 0 if it is gone."""
        sql = "SELECT coalesce(pg_relation_size(to_regclass(:name)), 0) / current_setting('block_size')::int"
        return int(self.connection.run(sql, name=name)[0][0])

    def exclusively(self, work: Callable[[], T]) -> T | None:
        """Run what needs a table for itself, in a transaction, until it gets it; None if it does not in good time."""
        while True:
            try:
                with self.connection.transaction():
                    self.connection.script(f"SET LOCAL lock_timeout = '{LOCK_WAIT}'")
                    return work()
            except DatabaseError as error:
                if sqlstate(error) not in (LOCK_NOT_AVAILABLE, *CONFLICT):
                    raise
            if time.monotonic() > self.give_up_at:
                logs.warning("a table is in use; the next purge will find it")
                return None
            time.sleep(PAUSE)

    def create_coming(self, now: datetime) -> None:
        """Make what is missing of today's partition and those of the coming days."""
        there = {partition.start for partition in self.list()}
        today = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        coming = [today + timedelta(days=offset) for offset in range(COMING_DAYS + 1)]
        missing = [start for start in coming if start not in there]
        if missing and self.pages("messages_default") > SCANNED_PAGES:
            self._bar(next(start for start in coming if start - now >= BAR_AHEAD))
        for start in missing:
            try:
                self.exclusively(partial(self._create, start))
            except DatabaseError as error:
                # Rows of that day, or too many of others, are in the default partition already: they can stay there.
                if sqlstate(error) not in (CHECK_VIOLATION, QUERY_CANCELED):
                    raise
                logs.warning("a day's messages stay in the default partition", day=f"{start:%Y-%m-%d}")
        self.unbar()

    def unbar(self) -> None:
        """Let the default partition take rows of any day again, also after a purge that died."""
        if self._barred():
            self.exclusively(
                lambda: self.connection.script(f"ALTER TABLE messages_default DROP CONSTRAINT IF EXISTS {BARRED}")
            )

    def _bar(self, first: datetime) -> None:
        """Keep rows from `first` on out of the default partition, where PostgreSQL then need not look for them under
        lock; it looks once, and nobody waits for that (ALTER TABLE, VALIDATE CONSTRAINT)."""
        self.exclusively(
            lambda: self.connection.script(
                f"ALTER TABLE messages_default ADD CONSTRAINT {BARRED}"
                f" CHECK (created_at < '{first.isoformat()}') NOT VALID"
            )
        )
        try:
            if self._barred():
                self.connection.script(f"ALTER TABLE messages_default VALIDATE CONSTRAINT {BARRED}")
        except DatabaseError as error:
            if sqlstate(error) != CHECK_VIOLATION:
                raise
            self.unbar()  # somebody's clock has put a row there

    def _barred(self) -> bool:
        sql = "SELECT FROM pg_constraint WHERE conrelid = 'messages_default'::regclass AND conname = :name"
        return bool(self.connection.run(sql, name=BARRED))

    def _create(self, start: datetime) -> None:
        # The owner of `messages` is to own its partitions, too, whoever of its members runs this.
        self.connection.script(
            "SELECT set_config('role', pg_get_userbyid(relowner)::text, true)"
            " FROM pg_class WHERE oid = 'messages'::regclass"
        )
        if self.pages("messages_default") > SCANNED_PAGES:
            self.connection.script(f"SET LOCAL statement_timeout = '{SCAN_LIMIT}'")
        self.connection.script(
            f"CREATE TABLE messages_{start:%Y_%m_%d} PARTITION OF messages"
            f" FOR VALUES FROM ('{start.isoformat()}') TO ('{(start + timedelta(days=1)).isoformat()}')"
        )
