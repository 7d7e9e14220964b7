"""Answers as rows: what is stored when connections break midway, and what the model is told of it."""

import threading
from typing import Any
from uuid import UUID, uuid4

import pytest
from pg8000.exceptions import InterfaceError

from nanoka import answers
from nanoka.answers import Begun, Key
from nanoka.database import Connection, Database
from nanoka.problems import Problem
from nanoka.questions import Regenerate, Submit
from tests.functions.conftest import Person, Rows


def begin(database: Database, person: Person, ask: Submit | Regenerate, budget: int = 1000) -> Begun | Key:
    return answers.begin(database, person.id, ask, model="m", title="Title", budget=budget)


def submit(conversation: UUID, text: str = "One") -> Submit:
    return Submit(conversation, uuid4(), text, None, None)


def row(key: Key, **columns: Any) -> dict[str, Any]:
    place = {"conversation_id": str(key.conversation_id), "created_at": key.created_at, "id": str(key.id)}
    return place | {"kept": 0, "tail": "", "status": "streaming", "error": None} | columns


def begun(database: Database, person: Person, ask: Submit | Regenerate, budget: int = 1000) -> Begun:
    result = begin(database, person, ask, budget)
    assert isinstance(result, Begun)
    return result


def test_a_commit_that_was_not_heard_is_not_taken_for_a_retry(
    database: Database, rows: Rows, alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    script, lost = Connection.script, list[str]()

    def losing(self: Connection, sql: str) -> None:
        script(self, sql)
        if sql == "COMMIT" and not lost:
            lost.append(sql)
            raise InterfaceError("network error")

    monkeypatch.setattr(Connection, "script", losing)
    ask = submit(uuid4())
    first = begun(database, alice, ask)
    assert lost
    assert first.history == [("user", "One")]
    assert first.untitled
    assert rows("SELECT count(*) FROM messages") == [[2]]
    assert isinstance(begin(database, alice, ask), Key)


def test_a_save_that_was_not_heard_may_be_sent_again(database: Database, alice: Person) -> None:
    key = begun(database, alice, submit(uuid4())).key
    for _ in range(2):
        assert answers.save(database, [row(key, tail="七日")]) == {str(key.id): False}
    for _ in range(2):
        assert answers.save(database, [row(key, kept=2, tail="の川", status="complete")]) == {str(key.id): False}
    state = answers.read(database, key, 1)
    assert state is not None
    assert (state.text, state.status) == ("日の川", "complete")


def test_what_has_ended_stays_as_it_ended(database: Database, alice: Person) -> None:
    key = begun(database, alice, submit(uuid4())).key
    answers.save(database, [row(key, tail="Whole", status="complete")])
    assert answers.save(database, [row(key, tail="Other", status="interrupted")]) == {}
    assert answers.save(database, []) == {}
    state = answers.read(database, key, 0)
    assert state is not None
    assert state.text == "Whole"


def test_many_are_saved_at_once(database: Database, alice: Person) -> None:
    keys = [begun(database, alice, submit(uuid4())).key for _ in range(20)]
    answers.request_stop(database, alice.id, keys[3].conversation_id)
    saved = answers.save(database, [row(key, tail=str(key.id)) for key in keys])
    assert saved == {str(key.id): key is keys[3] for key in keys}
    for key in keys:
        state = answers.read(database, key, 0)
        assert state is not None
        assert state.text == str(key.id)


def test_the_newest_messages_that_fit_are_told(database: Database, rows: Rows, alice: Person) -> None:
    conversation, parent = rows.conversation(alice), None
    for number in range(6):
        role = "assistant" if number % 2 else "user"
        parent = rows.message(
            conversation, f"{number}" * 300, role=role, age=1 - number / 10, parent_id=parent, model="m"
        )
    history = begun(database, alice, submit(conversation, "Q" * 3000), 1004 + 2 * 104).history
    assert [text[0] for _, text in history] == ["4", "5", "Q"]
    assert len(history[-1][1]) == 3000


def test_the_question_is_told_whole_even_if_nothing_fits(database: Database, alice: Person) -> None:
    assert begun(database, alice, submit(uuid4(), "Q" * 32_000), -5).history == [("user", "Q" * 32_000)]


def test_an_answer_whose_question_has_expired_is_not_regenerated(database: Database, rows: Rows, alice: Person) -> None:
    conversation = rows.conversation(alice)
    question = rows.message(conversation, age=168.01)
    answer = rows.message(conversation, "Yes", role="assistant", age=167.9, parent_id=question, model="m")
    for named in (answer, None):
        with pytest.raises(Problem) as refused:
            begin(database, alice, Regenerate(conversation, named))
        assert (refused.value.status, refused.value.field) == (422, "messageId")


def test_a_retry_whose_answer_is_gone_is_refused(database: Database, rows: Rows, alice: Person) -> None:
    ask = submit(rows.conversation(alice))
    rows.message(ask.conversation_id, "One", id=ask.id)
    with pytest.raises(Problem) as refused:
        begin(database, alice, ask)
    assert refused.value.status == 409


def test_messages_are_stored_in_the_order_in_which_they_are_written(
    database: Database, rows: Rows, alice: Person
) -> None:
    conversation = uuid4()
    keys = []
    for text in ("One", "Two", "Three"):
        keys.append(begun(database, alice, submit(conversation, text)).key)
        answers.save(database, [row(keys[-1], tail="Yes", status="complete")])
    stored = rows("SELECT role FROM messages ORDER BY created_at")
    assert [role for (role,) in stored] == ["user", "assistant"] * 3
    assert rows("SELECT max(m.created_at) = max(c.updated_at) FROM messages m, conversations c") == [[True]]


def test_one_of_many_questions_at_once_is_taken(database: Database, rows: Rows, alice: Person) -> None:
    conversation = uuid4()
    outcomes: list[object] = []

    def ask() -> None:
        try:
            outcomes.append(type(begin(database, alice, submit(conversation))))
        except Problem as problem:
            outcomes.append(problem.status)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes.count(Begun) == 1
    assert outcomes.count(409) == 7
    assert rows("SELECT count(*) FROM messages") == [[2]]


def test_a_title_changes_only_from_what_it_was(database: Database, alice: Person) -> None:
    conversation = begun(database, alice, submit(uuid4())).key.conversation_id
    assert answers.retitle(database, conversation, "Title", "Better") == "Better"
    assert answers.retitle(database, conversation, "Title", "Worse") == "Better"
    assert answers.retitle(database, uuid4(), "Title", "None") is None
