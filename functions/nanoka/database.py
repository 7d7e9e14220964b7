"""A small pool of PostgreSQL connections over pg8000.

Made for functions that wake from zero: nothing connects before the first query, so importing this is safe in
gunicorn's master, and every statement is prepared once for each connection (2.5 times as fast as unnamed ones).
A connection serves one thread at a time: pg8000 mixes answers up otherwise.
"""

import select
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TypeVar
from urllib.parse import parse_qs, unquote, urlsplit

from pg8000.core import CoreConnection
from pg8000.exceptions import DatabaseError, InterfaceError
from pg8000.native import Connection as NativeConnection
from pg8000.native import PreparedStatement

from nanoka import lifecycle
from nanoka.settings import DatabaseSettings, is_loopback

T = TypeVar("T")
Row = list[Any]

CONNECT_TIMEOUT = 5.0
"""Seconds until an attempt to connect is given up."""
RECOVERY = 10.0
"""Seconds for which a database that restarts is waited for."""
CHECK_AFTER = 30.0
"""Seconds of rest after which a connection is tried before it is used."""
CHECK_TIMEOUT = 2.0
"""Seconds within which it must then answer."""
LOST = ("08", "57P01", "57P02", "57P03", "53300")
"""SQLSTATEs (PostgreSQL, appendix A) of a connection that is lost or refused: worth another one."""
CONFLICT = ("40001", "40P01")
"""SQLSTATEs of a transaction that lost against another and may simply be tried again."""
TIMED_OUT = "57014"


class DatabaseUnavailableError(Exception):
    """The database could not be reached, or did not answer in time."""


def sqlstate(error: DatabaseError) -> str:
    """The five characters with which PostgreSQL names an error."""
    return _field(error, "C")


def message(error: DatabaseError) -> str:
    """PostgreSQL's own sentence for an error."""
    return _field(error, "M")


def _field(error: DatabaseError, name: str) -> str:
    detail = error.args[0] if error.args else None
    return str(detail.get(name, "")) if isinstance(detail, dict) else ""


def _refusal(error: BaseException | None) -> DatabaseError | None:
    """PostgreSQL's answer to an attempt to connect: pg8000 may hide it behind a failure to say good-bye."""
    while error is not None and not (isinstance(error, DatabaseError) and _field(error, "V") == "FATAL"):
        error = error.__context__
    return error


class _LostError(Exception):
    """The connection broke in the middle of the work; `undone` if all of it is surely rolled back."""

    def __init__(self, *, undone: bool) -> None:
        super().__init__()
        self.undone = undone


def _pauses() -> Iterator[float]:
    """Seconds to wait before each next try, 20 ms at first and half a second at last; without end."""
    pause = 0.02
    while True:
        yield pause
        pause = min(pause * 2, 0.5)


class Connection:
    """One connection, with the statements that it has prepared.

    `uncommitted` is true in a transaction until its COMMIT is sent, `busy` while a statement's answer is read.
    """

    def __init__(self, raw: CoreConnection) -> None:
        self.raw = raw
        self.prepared: dict[str, PreparedStatement] = {}
        self.used_at = time.monotonic()
        self.uncommitted = False
        self.busy = False

    def run(self, sql: str, **parameters: Any) -> list[Row]:
        """The rows of one statement; `:name` in it stands for a parameter."""
        with self._exchange():
            statement = self.prepared.get(sql)
            if statement is None:
                statement = self.prepared[sql] = PreparedStatement(self.raw, sql)
            return statement.run(**parameters) or []

    def script(self, sql: str) -> None:
        """Run several statements without parameters, as they stand in a file."""
        with self._exchange():
            self.raw.execute_simple(sql)

    @contextmanager
    def _exchange(self) -> Iterator[None]:
        self.busy = True
        try:
            yield
        except DatabaseError:
            self.busy = False  # it is an answer, too; after any other exception half of one may still be to come
            raise
        self.busy = False

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """What is run within is committed together, or rolled back if it raises."""
        self.uncommitted = True
        self.script("BEGIN")
        try:
            yield
        except BaseException:
            if not self.busy:
                with suppress(DatabaseError, InterfaceError, OSError):
                    self.script("ROLLBACK")
                    self.uncommitted = False
            raise
        self.uncommitted = False
        self.script("COMMIT")

    def alive(self) -> bool:
        """Whether it can still be used; asks the server only if it has rested or its socket has something to say."""
        readable, _, _ = select.select([self.raw._usock], [], [], 0)  # noqa: SLF001 - pg8000 tells it no other way
        if not readable and time.monotonic() - self.used_at < CHECK_AFTER:
            return True
        socket = self.raw._usock  # noqa: SLF001
        patience = socket.gettimeout()
        socket.settimeout(CHECK_TIMEOUT)
        try:
            self.script("SELECT 1")
        except (DatabaseError, InterfaceError, OSError):
            return False
        socket.settimeout(patience)
        return True

    def close(self) -> None:
        with suppress(DatabaseError, InterfaceError, OSError):
            self.raw.close()


