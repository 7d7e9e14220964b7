"""list-history over HTTP: every route's answers, limits and errors."""

import json
from datetime import datetime, timedelta
from uuid import uuid4

import pytest

from tests.functions.conftest import ORIGIN, Answer, Browser, Functions, Person, Rows

ID = "01234567-89ab-4cde-8f01-23456789abcd"
LISTED = {"id", "title", "created_at", "updated_at", "expires_at"}
READ = {"id", "parent_id", "role", "text", "status", "error", "model", "created_at", "expires_at"}


@pytest.fixture
def client(function: Functions, alice: Person) -> Browser:
    return Browser(function("list_history"), alice)


@pytest.fixture
def stranger(client: Browser, bob: Person) -> Browser:
    """Somebody else, at the same function."""
    other = Browser.__new__(Browser)
    other.client, other.person = client.client, bob
    return other


def problem(response: Answer, status: int, field: str | None = None) -> dict[str, object]:
    """The body of a failure, checked to be one."""
    assert response.status_code == status, response.text
    assert response.content_type == "application/problem+json"
    body: dict[str, object] = response.json
    assert body["status"] == status
    assert body["title"]
    assert body["detail"]
    assert body.get("field") == field
    return body


def titles(response: Answer) -> list[str]:
    assert response.status_code == 200, response.text
    return [conversation["title"] for conversation in response.json["conversations"]]


def test_a_conversation_is_listed_with_its_times(client: Browser, rows: Rows, alice: Person) -> None:
    conversation_id = rows.conversation(alice, "東京", age=3)
    rows.message(conversation_id, age=3)
    rows.message(conversation_id, age=2)
    answer = client.get("/api/conversations")
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.content_type == "application/json"
    (conversation,) = answer.json["conversations"]
    assert set(conversation) == LISTED
    assert conversation["id"] == str(conversation_id)
    assert conversation["title"] == "東京"
    times = {name: datetime.fromisoformat(conversation[name]) for name in LISTED - {"id", "title"}}
    assert all(moment.utcoffset() == timedelta(0) for moment in times.values())
    # Its end is that of its newest message, which is two hours old.
    left = times["expires_at"] - times["created_at"]
    assert left == pytest.approx(timedelta(hours=168 + 1), abs=timedelta(seconds=5))


def test_conversations_are_newest_first_and_only_ones_own(
    client: Browser, rows: Rows, alice: Person, bob: Person
) -> None:
    for title, age in (("b", 2), ("c", 3), ("a", 1)):
        rows.message(rows.conversation(alice, title, age=age), age=age)
    rows.message(rows.conversation(bob, "Bob's", age=0))
    assert titles(client.get("/api/conversations")) == ["a", "b", "c"]


def test_pages_follow_each_other_without_gap_or_repetition_while_somebody_writes(
    client: Browser, rows: Rows, alice: Person
) -> None:
    for age in range(1, 8):
        rows.message(rows.conversation(alice, str(age), age=age), age=age)
    seen, path = [], "/api/conversations?limit=3"
    while True:
        page = client.get(path)
        seen += titles(page)
        rows.message(rows.conversation(alice, "new"))
        if page.json["next_cursor"] is None:
            break
        path = f"/api/conversations?limit=3&cursor={page.json['next_cursor']}"
    assert seen == [str(age) for age in range(1, 8)]


def test_a_page_that_is_just_full_is_the_last(client: Browser, rows: Rows, alice: Person) -> None:
    for _ in range(2):
        rows.message(rows.conversation(alice))
    answer = client.get("/api/conversations?limit=2")
    assert len(answer.json["conversations"]) == 2
    assert answer.json["next_cursor"] is None


def test_a_page_has_thirty_unless_told(client: Browser, rows: Rows, alice: Person) -> None:
    for _ in range(31):
        rows.message(rows.conversation(alice))
    assert len(client.get("/api/conversations").json["conversations"]) == 30
    assert len(client.get("/api/conversations?limit=100").json["conversations"]) == 31


