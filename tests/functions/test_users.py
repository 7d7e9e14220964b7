"""People are forgotten with everything they wrote, also with what is being written just then."""

import sys
import threading
from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import pytest
from langchain_openai.chat_models import _client_utils

from nanoka import users
from nanoka.database import Connection, Database
from nanoka.oidc import Identity
from tests.functions.chat import Chat, submission, until
from tests.functions.conftest import Browser, Functions, Person, Rows
from tests.standins.openai_model import OpenAIModel

BLOCKED = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
TABLES = ("users", "sessions", "conversations", "messages")


def counted(rows: Rows) -> dict[str, int]:
    return {table: rows(f"SELECT count(*) FROM {table}")[0][0] for table in TABLES}


@pytest.fixture
def app(function: Functions) -> Iterator[Any]:
    with OpenAIModel() as model:
        app = function("send_message", OPENAI_BASE_URL=f"{model.address}/v1")
        producer = sys.modules["main"].producer
        yield app
        producer.finish(5)
    # langchain_openai shares one client among all loops of a process; here each test has a loop of its own.
    _client_utils._cached_async_httpx_client.cache_clear()  # noqa: SLF001


def test_an_answer_that_is_being_written_does_not_come_back(
    app: Any, database: Database, rows: Rows, alice: Person
) -> None:
    chat = Chat(Browser(app, alice))
    writing = threading.Thread(target=chat.post, args=(submission("Count. [[words=60 rate=20]]", uuid4()),))
    writing.start()
    until(lambda: rows("SELECT true FROM messages WHERE text <> '' AND role = 'assistant'"))
    users.delete(database, alice.id)
    writing.join(30)
    assert not writing.is_alive()
    assert counted(rows) == dict.fromkeys(TABLES, 0)


def test_a_question_sent_while_the_account_goes_is_not_kept(
    app: Any, database: Database, rows: Rows, alice: Person
) -> None:
    """One that waits for the person's row, in a new conversation, and one that waits for its conversation's."""
    known = rows.conversation(alice)
    answers: list[int] = []
    going, waiting = threading.Event(), threading.Event()

    def delete(connection: Connection) -> None:
        users.delete_with(connection, alice.id)
        going.set()
        assert waiting.wait(30)

    def ask(conversation: UUID) -> None:
        answers.append(Chat(Browser(app, alice)).ask("Hi", conversation).status)

    threads = [threading.Thread(target=database.transaction, args=(delete,))]
    threads += [threading.Thread(target=ask, args=(conversation,)) for conversation in (known, uuid4())]
    threads[0].start()
    assert going.wait(30)
    for thread in threads[1:]:
        thread.start()
    until(lambda: rows(BLOCKED) == [[2]], seconds=30)
    waiting.set()
    for thread in threads:
        thread.join(30)
    assert counted(rows) == dict.fromkeys(TABLES, 0)
    assert answers == [401, 401]


def test_a_question_that_was_first_goes_with_the_account(
    app: Any, database: Database, rows: Rows, alice: Person
) -> None:
    conversation = rows.conversation(alice)
    deleting = threading.Thread(target=users.delete, args=(database, alice.id))

    def write(connection: Connection) -> None:
        connection.run("SELECT FROM conversations WHERE id = :id FOR UPDATE", id=conversation)
        deleting.start()
        until(lambda: rows(BLOCKED) == [[1]], seconds=30)
        connection.run(
            "INSERT INTO messages (id, conversation_id, role, text) VALUES (:id, :conversation, 'user', 'Hi')",
            id=uuid4(),
            conversation=conversation,
        )

    database.transaction(write)
    deleting.join(30)
    assert counted(rows) == dict.fromkeys(TABLES, 0)


def test_deletes_one_person_alone(database: Database, rows: Rows, alice: Person, bob: Person) -> None:
    for person in (alice, bob):
        rows.message(rows.conversation(person))
    users.delete(database, alice.id)
    assert counted(rows) == dict.fromkeys(TABLES, 1)
    users.delete(database, alice.id)
    assert counted(rows) == dict.fromkeys(TABLES, 1)


def test_the_same_person_is_one_user_at_each_issuer(database: Database, rows: Rows) -> None:
    def welcome(issuer: str, subject: str) -> UUID:
        identity = Identity(issuer, subject, "a@people.test", "A", None)
        return database.transaction(lambda connection: users.welcome(connection, identity))

    first = welcome("https://one.test", "a")
    assert welcome("https://one.test", "a") == first
    assert welcome("https://one.test", "b") != first
    assert welcome("https://two.test", "a") != first
    assert counted(rows)["users"] == 3
