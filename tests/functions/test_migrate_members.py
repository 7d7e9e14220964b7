"""The migrations give database users the functions' roles: Cloud SQL makes users without any rights."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

import pytest

from nanoka.database import Database
from nanoka.migrate import UnknownUserError, grant
from nanoka.settings import DatabaseSettings
from tests.stack.postgres import execute

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    found = Database(DatabaseSettings.read({"DATABASE_URL": database_url}), name="migrate")
    yield found
    found.close()


def test_a_user_gets_the_role_and_keeps_it(database: Database, database_url: str) -> None:
    user = f"nanoka-login-{secrets.token_hex(4)}@project.iam"  # as Cloud SQL names a service account
    execute(database_url, f'CREATE ROLE "{user}" LOGIN')
    for _ in range(2):
        grant(database, {"nanoka_app": (user,)})
        assert execute(database_url, f"SELECT pg_has_role('{user}', 'nanoka_app', 'MEMBER')") == [[True]]
    execute(database_url, f'DROP ROLE "{user}"')


def test_an_unknown_user_is_named(database: Database) -> None:
    with pytest.raises(UnknownUserError, match="nobody"):
        grant(database, {"nanoka_app": ("nobody",)})