@pytest.mark.parametrize("limit", ["0", "101", "-1", "", "x", "1.5", "１", "9" * 30, " 5", "+5"])
def test_a_limit_out_of_range_is_named(client: Browser, limit: str) -> None:
    problem(client.get("/api/conversations", query_string={"limit": limit}), 422, "limit")


@pytest.mark.parametrize("cursor", ["x", "é", "A" * 31, "A" * 33, "A" * 44, "f" + "_" * 31, "A" * 31 + "=", "{}"])
def test_a_bad_cursor_is_named(client: Browser, cursor: str) -> None:
    problem(client.get("/api/conversations", query_string={"cursor": cursor}), 422, "cursor")


def test_an_empty_cursor_is_none(client: Browser, rows: Rows, alice: Person) -> None:
    rows.message(rows.conversation(alice, "first"))
    assert titles(client.get("/api/conversations?limit=1&cursor=&q=")) == ["first"]


@pytest.mark.parametrize(
    ("q", "found"),
    [
        ("東京", ["place"]),
        ("京タ", ["place"]),
        ("トウキョウ", []),
        ("STRASSE", ["place"]),
        ("straße", ["place"]),
        ("PLACE", ["place"]),
        ("100%", ["percent"]),
        ("%", ["percent"]),
        ("_", ["under_score"]),
        ("0% s", ["percent"]),
        ("sure 100%", []),
        ("\\", ["under_score"]),
        ("", ["percent", "place", "under_score"]),
        (" ", ["percent", "place"]),
        ("nothing of it", []),
    ],
)
def test_search_is_a_plain_substring_in_any_case(
    client: Browser, rows: Rows, alice: Person, q: str, found: list[str]
) -> None:
    for title, text in (("place", "東京タワー in der Straße"), ("percent", "100% sure"), ("under_score", "\\d")):
        rows.message(rows.conversation(alice, title), text)
    assert sorted(titles(client.get("/api/conversations", query_string={"q": q}))) == found


def test_search_sees_neither_what_has_expired_nor_what_is_someone_elses(
    client: Browser, rows: Rows, alice: Person, bob: Person
) -> None:
    conversation_id = rows.conversation(alice, "kept")
    rows.message(conversation_id, "apple", age=168.01)
    rows.message(conversation_id, "pear", age=167.99)
    rows.message(rows.conversation(alice, "apple, expired", age=169), "apple", age=169)
    rows.message(rows.conversation(bob, "apple"), "apple")
    assert titles(client.get("/api/conversations?q=apple")) == []
    assert titles(client.get("/api/conversations?q=pear")) == ["kept"]


def test_search_has_pages(client: Browser, rows: Rows, alice: Person) -> None:
    for age in range(1, 4):
        rows.message(rows.conversation(alice, f"match {age}", age=age))
        rows.message(rows.conversation(alice, "other", age=age))
    first = client.get("/api/conversations?q=match&limit=2")
    assert titles(first) == ["match 1", "match 2"]
    second = client.get(f"/api/conversations?q=match&limit=2&cursor={first.json['next_cursor']}")
    assert titles(second) == ["match 3"]
    assert second.json["next_cursor"] is None


def test_a_text_that_cannot_be_searched_for_is_named(client: Browser) -> None:
    problem(client.get("/api/conversations?q=%00"), 422, "q")


def test_a_conversation_is_read_as_a_tree_oldest_first(client: Browser, rows: Rows, alice: Person) -> None:
    conversation_id = rows.conversation(alice, age=2)
    first = rows.message(conversation_id, "How?", age=2)
    answer = rows.message(conversation_id, "So.", role="assistant", age=2, parent_id=first, model="m")
    # Written in one transaction, a question and its answer have the same time.
    rows("UPDATE messages SET created_at = (SELECT min(created_at) FROM messages)")
    second = rows.message(conversation_id, "And?", age=1, parent_id=answer)
    body = client.get(f"/api/conversations/{conversation_id}").json
    assert set(body) == LISTED | {"messages"}
    assert [message["id"] for message in body["messages"]] == [str(first), str(answer), str(second)]
    assert [message["parent_id"] for message in body["messages"]] == [None, str(first), str(answer)]
    question, reply, _ = body["messages"]
    assert set(question) == READ
    assert (question["role"], question["text"], question["status"]) == ("user", "How?", "complete")
    assert question["model"] is question["error"] is None
    assert (reply["role"], reply["model"]) == ("assistant", "m")
    expires, created = (datetime.fromisoformat(reply[name]) for name in ("expires_at", "created_at"))
    assert expires - created == timedelta(hours=168)
    assert body["expires_at"] == body["messages"][-1]["expires_at"]


