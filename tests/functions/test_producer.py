"""Answers while they are written: readers, savers, and a database that is away."""

import socket
import threading
import time
from typing import Any
from uuid import uuid4

import pytest

from nanoka import answers, producer, readers, saver
from nanoka.answers import Key, State
from nanoka.database import Database, DatabaseUnavailableError
from nanoka.gate import Gate
from nanoka.running import END, GONE, Answer, Title
from nanoka.saver import Saver
from nanoka.settings import DatabaseSettings
from tests.functions.chat import Answer as Read
from tests.functions.chat import read, until

KEY = Key(uuid4(), uuid4(), "2026-01-01T00:00:00.000000Z", "2026-01-08T00:00:00.000000Z", "m")
NOWHERE = Database(DatabaseSettings("postgresql://nobody@127.0.0.1:9/none", "", "", "", 1))


def whole(frames: Any) -> Read:
    answer = Read(200, {})
    for event in read(frames):
        answer.add(event)
    return answer


def running() -> Answer:
    return Answer(KEY, "Title", time.monotonic())


def test_readers_that_come_at_any_time_read_the_same() -> None:
    answer = running()
    early = answer.subscribe()
    answer.append("One ")
    answer.flush()
    middle = answer.subscribe()
    answer.append("two")
    answer.rename("Better")
    answer.conclude("complete", None, "stop")
    answer.end()
    late = answer.subscribe()
    for subscription in (early, middle, late):
        pieces = list(subscription.pieces(0.1))
        assert pieces[-1] is END
        texts = [piece for piece in pieces if isinstance(piece, str) and not isinstance(piece, Title)]
        assert "".join(texts) == "One two"
        assert [piece for piece in pieces if isinstance(piece, Title)][-1] == "Better"
        subscription.close()
    assert list(answer.subscribe().pieces(0)) == [Title("Better"), "One two", END]


def test_pieces_of_nothing() -> None:
    assert list(running().subscribe().pieces(0.01))[1:] == []


def test_what_ends_while_it_is_saved_is_saved_with_its_last_words() -> None:
    answer = running()
    answer.append("One")
    mark, row = answer.unsaved()
    answer.append(" two")
    answer.conclude("complete", None, "stop")
    answer.saved(mark, len(row["tail"]))
    _, rest = answer.unsaved()
    assert (row["status"], row["tail"]) == ("streaming", "One")
    assert (rest["kept"], rest["tail"], rest["status"]) == (3, " two", "complete")


def test_heartbeats_while_nothing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    assert readers.HEARTBEAT + max(readers.LOOK, readers.POLL) < 15  # seconds that clients are promised
    monkeypatch.setattr(readers, "LOOK", 0.02)
    monkeypatch.setattr(readers, "HEARTBEAT", 0.1)
    answer = running()
    threading.Timer(0.5, answer.end).start()
    answer.status = "stopped"
    result = whole(readers.live(answer, readers.Client({})))
    assert result.comments >= 2
    assert result.ending == "stopped"
    assert result.all("text-start") == []


def test_a_client_that_is_gone_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readers, "LOOK", 0.02)
    ours, theirs = socket.socketpair()
    client = readers.Client({"gunicorn.socket": ours})
    answer = running()
    frames = readers.live(answer, client)
    next(frames), next(frames)  # its start and its title
    assert not client.gone()
    theirs.close()
    assert client.gone()
    assert list(frames) == []
    ours.close()
    assert client.gone()


