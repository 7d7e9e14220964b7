"""Purge of ten million expired messages, against one DELETE of the same rows.

What has expired is more than a week old, and rarely in memory still: so both start with its files on disk alone. A
third copy is purged with all of it in memory, where most of the time goes to the kernel, which takes back each page.
"""

import os
import tempfile
import threading
import time
from pathlib import Path

from nanoka.database import Database
from nanoka.purging import purge
from nanoka.settings import DatabaseSettings
from tests.bench.messages import fill
from tests.bench.rows import Row
from tests.stack.postgres import Postgres

MESSAGES = 10_000_000
DAYS = """
    DO $$
    DECLARE
        day timestamptz;
    BEGIN
        FOR day IN SELECT date_trunc('day', now()) - age * interval '1 day' FROM generate_series(9, 16) age
        LOOP
            EXECUTE format('CREATE TABLE %I PARTITION OF messages FOR VALUES FROM (%L) TO (%L)',
                'messages_' || to_char(day, 'YYYY_MM_DD'), day, day + interval '1 day');
        END LOOP;
    END $$
"""
"""The partitions that earlier purges would have made for days that have expired by now."""


def rows() -> list[Row]:
    """Purge, DELETE and purge again the same rows, in three copies of a database; readers go on meanwhile."""
    with tempfile.TemporaryDirectory() as folder, Postgres(Path(folder)) as postgres, postgres.database() as url:
        name = url.rsplit("/", 1)[1]
        deleted, remembered = f"{name}_deleted", f"{name}_remembered"
        postgres.execute(DAYS, name)
        fill(url, MESSAGES, newest=8.1, span=6.5)
        for copy in (deleted, remembered):
            postgres.execute(f"CREATE DATABASE {copy} TEMPLATE {name} STRATEGY file_copy", "postgres")
        postgres.execute("CHECKPOINT", "postgres")
        for database in (name, deleted):
            _evict(postgres, database)
        with Readers(url) as readers:
            seconds, messages, conversations = _purge(url)
        delete = _delete(postgres.address(deleted))
        in_memory, _, _ = _purge(postgres.address(remembered))
    times = delete / seconds
    return [
        Row(
            f"purge of {messages / 1e6:.0f} M expired messages with {conversations / 1e3:.0f} k conversations",
            f"{seconds * 1000:.0f} ms; one DELETE of the messages {delete:.1f} s: {times:.0f} × slower",
            "≤ 1 s, ≥ 100 × faster than one DELETE",
            seconds <= 1 and times >= 100,
            seconds / delete,
        ),
        Row("the same while all of it is in memory", f"{in_memory * 1000:.0f} ms", "≤ 1 s", in_memory <= 1, in_memory),
        Row(
            "longest wait of a reader meanwhile",
            f"{max(readers.waits) * 1000:.0f} ms of {len(readers.waits)} reads",
            "≤ 50 ms",
            max(readers.waits) <= 0.05,
        ),
    ]


def _evict(postgres: Postgres, database: str) -> None:
    """Take a database's files out of the kernel's memory; only Linux can be asked to."""
    ((oid,),) = postgres.execute(f"SELECT oid::text FROM pg_database WHERE datname = '{database}'", "postgres")
    for path in (postgres.data / "base" / str(oid)).iterdir() if hasattr(os, "posix_fadvise") else ():
        with path.open("rb") as file:
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


class Readers:
    """Somebody who reads a conversation all the time; `waits` are the seconds of each read."""

    def __init__(self, url: str) -> None:
        self.waits: list[float] = []
        self._database = Database(DatabaseSettings.read({"DATABASE_URL": url}), name="reader")
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._read)

    def _read(self) -> None:
        while not self._stop.is_set():
            started = time.perf_counter()
            self._database.run(
                "SELECT text FROM messages WHERE conversation_id = md5('conversation0')::uuid"
                " AND created_at > now() - interval '168 hours'"
            )
            self.waits.append(time.perf_counter() - started)
            self._stop.wait(0.002)

    def __enter__(self) -> "Readers":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self._database.close()


def _purge(url: str) -> tuple[float, int, int]:
    database = Database(DatabaseSettings.read({"DATABASE_URL": url}), name="purge", statement_timeout=600)
    started = time.perf_counter()
    result = purge(database)
    seconds = time.perf_counter() - started
    database.close()
    return seconds, result.messages, result.conversations


def _delete(url: str) -> float:
    database = Database(DatabaseSettings.read({"DATABASE_URL": url}), name="delete", statement_timeout=1800)
    started = time.perf_counter()
    database.run("DELETE FROM messages WHERE created_at <= now() - interval '168 hours'")
    seconds = time.perf_counter() - started
    database.close()
    return seconds