def test_what_follows_an_expired_message_begins_a_tree(client: Browser, rows: Rows, alice: Person) -> None:
    conversation_id = rows.conversation(alice)
    gone = rows.message(conversation_id, "gone", age=168.01)
    rows.message(conversation_id, "here", age=1, parent_id=gone)
    body = client.get(f"/api/conversations/{conversation_id}").json
    assert [(message["text"], message["parent_id"]) for message in body["messages"]] == [("here", None)]


@pytest.mark.parametrize(
    ("text", "saved", "status"),
    [("half", "14 seconds", "streaming"), ("half", "16 seconds", "interrupted"), ("", "16 seconds", "failed")],
)
def test_an_answer_that_nobody_writes_any_more_is_told_as_dead(
    client: Browser, rows: Rows, *, alice: Person, text: str, saved: str, status: str
) -> None:
    conversation_id = rows.conversation(alice)
    rows.message(conversation_id, text, role="assistant", status="streaming", model="m", age=0.1)
    rows("UPDATE messages SET saved_at = now() - CAST(:saved AS interval)", saved=saved)
    (message,) = client.get(f"/api/conversations/{conversation_id}").json["messages"]
    assert message["status"] == status
    assert bool(message["error"]) is (status != "streaming")


def test_a_rename_changes_the_title_alone(client: Browser, rows: Rows, alice: Person) -> None:
    older, newer = rows.conversation(alice, "older", age=2), rows.conversation(alice, "newer", age=1)
    for conversation_id in (older, newer):
        rows.message(conversation_id)
    before = client.get("/api/conversations").json["conversations"]
    answer = client.patch(f"/api/conversations/{older}", json={"title": "新しい名前"})
    assert answer.status_code == 200
    assert answer.json == before[1] | {"title": "新しい名前"}
    assert client.get("/api/conversations").json["conversations"] == [before[0], answer.json]


@pytest.mark.parametrize("title", ["x", "𝒳" * 200, " padded ", "'; DROP TABLE messages; --", "\u202e"])
def test_a_title_is_kept_as_it_is(client: Browser, rows: Rows, alice: Person, title: str) -> None:
    conversation_id = rows.conversation(alice)
    rows.message(conversation_id)
    assert client.patch(f"/api/conversations/{conversation_id}", json={"title": title}).json["title"] == title
    assert client.get(f"/api/conversations/{conversation_id}").json["title"] == title


@pytest.mark.parametrize("title", ["", " \t\n\u3000", "x" * 201, None, 1, ["x"], "\x00", "\ud800"])
def test_a_title_out_of_its_limits_is_named(client: Browser, rows: Rows, alice: Person, title: object) -> None:
    conversation_id = rows.conversation(alice, "before")
    rows.message(conversation_id)
    answer = client.patch(
        f"/api/conversations/{conversation_id}", data=json.dumps({"title": title}), content_type="application/json"
    )
    problem(answer, 422, "title")
    assert titles(client.get("/api/conversations")) == ["before"]


def test_a_rename_needs_a_json_object_of_moderate_size(client: Browser, rows: Rows, alice: Person) -> None:
    conversation_id = rows.conversation(alice)
    rows.message(conversation_id)
    path = f"/api/conversations/{conversation_id}"
    problem(client.patch(path, data="title=x", content_type="text/plain"), 415)
    problem(client.patch(path, data="{", content_type="application/json"), 422, "body")
    problem(client.patch(path, data="[]", content_type="application/json"), 422, "body")
    problem(client.patch(path, json={}), 422, "title")
    problem(client.patch(path, json={"title": "x", "more": "x" * 65_536}), 413)