class Database:
    """Connections to one database, at most `settings.pool_size` at a time.

    Args:
        statement_timeout: seconds after which PostgreSQL ends a statement.
    """

    def __init__(self, settings: DatabaseSettings, *, name: str = "nanoka", statement_timeout: float = 10.0) -> None:
        self.settings = settings
        self.name = name
        self.statement_timeout = statement_timeout
        self._idle: list[Connection] = []
        self._lock = threading.Lock()
        self._places = threading.BoundedSemaphore(settings.pool_size)

    def run(self, sql: str, *, retry: bool = False, **parameters: Any) -> list[Row]:
        """Run one statement in a transaction of its own.

        Args:
            retry: run it again if its connection is lost midway; for what may harmlessly happen twice.

        Raises:
            DatabaseUnavailableError: no connection, or none that answered in time.
            pg8000.exceptions.DatabaseError: any other error of PostgreSQL.
        """
        return self._with_connection(lambda connection: connection.run(sql, **parameters), retry=retry)

    def transaction(self, work: Callable[[Connection], T], *, retry: bool = False) -> T:
        """Run `work` in one transaction, rolled back if it raises.

        It is run again after a conflict with another transaction and after a lost connection, since all of it was
        then rolled back; with `retry` also if it was the COMMIT that was lost, which may or may not have been heard.
        """

        def whole(connection: Connection) -> T:
            with connection.transaction():
                return work(connection)

        return self._with_connection(whole, retry=retry)

    def session(self, work: Callable[[Connection], T]) -> T:
        """Run `work`, which makes its own transactions, on one connection; from its start again after a conflict."""
        return self._with_connection(work, retry=False)

    def close(self) -> None:
        """Close the connections that rest."""
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def _with_connection(self, work: Callable[[Connection], T], *, retry: bool) -> T:
        deadline = time.monotonic() + RECOVERY
        if not self._places.acquire(timeout=RECOVERY):
            raise DatabaseUnavailableError("every connection is in use")
        try:
            for pause in _pauses():
                connection = self._take(deadline)
                try:
                    return self._attempt(connection, work)
                except _LostError as error:
                    if not (retry or error.undone) or time.monotonic() > deadline:
                        raise DatabaseUnavailableError("the connection to the database was lost") from error
                except DatabaseError as error:
                    if sqlstate(error) not in CONFLICT or time.monotonic() > deadline:
                        raise
                time.sleep(pause)
            raise AssertionError  # the pauses do not end
        finally:
            self._places.release()

    def _attempt(self, connection: Connection, work: Callable[[Connection], T]) -> T:
        """Do the work once; the connection rests afterwards, or is closed if it was lost (_LostError)."""
        try:
            result = work(connection)
        except (InterfaceError, OSError) as error:
            connection.close()
            raise _LostError(undone=connection.uncommitted) from error
        except DatabaseError as error:
            if sqlstate(error).startswith(LOST):
                connection.close()
                raise _LostError(undone=connection.uncommitted) from error
            self._give_back(connection)
            if sqlstate(error) == TIMED_OUT:
                raise DatabaseUnavailableError("a statement took too long") from error
            raise
        except BaseException:
            if connection.busy:
                connection.close()
            else:
                self._give_back(connection)
            raise
        self._give_back(connection)
        return result

    def _take(self, deadline: float) -> Connection:
        """A connection that works: a rested one, or a new one as soon as the database accepts it."""
        while True:
            with self._lock:
                connection = self._idle.pop() if self._idle else None
            if connection is None:
                break
            if connection.alive():
                return connection
            connection.close()
        for pause in _pauses():
            try:
                return Connection(self._connect())
            except (DatabaseError, InterfaceError, OSError) as error:
                refusal = _refusal(error)
                # 57014 as well: a server that is told to stop cancels what it is just about to let in.
                if refusal is not None and not sqlstate(refusal).startswith((*LOST, TIMED_OUT)):
                    raise DatabaseUnavailableError(f"the database refuses us: {message(refusal)}") from error
                if time.monotonic() > deadline:
                    raise DatabaseUnavailableError(f"the database cannot be reached: {error}") from error
            time.sleep(pause)
        raise AssertionError  # the pauses do not end

    def _give_back(self, connection: Connection) -> None:
        connection.used_at = time.monotonic()
        with self._lock:
            self._idle.append(connection)

    def _connect(self) -> CoreConnection:
        # Parameters of the session; a statement of its own would cost a round trip at every cold start.
        parameters = {"statement_timeout": str(round(self.statement_timeout * 1000)), "TimeZone": "UTC"}
        if self.settings.instance:
            with lifecycle.importing:
                from nanoka import cloudsql  # noqa: PLC0415 - 354 ms of imports that only Cloud SQL needs

            raw = cloudsql.connect(self.settings, application_name=self.name, startup_params=parameters)
        else:
            raw = NativeConnection(
                **address(self.settings.url),
                timeout=CONNECT_TIMEOUT,
                application_name=self.name,
                startup_params=parameters,
            )
        # From here on only against a peer that has vanished: PostgreSQL itself ends what takes too long.
        raw._usock.settimeout(self.statement_timeout + CONNECT_TIMEOUT)  # noqa: SLF001
        return raw


