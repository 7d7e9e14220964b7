"""Cursors as a property; what list-history does when several act at once."""

import threading
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nanoka import history
from nanoka.database import Connection, Database
from tests.functions.conftest import Person, Rows

MOMENTS = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC))  # noqa: DTZ001


@given(updated_at=MOMENTS, conversation_id=st.uuids())
def test_a_cursor_survives_its_way_through_an_address(updated_at: datetime, conversation_id: UUID) -> None:
    cursor = history.Cursor(updated_at, conversation_id)
    text = str(cursor)
    assert len(text) == 32
    assert text.replace("-", "").replace("_", "").isalnum()  # nothing in it needs escaping
    assert history.Cursor.parse(text) == cursor


@given(
    st.one_of(
        st.text(), st.text("ABCxyz019-_=", min_size=32, max_size=32), st.binary().map(lambda b: b.decode("latin1"))
    )
)
def test_any_other_text_is_no_cursor(text: str) -> None:
    try:
        cursor = history.Cursor.parse(text)
    except history.CursorError:
        return
    assert str(cursor) == text


def test_a_message_sent_while_its_conversation_is_deleted_does_not_survive_it(
    database: Database, rows: Rows, alice: Person
) -> None:
    conversation_id = rows.conversation(alice)
    rows.message(conversation_id)
    deleted = threading.Thread(target=history.delete, args=(database, alice.id, conversation_id))

    def send(connection: Connection) -> None:
        connection.run("SELECT FROM conversations WHERE id = :id FOR UPDATE", id=conversation_id)
        deleted.start()
        while not connection.run("SELECT FROM pg_locks WHERE NOT granted"):
            deleted.join(0.01)
        connection.run(
            "INSERT INTO messages (conversation_id, id, role) VALUES (:id, gen_random_uuid(), 'user')",
            id=conversation_id,
        )

    database.transaction(send)
    deleted.join()
    assert rows("SELECT FROM messages") == []


def test_a_delete_whose_commit_was_lost_is_still_told_as_done(
    database: Database, rows: Rows, alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    conversation_id = rows.conversation(alice)
    rows.message(conversation_id)
    script = Connection.script
    lost: list[str] = []

    def lose_first_answer(self: Connection, sql: str) -> None:
        script(self, sql)
        if sql == "COMMIT" and not lost:
            lost.append(sql)
            raise ConnectionResetError

    monkeypatch.setattr(Connection, "script", lose_first_answer)
    assert history.delete(database, alice.id, conversation_id) is True
    assert lost == ["COMMIT"]
    assert rows("SELECT FROM messages") == []
    assert history.delete(database, alice.id, conversation_id) is False


def test_two_who_delete_everything_at_once_do_not_lock_each_other(
    database: Database, rows: Rows, alice: Person
) -> None:
    for _ in range(50):
        rows.message(rows.conversation(alice))
    failures: list[BaseException] = []

    def delete_all() -> None:
        try:
            history.delete_all(database, alice.id)
        except BaseException as error:  # noqa: BLE001
            failures.append(error)

    threads = [threading.Thread(target=delete_all) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert rows("SELECT FROM messages") == rows("SELECT FROM conversations") == []


def test_a_conversation_of_many_long_messages_is_read_whole(database: Database, rows: Rows, alice: Person) -> None:
    conversation_id = rows.conversation(alice)
    rows(
        "INSERT INTO messages (conversation_id, created_at, id, role, text)"
        " SELECT :id, now() - n * interval '1 second', gen_random_uuid(), 'user', repeat('長い', 16000)"
        " FROM generate_series(1, 200) n",
        id=conversation_id,
    )
    body = history.detail(database, alice.id, conversation_id)
    assert body is not None
    assert body.count("長い" * 16000) == 200
