"""The migrations can do their work with the rights that Terraform gives them, and the functions theirs.

On a real PostgreSQL whose roles are Cloud SQL's: `cloudsqlsuperuser` may make roles and databases but is no superuser,
owns the database, and the users of service accounts have no attribute of their own (database.tf).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import pytest
from pg8000.exceptions import DatabaseError

from nanoka.database import Database
from nanoka.migrate import grant, migrate
from nanoka.settings import DatabaseSettings
from tests.stack.postgres import Postgres, execute

if TYPE_CHECKING:
    from collections.abc import Iterator

LOGIN, PURGE, MIGRATE = (f"nanoka-{name}@nanoka-project.iam" for name in ("login", "purge", "migrate"))
REFUSED = "42501"  # insufficient_privilege


class Cloud(NamedTuple):
    """Addresses of one database, each as another user."""

    login: str
    purge: str
    migrate: str


@pytest.fixture(scope="module")
def cloud_sql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    with Postgres(tmp_path_factory.mktemp("cloudsql"), durable=False) as server:
        server.execute("CREATE ROLE cloudsqlsuperuser CREATEROLE CREATEDB NOLOGIN", "postgres")
        for user in (LOGIN, PURGE, MIGRATE):
            server.execute(f"CREATE ROLE \"{user}\" LOGIN PASSWORD 'token'", "postgres")
        server.execute(f'GRANT cloudsqlsuperuser TO "{MIGRATE}"', "postgres")
        server.execute("CREATE DATABASE cloud OWNER cloudsqlsuperuser", "postgres")
        cloud = Cloud(*(server.address("cloud", user.replace("@", "%40"), "token") for user in (LOGIN, PURGE, MIGRATE)))
        database = Database(DatabaseSettings.read({"DATABASE_URL": cloud.migrate}), name="migrate")
        try:
            for _ in range(2):  # every release runs both
                migrate(database)
                grant(database, {"nanoka_app": (LOGIN,), "nanoka_purge": (PURGE,)})
        finally:
            database.close()
        yield cloud


def refused(address: str, sql: str) -> bool:
    """Whether the user may not do it."""
    try:
        execute(address, sql)
    except DatabaseError as error:
        return bool(error.args[0]["C"] == REFUSED)
    return False


def test_functions_may_read_and_write(cloud_sql: Cloud) -> None:
    execute(
        cloud_sql.login,
        "INSERT INTO users (issuer, subject, email, name) VALUES ('i', 's', 'alice@example.com', 'Alice')",
    )
    assert execute(cloud_sql.login, "SELECT count(*) FROM users") == [[1]]
    assert execute(cloud_sql.login, "SELECT count(*) FROM messages") == [[0]]


def test_functions_may_not_change_the_schema(cloud_sql: Cloud) -> None:
    assert refused(cloud_sql.login, "CREATE TABLE mine (id int)")
    assert refused(cloud_sql.login, "DROP TABLE messages_default")
    assert refused(cloud_sql.login, "CREATE ROLE mine")


def test_purge_may_drop_a_day_and_nothing_else(cloud_sql: Cloud) -> None:
    (partition,) = execute(
        cloud_sql.purge,
        "SELECT relid::text FROM pg_partition_tree('messages') WHERE isleaf AND relid::text ~ '_[0-9]+$' LIMIT 1",
    )
    execute(cloud_sql.purge, f"DROP TABLE {partition[0]}")
    assert refused(cloud_sql.purge, "SELECT email FROM users")
    assert refused(cloud_sql.purge, "DROP TABLE users")
