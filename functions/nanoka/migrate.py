"""Bring the database to the newest schema: `python -m nanoka.migrate`.

The steps are the numbered files of `functions/migrations/` in the order of their names; each runs once, in a
transaction with the row that says so. After them `grants.sql` runs every time. A lock lets a second runner wait for
the first and then find nothing to do. Steps that this version does not know, a newer one's, are left alone.
"""

import sys
from pathlib import Path

from pg8000.exceptions import DatabaseError

from nanoka.database import Connection, Database, DatabaseUnavailableError, sqlstate
from nanoka.settings import DatabaseSettings, MigrateSettings, SettingsError

STEPS = Path(__file__).parent.parent / "migrations"
GRANTS = "grants.sql"
LOCK = 7_168
"""The number of our advisory lock; any would do that nothing else in the database takes."""
UNDEFINED_OBJECT = "42704"


class UnknownUserError(Exception):
    """A database user who is to be given a role does not exist."""


def migrate(database: Database, folder: Path = STEPS) -> list[str]:
    """Apply what is not applied yet; return the names of the steps that were."""
    applied: list[str] = []

    def next_step(connection: Connection) -> bool:
        _lock(connection)
        connection.script(
            "CREATE TABLE IF NOT EXISTS migrations"
            " (name text PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())"
        )
        done = {name for (name,) in connection.run("SELECT name FROM migrations")}
        for step in sorted(folder.glob("[0-9]*.sql")):
            if step.stem not in done:
                connection.script(step.read_text(encoding="utf-8"))
                connection.run("INSERT INTO migrations (name) VALUES (:name)", name=step.stem)
                applied.append(step.stem)
                return True
        return False

    while database.transaction(next_step):
        pass
    return applied


def grant(database: Database, members: dict[str, tuple[str, ...]], folder: Path = STEPS) -> None:
    """Give the roles what they may do, and database users their role.

    Args:
        members: the users of each role.

    Raises:
        UnknownUserError: there is no such user.
    """

    def work(connection: Connection) -> None:
        _lock(connection)
        connection.script((folder / GRANTS).read_text(encoding="utf-8"))
        for role, users in members.items():
            for user in users:
                _make_member(connection, role, user)

    database.transaction(work)


def _make_member(connection: Connection, role: str, user: str) -> None:
    try:
        if connection.run("SELECT pg_has_role(:user, :role, 'MEMBER')", user=user, role=role) == [[True]]:
            return
    except DatabaseError as error:
        if sqlstate(error) == UNDEFINED_OBJECT:
            raise UnknownUserError(f"there is no database user {user!r}, or no role {role}") from error
        raise
    ((statement,),) = connection.run(
        "SELECT format('GRANT %I TO %I', CAST(:role AS text), CAST(:user AS text))", role=role, user=user
    )
    connection.script(statement)


def _lock(connection: Connection) -> None:
    connection.run("SELECT pg_advisory_xact_lock(:number)", number=LOCK)


def main() -> None:
    try:
        settings, users = DatabaseSettings.read(), MigrateSettings.read()
        database = Database(settings, name="migrate", statement_timeout=600)
        for name in migrate(database):
            print(f"applied {name}")
        grant(database, {"nanoka_app": users.app_users, "nanoka_purge": users.purge_users})
    except (SettingsError, DatabaseUnavailableError, UnknownUserError) as error:
        sys.exit(f"nanoka.migrate: {error}")
    except DatabaseError as error:
        sys.exit(f"nanoka.migrate: PostgreSQL refuses: {error}")
    database.close()


if __name__ == "__main__":
    main()