def address(url: str) -> dict[str, Any]:
    """The parts of a `postgresql://user:password@host:port/name` as pg8000 wants them.

    `sslmode=require` and stricter ask for TLS, `disable` for none; otherwise it is used if the server offers it, but
    not on this machine itself. `host=/folder` names a Unix socket's folder (libpq, 32.1.1.2 and 32.1.2).
    """
    parts = urlsplit(url)
    query = {key: values[-1] for key, values in parse_qs(parts.query).items()}
    result: dict[str, Any] = {
        "user": unquote(parts.username or query.get("user", "postgres")),
        "password": unquote(parts.password) if parts.password is not None else None,
        "database": unquote(parts.path.lstrip("/")) or None,
    }
    folder = query.get("host", "")
    if folder.startswith("/"):
        result["unix_sock"] = f"{folder}/.s.PGSQL.{parts.port or 5432}"
    else:
        result |= {"host": parts.hostname or "localhost", "port": parts.port or 5432}
    mode = query.get("sslmode", "prefer")
    if mode == "disable" or "unix_sock" in result or is_loopback(parts.hostname or "localhost"):
        # Asking costs a round trip, and pg8000 reads the machine's whole store of certificates before it asks.
        result["ssl_context"] = False
    if mode in ("require", "verify-ca", "verify-full"):
        import ssl  # noqa: PLC0415 - 10 ms that only TLS needs

        context = ssl.create_default_context(cafile=query.get("sslrootcert"))
        context.check_hostname = mode == "verify-full"
        if mode == "require":
            context.verify_mode = ssl.CERT_NONE
        result["ssl_context"] = context
    return result
