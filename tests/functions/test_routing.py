"""From a request to its handler: the checks that hold for every route, and failures as problems."""

import json
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import flask
import pytest
from flask import Flask, Request, Response
from hypothesis import given, strategies
from werkzeug.test import Client, TestResponse

from nanoka import routing
from nanoka.database import DatabaseUnavailableError
from nanoka.problems import MEDIA_TYPE, Problem, unavailable, unknown_conversation
from nanoka.routing import Router
from nanoka.settings import SettingsError

ID = "01234567-89ab-4cde-8f01-23456789abcd"
ORIGIN = "https://nanoka.test"
Send = Callable[..., TestResponse]


@pytest.fixture
def router() -> Router:
    router = Router(ORIGIN)

    @router.route("GET", "/things/<id>")
    def read(_: Request, id: str) -> Response:  # noqa: A002
        return routing.json_response({"id": str(routing.identifier(id, "id")), "名": "七"})

    @router.route("POST", "/things", body_limit=100)
    def write(request: Request) -> Response:
        return routing.json_response(routing.json_object(request), 201)

    @router.route("DELETE", "/things")
    def delete(_: Request) -> Response:
        return routing.no_content()

    @router.route("GET", "/problem")
    def problem(_: Request) -> Response:
        raise Problem(409, "It is taken.", field="name", headers={"X-More": "yes"})

    @router.route("GET", "/unavailable")
    def away(_: Request) -> Response:
        raise DatabaseUnavailableError

    @router.route("GET", "/fault")
    def fault(_: Request) -> Response:
        raise ValueError("secret")

    @router.route("GET", "/cached")
    def cached(_: Request) -> Response:
        return Response("x", headers={"Cache-Control": "no-cache"})

    @router.route("GET", "/away")
    def gone(_: Request) -> Response:
        return routing.redirect("/?q=七")

    return router


@pytest.fixture
def send(router: Router) -> Send:
    client = Client(lambda environ, start: _respond(router, environ)(environ, start), TestResponse, use_cookies=False)
    return client.open


def _respond(router: Router, environ: Any) -> Response:
    with Flask("test").request_context(environ):
        return router(flask.request)


def assert_problem(response: TestResponse, status: int, *, field: str | None = None) -> dict[str, Any]:
    assert response.status_code == status
    assert response.content_type == MEDIA_TYPE == "application/problem+json"
    body: dict[str, Any] = json.loads(response.data)
    assert body["type"] == "about:blank"
    assert body["status"] == status
    assert body["title"]
    assert body["detail"]
    assert body.get("field") == field
    return body


def test_finds_the_handler(send: Send) -> None:
    given = uuid4()
    response = send(f"/things/{given}")
    assert response.status_code == 200
    assert response.content_type == "application/json"
    assert response.data.decode() == f'{{"id":"{given}","名":"七"}}'
    assert response.headers["Cache-Control"] == "no-store"


def test_serves_head_with_get(send: Send) -> None:
    assert send(f"/things/{uuid4()}", method="HEAD").status_code == 200


def test_keeps_a_handlers_own_caching(send: Send) -> None:
    assert send("/cached").headers["Cache-Control"] == "no-cache"


def test_redirects(send: Send) -> None:
    response = send("/away")
    assert response.status_code == 302
    assert response.headers["Location"] == "/?q=%E4%B8%83"
    assert response.data == b""


@pytest.mark.parametrize("path", ["/", "/things/", "/nothing", "//things", "/things/a/b", "/THINGS"])
def test_other_paths_are_404(path: str, send: Send) -> None:
    assert_problem(send(path), 404)


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "OPTIONS", "HEAD", "TRACE", "FOO"])
def test_other_methods_are_405(method: str, send: Send) -> None:
    response = send("/things", method=method)
    assert response.status_code == 405
    assert response.headers["Allow"] == "DELETE, POST"


@pytest.mark.parametrize("method", ["POST", "DELETE"])
@pytest.mark.parametrize(
    "origin", [None, "", "null", "https://evil.test", "http://nanoka.test", "https://nanoka.test:8443", "nanoka.test"]
)
def test_unsafe_methods_need_our_own_origin(method: str, origin: str | None, send: Send) -> None:
    headers = {} if origin is None else {"Origin": origin}
    assert_problem(send("/things", method=method, headers=headers, json={}), 403)
    assert send("/things", method=method, headers={"Origin": ORIGIN}, json={}).status_code < 300


def test_without_an_origin_of_ours_any_may_come() -> None:
    router = Router(None)

    @router.route("POST", "/")
    def purge(_: Request) -> Response:
        return routing.no_content()

    client = Client(lambda environ, start: _respond(router, environ)(environ, start), TestResponse)
    response = client.open("/", method="POST", headers={"Origin": "https://evil.test"})
    assert response.status_code == 204
    assert "Content-Type" not in response.headers


