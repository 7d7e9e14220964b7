"""Functions called as functions-framework calls them, in process, over the real PostgreSQL, by signed-in people."""

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol
from uuid import UUID, uuid4

import functions_framework
import pytest
from flask import Flask
from werkzeug.test import Client, TestResponse

from nanoka import logs, sessions
from nanoka.database import Database, Row
from nanoka.settings import DatabaseSettings

FUNCTIONS = Path(__file__).parents[2] / "functions"
ORIGIN = "https://nanoka.test"
ENVIRONMENT = {
    "PUBLIC_URL": ORIGIN,
    "OIDC_ISSUER": "https://issuer.nanoka.test",
    "OIDC_CLIENT_ID": "nanoka",
    "OIDC_CLIENT_SECRET": "not-a-secret",
    "CHAT_MODEL": "openai:test",
    "OPENAI_BASE_URL": "http://127.0.0.1:9/v1",
    "OPENAI_API_KEY": "none",
    "PURGE_AUDIENCE": "https://purge.nanoka.test",
    "PURGE_CALLERS": "ops@nanoka.test",
    "PURGE_CERTS_URL": "http://127.0.0.1:9/certs",
}


@dataclass(frozen=True)
class Person:
    """Somebody with a session: `token` is the cookie's value."""

    id: UUID
    email: str
    token: str


class Answer(TestResponse):
    """A response whose JSON is what a test says it is."""

    @property
    def json(self) -> Any:
        return super().json


class Browser:
    """What one person's browser sends to one function: the session's cookie, and our origin with unsafe methods."""

    def __init__(self, app: Flask, person: Person | None = None) -> None:
        self.client = Client(app.wsgi_app, Answer, use_cookies=False)
        self.person = person

    def send(self, method: str, path: str, *, headers: Mapping[str, str] | None = None, **options: Any) -> Answer:
        """The answer to a request; `options` as werkzeug.test.EnvironBuilder takes them (`json`, `data`, …)."""
        sent = {} if method in ("GET", "HEAD") else {"Origin": ORIGIN}
        if self.person is not None:
            sent["Cookie"] = f"{sessions.COOKIE}={self.person.token}"
        answer = self.client.open(path, method=method, headers=sent | dict(headers or {}), **options)
        assert isinstance(answer, Answer)
        return answer

    def get(self, path: str, **options: Any) -> Answer:
        return self.send("GET", path, **options)

    def post(self, path: str, **options: Any) -> Answer:
        return self.send("POST", path, **options)

    def patch(self, path: str, **options: Any) -> Answer:
        return self.send("PATCH", path, **options)

    def delete(self, path: str, **options: Any) -> Answer:
        return self.send("DELETE", path, **options)


class Rows:
    """Rows of the test's database, put there and looked at past all functions. Ages are in hours."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def __call__(self, sql: str, **parameters: Any) -> list[Row]:
        return self.database.run(sql, **parameters)

    def person(self, name: str = "Alice") -> Person:
        """A new user with a session."""
        email = f"{name.lower()}@people.test"
        (user_id,) = self(
            "INSERT INTO users (issuer, subject, email, name) VALUES (:issuer, :subject, :email, :name) RETURNING id",
            issuer=ENVIRONMENT["OIDC_ISSUER"],
            subject=str(uuid4()),
            email=email,
            name=name,
        )[0]
        token = self.database.transaction(lambda connection: sessions.create(connection, user_id))
        return Person(user_id, email, token)

    def conversation(self, person: Person, title: str = "Title", *, age: float = 0, **columns: Any) -> UUID:
        """A conversation without messages, created and last changed `age` hours ago."""
        values = {"id": uuid4(), "user_id": person.id, "title": title} | columns
        names, places = ", ".join(values), ", ".join(f":{name}" for name in values)
        sql = (
            f"INSERT INTO conversations ({names}, created_at, updated_at)"
            f" VALUES ({places}, now() - :age * interval '1 hour', now() - :age * interval '1 hour') RETURNING id"
        )
        (conversation_id,) = self(sql, **values, age=age)[0]
        return UUID(str(conversation_id))

    def message(
        self, conversation_id: UUID, text: str = "Hello", *, role: str = "user", age: float = 0, **columns: Any
    ) -> UUID:
        """A message written `age` hours ago; `columns` are any others of the table `messages`."""
        values = {"id": uuid4(), "conversation_id": conversation_id, "role": role, "text": text} | columns
        names, places = ", ".join(values), ", ".join(f":{name}" for name in values)
        sql = (
            f"INSERT INTO messages ({names}, created_at)"
            f" VALUES ({places}, now() - :age * interval '1 hour') RETURNING id"
        )
        (message_id,) = self(sql, **values, age=age)[0]
        return UUID(str(message_id))


class Functions(Protocol):
    """Makes a function's application; settings given here win over ENVIRONMENT."""

    def __call__(self, name: str, **environment: str) -> Flask: ...


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch, database_url: str) -> dict[str, str]:
    """Every setting that a function reads, also set in this process's environment."""
    settings = ENVIRONMENT | {"DATABASE_URL": database_url}
    monkeypatch.delenv("INSTANCE_CONNECTION_NAME", raising=False)
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    return settings


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A pool of the test's own, as superuser."""
    database = Database(DatabaseSettings.read({"DATABASE_URL": database_url}), name="test")
    yield database
    database.close()


@pytest.fixture
def rows(database: Database) -> Rows:
    return Rows(database)


@pytest.fixture
def function(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Functions]:
    """Loads functions as functions-framework does: their module anew each time, with the settings of this test."""
    pools: list[Database] = []
    path, initialise = list(sys.path), Database.__init__

    def remember(self: Database, *arguments: Any, **options: Any) -> None:
        initialise(self, *arguments, **options)
        pools.append(self)

    monkeypatch.setattr(Database, "__init__", remember)

    def load(name: str, **settings: str) -> Flask:
        # functions-framework writes these two itself, and would leave them to every process that a later test starts.
        settings |= {"FUNCTION_TARGET": name, "FUNCTION_SIGNATURE_TYPE": "http"}
        for key, value in settings.items():
            monkeypatch.setenv(key, value)
        logs.warning("loading a function")
        logs.flush()  # so that all lines of the test are written at once
        app: Flask = functions_framework.create_app(  # type: ignore[no-untyped-call]
            name, str(FUNCTIONS / name / "main.py")
        )
        return app

    yield load
    sys.modules.pop("main", None)
    sys.path[:] = path
    for pool in pools:
        pool.close()


@pytest.fixture
def alice(rows: Rows) -> Person:
    return rows.person("Alice")


@pytest.fixture
def bob(rows: Rows) -> Person:
    return rows.person("Bob")
