"""Fixtures for tests that need real parts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.stack.postgres import Postgres

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """One PostgreSQL server for the whole run."""
    with Postgres(tmp_path_factory.mktemp("postgres"), durable=False) as server:
        yield server


@pytest.fixture
def database_url(postgres: Postgres) -> Iterator[str]:
    """A database of the test's own with the newest schema, by the superuser's address."""
    with postgres.database() as url:
        yield url