class TestFollowing:
    @pytest.fixture(autouse=True)
    def quickly(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(readers, "POLL", 0.02)
        monkeypatch.setattr(readers, "HEARTBEAT", 0.05)

    def follow(self, monkeypatch: pytest.MonkeyPatch, looks: list[State | Exception | None]) -> Read:
        """What a reader sees whose looks at the row bring `looks`, the last of them for ever."""

        def look(*_: object) -> State | None:
            state = looks.pop(0) if len(looks) > 1 else looks[0]
            if isinstance(state, Exception):
                raise state
            return state

        monkeypatch.setattr(answers, "read", look)
        return whole(readers.follow(NOWHERE, KEY, readers.Client({}), Gate(), threading.Event()))

    def test_text_and_title_as_they_grow(self, monkeypatch: pytest.MonkeyPatch) -> None:
        silent = [State("", "streaming", None, "B")] * 8
        states = [State("One ", "streaming", None, "A"), *silent, State("two", "complete", None, "B")]
        result = self.follow(monkeypatch, list(states))
        assert (result.text, result.titles, result.ending) == ("One two", ["A", "B"], "complete")
        assert result.comments >= 1

    def test_a_database_that_is_away_is_waited_for(self, monkeypatch: pytest.MonkeyPatch) -> None:
        away = DatabaseUnavailableError("away")
        result = self.follow(monkeypatch, [away, away, State("One", "failed", "Why", "A")])
        assert (result.text, result.error) == ("One", "Why")

    def test_but_not_for_ever(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(readers, "PATIENCE", 0.1)
        assert self.follow(monkeypatch, [DatabaseUnavailableError("away")]).error

    def test_an_answer_that_is_gone(self, monkeypatch: pytest.MonkeyPatch) -> None:
        assert self.follow(monkeypatch, [None]).error == GONE

    def test_a_process_that_ends_lets_go(self, monkeypatch: pytest.MonkeyPatch) -> None:
        closed, following = threading.Event(), Gate()
        monkeypatch.setattr(answers, "read", lambda *_: State("", "streaming", None, "A"))
        threading.Timer(0.2, closed.set).start()
        frames = readers.follow(NOWHERE, KEY, readers.Client({}), following, closed)
        next(frames)
        assert not following.wait_until_empty(0)
        assert "error" in [event["type"] for event in read(frames) if isinstance(event, dict)]
        assert following.wait_until_empty(0)

    def test_a_client_that_is_gone_is_let_go(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(answers, "read", lambda *_: State("", "streaming", None, "A"))
        ours, theirs = socket.socketpair()
        theirs.close()
        client = readers.Client({"gunicorn.socket": ours})
        frames = readers.follow(NOWHERE, KEY, client, Gate(), threading.Event())
        assert whole(frames).done is False
        ours.close()


class TestSaver:
    @pytest.fixture(autouse=True)
    def quickly(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(saver, "INTERVAL", 0.05)

    def test_it_tries_until_the_database_is_back(self, monkeypatch: pytest.MonkeyPatch) -> None:
        saves: list[list[dict[str, Any]]] = []
        failures = [DatabaseUnavailableError("away"), RuntimeError("a bug"), DatabaseUnavailableError("away")]

        def save(_: Database, rows: Any) -> dict[str, bool]:
            saves.append(list(rows))
            if failures:
                raise failures.pop()
            return {str(KEY.id): False}

        monkeypatch.setattr(answers, "save", save)
        done: list[Answer] = []
        savers, answer = Saver(NOWHERE, stop=lambda _: None, done=done.append), running()
        savers.add(answer)
        answer.append("Whole")
        answer.conclude("complete", None, "stop")
        savers.ended(answer)
        assert savers.wait_until_idle(5)
        assert done == [answer]
        assert saves[-1][0]["tail"] == "Whole"
        savers.close()

    def test_what_has_lost_its_row_is_told_and_ended(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(answers, "save", lambda *_: {})
        stopped: list[Answer] = []
        savers, answer = Saver(NOWHERE, stop=stopped.append, done=lambda _: None), running()
        savers.add(answer)
        until(lambda: stopped)
        answer.conclude("stopped", None, "stop")
        savers.ended(answer)
        assert savers.wait_until_idle(5)
        assert (answer.status, answer.error) == ("interrupted", GONE)
        savers.ended(answer)  # heard too late: it is over
        assert savers.wait_until_idle(0)
        savers.close()

    def test_readers_are_let_go_when_nothing_can_be_saved(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def save(*_: object) -> dict[str, bool]:
            raise DatabaseUnavailableError("away")

        monkeypatch.setattr(answers, "save", save)
        savers, answer = Saver(NOWHERE, stop=lambda _: None, done=lambda _: None), running()
        savers.add(answer)
        assert not savers.wait_until_idle(0.1)
        savers.close()
        result = whole(readers.live(answer, readers.Client({})))
        assert result.error == GONE
        assert result.done


def test_halves_of_pairs_and_nul_are_taken_out() -> None:
    storable = producer._storable  # noqa: SLF001
    assert storable("a\0b") == "ab"
    assert storable("\ud83c\udf0a") == "🌊"
    assert storable("a\ud83cb") == "a\ufffdb"
