"""Sessions: how long they last, and what the database knows of them."""

import hashlib

import pytest
from werkzeug.http import parse_cookie

from nanoka import sessions
from nanoka.database import Database
from tests.functions.conftest import Browser, Functions, Person, Rows

AGE = """
    UPDATE sessions
    SET created_at = now() - :signed_in * interval '1 hour', last_used_at = now() - :used * interval '1 hour'
"""
WEEK, MONTH = 7 * 24, 30 * 24


@pytest.fixture
def client(function: Functions, alice: Person) -> Browser:
    return Browser(function("login"), alice)


@pytest.mark.parametrize(
    ("signed_in", "used", "status"),
    [
        (0, 0, 200),
        (WEEK, WEEK - 0.1, 200),
        (WEEK + 1, WEEK + 0.1, 401),
        (MONTH - 0.1, 0, 200),
        (MONTH + 0.1, 0, 401),
    ],
)
def test_ends_a_week_after_its_last_request_and_a_month_after_sign_in(
    signed_in: float, used: float, status: int, client: Browser, rows: Rows
) -> None:
    rows(AGE, signed_in=signed_in, used=used)
    assert client.get("/api/auth/me").status_code == status


def test_a_request_prolongs_it(client: Browser, rows: Rows) -> None:
    rows(AGE, signed_in=WEEK, used=WEEK - 1)
    client.get("/api/auth/me")
    assert rows("SELECT now() - last_used_at < interval '1 minute' FROM sessions") == [[True]]
    assert rows("SELECT now() - created_at > interval '6 days' FROM sessions") == [[True]]


def test_not_every_request_is_written_down(client: Browser, rows: Rows) -> None:
    rows("UPDATE sessions SET last_used_at = now() - interval '30 seconds'")
    client.get("/api/auth/me")
    assert rows("SELECT now() - last_used_at >= interval '30 seconds' FROM sessions") == [[True]]


def test_the_database_knows_a_hash_alone(rows: Rows, alice: Person) -> None:
    assert rows("SELECT token_hash FROM sessions") == [[hashlib.sha256(alice.token.encode()).digest()]]
    assert len(alice.token) == 43, "256 bits"


@pytest.mark.parametrize("token", ["", "x", "a" * 43, "\udce3", "七日", "' OR true --", "a" * 4000])
def test_other_tokens_are_nobody(token: str, function: Functions, alice: Person) -> None:
    cookie = f"{sessions.COOKIE}={token}".encode("utf-8", "surrogateescape").decode("latin-1")
    response = Browser(function("login")).get("/api/auth/me", headers={"Cookie": cookie})
    assert response.status_code == 401
    assert response.content_type == "application/problem+json"


def test_the_hash_of_a_token_is_no_token(client: Browser, alice: Person) -> None:
    stolen = sessions.digest(alice.token).hex()
    response = client.get("/api/auth/me", headers={"Cookie": f"{sessions.COOKIE}={stolen}"})
    assert response.status_code == 401


def test_a_person_may_have_several(database: Database, function: Functions, alice: Person, rows: Rows) -> None:
    second = database.transaction(lambda connection: sessions.create(connection, alice.id))
    app = function("login")
    there = Browser(app, Person(alice.id, alice.email, second))
    assert Browser(app, alice).post("/api/auth/logout").status_code == 204
    assert there.get("/api/auth/me").status_code == 200


def test_a_new_one_takes_the_place_of_the_old(database: Database, alice: Person, bob: Person, rows: Rows) -> None:
    """Whosever it was: somebody may sign in where somebody else still is."""
    token = database.transaction(lambda connection: sessions.renew(connection, bob.id, alice.token))
    assert token not in (alice.token, bob.token)
    assert rows("SELECT count(*) FROM sessions WHERE user_id = :id", id=alice.id) == [[0]]
    assert rows("SELECT count(*) FROM sessions WHERE user_id = :id", id=bob.id) == [[2]]


def test_the_cookie_is_for_this_host_alone() -> None:
    from flask import Response

    response = Response()
    sessions.set_cookie(response, "token")
    sessions.clear_cookie(response)
    given, cleared = response.headers.getlist("Set-Cookie")
    assert parse_cookie(given)["__Host-nanoka"] == "token"
    assert "Max-Age=2592000" in given
    assert "Max-Age=0" in cleared
    for cookie in (given, cleared):
        assert {"Secure", "HttpOnly", "SameSite=Lax", "Path=/"} <= {part.strip() for part in cookie.split(";")}
        assert "Domain" not in cookie