def test_a_deleted_conversation_is_gone_with_its_messages_at_once(client: Browser, rows: Rows, alice: Person) -> None:
    conversation_id, other = rows.conversation(alice), rows.conversation(alice, "other")
    for _ in range(2):
        rows.message(conversation_id)
    rows.message(other)
    answer = client.delete(f"/api/conversations/{conversation_id}")
    assert answer.status_code == 204
    assert answer.data == b""
    assert rows("SELECT conversation_id FROM messages") == [[other]]
    assert rows("SELECT id FROM conversations") == [[other]]
    problem(client.delete(f"/api/conversations/{conversation_id}"), 404)


def test_all_conversations_can_be_deleted_but_no_one_elses(
    client: Browser, rows: Rows, alice: Person, bob: Person
) -> None:
    bobs = rows.conversation(bob)
    rows.message(bobs)
    for age in (1, 200):
        rows.message(rows.conversation(alice, age=age), age=age)
    for _ in range(2):
        assert client.delete("/api/conversations").status_code == 204
    assert rows("SELECT conversation_id FROM messages") == [[bobs]]
    assert rows("SELECT id FROM conversations") == [[bobs]]


def test_what_is_someone_elses_or_expired_is_told_in_the_words_of_what_never_was(
    client: Browser, stranger: Browser, rows: Rows, alice: Person
) -> None:
    hers, expired = rows.conversation(alice, "hers"), rows.conversation(alice, "expired")
    rows.message(hers)
    rows.message(expired, age=168.01)
    for method, suffix in (
        ("GET", ""),
        ("PATCH", ""),
        ("DELETE", ""),
        ("GET", "/export"),
        ("GET", "/export?format=json"),
    ):
        body = {"json": {"title": "x"}} if method == "PATCH" else {}
        answers = [
            (client, uuid4()),
            (client, expired),
            (stranger, hers),
        ]
        told = [
            problem(who.send(method, f"/api/conversations/{conversation_id}{suffix}", **body), 404)
            for who, conversation_id in answers
        ]
        assert told[0] == told[1] == told[2]
    assert titles(client.get("/api/conversations")) == ["hers"]


def test_a_conversation_without_a_living_message_is_gone_although_its_row_is_there(
    client: Browser, rows: Rows, alice: Person
) -> None:
    conversation_id = rows.conversation(alice, age=0)
    rows.message(conversation_id)
    assert titles(client.get("/api/conversations")) == ["Title"]
    rows("UPDATE messages SET created_at = now() - interval '168 hours'")
    assert titles(client.get("/api/conversations")) == []
    assert titles(client.get("/api/conversations?q=title")) == []
    problem(client.get(f"/api/conversations/{conversation_id}"), 404)
    problem(client.patch(f"/api/conversations/{conversation_id}", json={"title": "x"}), 404)
    assert rows("SELECT title FROM conversations") == [["Title"]]


def test_a_message_lives_to_the_last_second_of_its_seven_days(client: Browser, rows: Rows, alice: Person) -> None:
    conversation_id = rows.conversation(alice)
    rows.message(conversation_id, "just alive", age=168 - 0.01)
    rows.message(conversation_id, "just dead", age=168 + 0.0001)
    body = client.get(f"/api/conversations/{conversation_id}").json
    assert [message["text"] for message in body["messages"]] == ["just alive"]


def test_without_a_session_nothing_is_told(client: Browser) -> None:
    client.person = None
    for method, path in (
        ("GET", "/api/conversations"),
        ("DELETE", "/api/conversations"),
        ("GET", f"/api/conversations/{uuid4()}"),
        ("PATCH", f"/api/conversations/{uuid4()}"),
        ("DELETE", f"/api/conversations/{uuid4()}"),
        ("GET", f"/api/conversations/{uuid4()}/export"),
        ("GET", f"/api/conversations/{uuid4()}/export?format=pdf"),
    ):
        problem(client.send(method, path), 401)