def test_a_body_is_limited(send: Send) -> None:
    ok = send(
        "/things",
        method="POST",
        headers={"Origin": ORIGIN},
        data=b'{"a":"' + b"b" * 92 + b'"}',
        content_type="application/json",
    )
    assert ok.status_code == 201
    over = send(
        "/things",
        method="POST",
        headers={"Origin": ORIGIN},
        data=b'{"a":"' + b"b" * 93 + b'"}',
        content_type="application/json",
    )
    assert_problem(over, 413)
    assert "100 bytes" in over.text
    assert_problem(send(f"/things/{uuid4()}", data=b"x" * (routing.BODY_LIMIT + 1)), 413)


@pytest.mark.parametrize("media_type", ["text/plain", "application/x-www-form-urlencoded", "application/jsonp", None])
def test_a_body_is_json_by_its_type(media_type: str | None, send: Send) -> None:
    assert_problem(send("/things", method="POST", headers={"Origin": ORIGIN}, data=b"{}", content_type=media_type), 415)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"a"', b"null", b"\xff", b"[" * 50, b"{} {}"])
def test_a_body_is_a_json_object(body: bytes, send: Send) -> None:
    options: dict[str, Any] = {"data": body, "content_type": "application/json; charset=utf-8"}
    assert_problem(send("/things", method="POST", headers={"Origin": ORIGIN}, **options), 422, field="body")


def test_a_body_that_breaks_off_is_told(send: Send) -> None:
    class Broken:
        def read(self, _: int = -1) -> bytes:
            raise OSError("client is gone")

    environ = {"wsgi.input": Broken(), "CONTENT_LENGTH": "10"}
    options: dict[str, Any] = {"content_type": "application/json", "environ_overrides": environ}
    assert_problem(send("/things", method="POST", headers={"Origin": ORIGIN}, **options), 400)


def test_problems_are_told(send: Send) -> None:
    response = send("/problem")
    body = assert_problem(response, 409, field="name")
    assert (body["title"], body["detail"]) == ("Conflict", "It is taken.")
    assert response.headers["X-More"] == "yes"
    assert response.headers["Cache-Control"] == "no-store"


def test_a_database_that_is_away_is_told(send: Send) -> None:
    response = send("/unavailable")
    assert_problem(response, 503)
    assert int(response.headers["Retry-After"]) > 0


def test_the_unexpected_is_told_without_its_words(send: Send) -> None:
    assert "secret" not in str(assert_problem(send("/fault"), 500))


def test_a_wrong_log_level_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOG_LEVEL", "chatty")
    with pytest.raises(SettingsError, match="LOG_LEVEL"):
        Router(None)


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://nanoka.test", "https://nanoka.test"),
        ("https://NANOKA.test:443", "https://nanoka.test"),
        ("http://localhost:80", "http://localhost"),
        ("http://localhost:8080", "http://localhost:8080"),
        ("https://nanoka.test:80", "https://nanoka.test:80"),
        ("http://[::1]:8080", "http://[::1]:8080"),
    ],
)
def test_an_origin_is_as_a_browser_writes_it(url: str, origin: str) -> None:
    assert routing.origin_of(url) == origin


@given(strategies.uuids())
def test_canonical_ids_are_read(given_id: UUID) -> None:
    assert routing.identifier(str(given_id), "id") == given_id
    assert routing.identifier(str(given_id).upper(), "id") == given_id


@pytest.mark.parametrize(
    "malformed",
    [
        "", "x", "0" * 32, f"{{{ID}}}", f"urn:uuid:{ID}", f"{ID}\n", f" {ID}", ID[:-1], f"{ID}0", None, 7, ["a"],
        "٣" * 8 + ID[8:],
    ],
)  # fmt: skip
def test_other_ids_are_422(malformed: object) -> None:
    with pytest.raises(Problem) as caught:
        routing.identifier(malformed, "messageId")
    assert (caught.value.status, caught.value.field) == (422, "messageId")


@pytest.mark.parametrize(
    ("text", "storable"), [("七日", True), ("", True), ("a\0b", False), ("\ud83d", False), ("😀", True)]
)
def test_storable(text: str, *, storable: bool) -> None:
    assert routing.storable(text) is storable
    if storable:
        text.encode()


def test_what_is_unknown_has_one_wording() -> None:
    assert unknown_conversation().response().data == unknown_conversation().response().data
    assert unknown_conversation().status == 404
    assert unavailable("Busy.").detail == "Busy."


class TestInFlask:
    """What functions-framework's Flask application refuses before a function is called."""

    @pytest.fixture
    def client(self) -> Client:
        app = Flask("test")
        with app.app_context():
            Router(None)
        app.add_url_rule("/<path:path>", view_func=lambda path: path, methods=["GET"])
        return Client(app.wsgi_app, TestResponse)

    def test_an_unknown_method(self, client: Client) -> None:
        response = client.open("/api/x", method="FOO")
        assert_problem(response, 405)
        assert "GET" in response.headers["Allow"]

    def test_an_unknown_address(self, client: Client) -> None:
        assert_problem(client.get("/"), 404)

    def test_two_slashes_are_no_redirect(self, client: Client) -> None:
        assert client.get("/api//x").data == b"api//x"