@pytest.mark.parametrize("origin", ["https://evil.test", "null", ORIGIN + ".evil.test", "http://nanoka.test", ""])
def test_another_sites_page_changes_nothing(client: Browser, rows: Rows, alice: Person, origin: str) -> None:
    conversation_id = rows.conversation(alice)
    rows.message(conversation_id)
    path = f"/api/conversations/{conversation_id}"
    problem(client.patch(path, json={"title": "x"}, headers={"Origin": origin}), 403)
    problem(client.delete(path, headers={"Origin": origin}), 403)
    problem(client.delete("/api/conversations", headers={"Origin": origin}), 403)
    assert titles(client.get("/api/conversations")) == ["Title"]


@pytest.mark.parametrize("bad", ["x", "1", ID[:-1], ID + "0", "{" + ID + "}", ID.replace("-", "")])
def test_an_id_that_is_no_uuid_is_named(client: Browser, bad: str) -> None:
    problem(client.get(f"/api/conversations/{bad}"), 422, "id")
    problem(client.delete(f"/api/conversations/{bad}"), 422, "id")
    problem(client.patch(f"/api/conversations/{bad}", json={"title": "x"}), 422, "id")
    problem(client.get(f"/api/conversations/{bad}/export"), 422, "id")


def test_other_methods_and_addresses_are_refused(client: Browser) -> None:
    assert "GET" in problem_allow(client.post("/api/conversations"))
    assert "PATCH" in problem_allow(client.send("PUT", f"/api/conversations/{uuid4()}"))
    problem(client.get("/api/conversations/"), 404)
    problem(client.get("/api/other"), 404)


def problem_allow(response: Answer) -> str:
    problem(response, 405)
    return response.headers["Allow"]


def test_an_export_is_a_download(client: Browser, rows: Rows, alice: Person) -> None:
    conversation_id = rows.conversation(alice, "東京の道")
    question = rows.message(conversation_id, "東京タワーは?", age=1)
    rows.message(conversation_id, "Over **there**.", role="assistant", parent_id=question, status="stopped", model="m")
    path = f"/api/conversations/{conversation_id}/export"
    as_json = client.get(path, query_string={"format": "json"})
    assert as_json.json == client.get(f"/api/conversations/{conversation_id}").json
    assert as_json.content_type == "application/json"
    as_markdown = client.get(path, query_string={"format": "markdown"})
    assert as_markdown.content_type == "text/markdown; charset=utf-8"
    for part in ("# 東京の道", "東京タワーは?", "Over **there**.", "Stopped"):
        assert part in as_markdown.text
    for answer, ending in ((as_json, "json"), (as_markdown, "md")):
        assert answer.headers["Content-Disposition"].startswith("attachment; ")
        assert answer.headers["Content-Disposition"].endswith(
            f"filename*=UTF-8''%E6%9D%B1%E4%BA%AC%E3%81%AE%E9%81%93.{ending}"
        )
        assert answer.headers["Cache-Control"] == "no-store"
    assert client.get(path).text == as_markdown.text
    problem(client.get(path, query_string={"format": "pdf"}), 422, "format")


def test_no_log_holds_what_was_written_or_searched(
    client: Browser, rows: Rows, alice: Person, caplog: pytest.LogCaptureFixture
) -> None:
    conversation_id = rows.conversation(alice, "secret title")
    rows.message(conversation_id, "secret text")
    client.get("/api/conversations?q=secret")
    client.get(f"/api/conversations/{conversation_id}/export")
    client.patch(f"/api/conversations/{conversation_id}", json={"title": "secret name"})
    logged = "".join(str(vars(record)) for record in caplog.records)
    assert str(alice.id) in logged
    for word in ("secret", alice.email, alice.token):
        assert word not in logged
