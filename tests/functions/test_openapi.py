"""Every function answers as its description says: each operation with each status that can be brought about."""

import io
import re
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any, NamedTuple
from uuid import uuid4

import hypothesis.errors
import pytest
import schemathesis
from flask import Flask
from langchain_openai.chat_models import _client_utils
from openapi_spec_validator import validate
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from werkzeug.test import TestResponse

import nanoka.database
from nanoka import sessions
from nanoka.settings import DatabaseSettings
from tests.functions import chat
from tests.functions.conftest import ENVIRONMENT, ORIGIN, Browser, Functions, Person, Rows
from tests.functions.description import assert_described, document, operation, operations, schema
from tests.functions.test_login import visit
from tests.stack import token_issuer
from tests.standins.openai_model import OpenAIModel
from tests.standins.openid import OpenIdProvider

FUNCTIONS = ("login", "list_history", "send_message", "purge")
SIGNED_IN = [each.id for each in operations() if each.signed_in]
OF_CONVERSATIONS = [each.id for each in operations() if "{" in each.path]
UNSAFE = [each.id for each in operations() if 403 in each.statuses and each.id not in ("purge", "finishSignIn")]
WITH_BODY = ["renameConversation", "sendMessage"]
SIZED = [each.id for each in operations() if 413 in each.statuses]


class Loaded(NamedTuple):
    """A function's application, and the module that functions-framework made it from."""

    app: Flask
    main: Any


CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]

FUZZING = hypothesis.settings(
    max_examples=15, deadline=None, database=None, suppress_health_check=list(hypothesis.HealthCheck)
)
ID = "01234567-89ab-4cde-8f01-23456789abcd"
UUID = re.compile(r"[0-9a-f-]{36}", re.IGNORECASE)

Apps = dict[str, Loaded]


@pytest.fixture(scope="module")
def signer(tmp_path_factory: pytest.TempPathFactory) -> token_issuer.Signer:
    return token_issuer.Signer(tmp_path_factory.mktemp("issuer"))


@pytest.fixture(scope="module")
def certs_url(signer: token_issuer.Signer) -> Iterator[str]:
    server = token_issuer.serve(signer, 0)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/certs"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="module")
def provider() -> Iterator[OpenIdProvider]:
    callback = f"{ORIGIN}/api/auth/callback"
    with OpenIdProvider(ENVIRONMENT["OIDC_CLIENT_ID"], ENVIRONMENT["OIDC_CLIENT_SECRET"], callback) as provider:
        yield provider


@pytest.fixture(scope="module")
def model() -> Iterator[OpenAIModel]:
    with OpenAIModel() as model:
        yield model


@pytest.fixture
def apps(function: Functions, provider: OpenIdProvider, model: OpenAIModel, certs_url: str) -> Iterator[Apps]:
    """All four functions."""
    settings = {
        "OIDC_ISSUER": provider.issuer,
        "OPENAI_BASE_URL": f"{model.address}/v1",
        "PURGE_CERTS_URL": certs_url,
    }
    loaded = {name: Loaded(function(name, **settings), sys.modules["main"]) for name in FUNCTIONS}
    yield loaded
    loaded["send_message"].main.producer.finish(5)
    # langchain_openai shares one client among all loops of a process; here each test has a loop of its own.
    _client_utils._cached_async_httpx_client.cache_clear()  # noqa: SLF001


class Caller:
    """Calls operations by their id, and holds every answer to the description."""

    def __init__(self, apps: Apps, person: Person | None, token: str) -> None:
        self.apps = apps
        self.person = person
        self.token = token

    def __call__(self, operation_id: str, *, status: int | None = None, **options: Any) -> TestResponse:
        """`options`: `id` for the path, and what `werkzeug.test.EnvironBuilder` takes."""
        called = operation(operation_id)
        headers = options.pop("headers", {})
        if called.function == "purge":
            headers = {"Authorization": f"Bearer {self.token}"} | headers
        if called.body.get("requestBody") and not {"json", "data", "input_stream"} & options.keys():
            options["json"] = (
                {"title": "Title"} if called.id == "renameConversation" else chat.submission("Hi", uuid4())
            )
        path = called.path
        for name in ("{id}", "{conversation_id}"):
            path = path.replace(name, str(options.get("id", "")))
        options.pop("id", None)
        response = Browser(self.apps[called.function].app, self.person).send(
            called.method, path, headers=headers, **options
        )
        assert_described(called, response)
        assert status is None or response.status_code == status, response.text
        return response


@pytest.fixture
def token(signer: token_issuer.Signer) -> str:
    return signer.token(ENVIRONMENT["PURGE_AUDIENCE"], ENVIRONMENT["PURGE_CALLERS"])


@pytest.fixture
def call(apps: Apps, alice: Person, token: str) -> Caller:
    return Caller(apps, alice, token)


@pytest.fixture
def stranger(apps: Apps, token: str) -> Caller:
    """Somebody without a session."""
    return Caller(apps, None, token)


def test_the_description_is_openapi() -> None:
    validate(document())
    assert document()["openapi"].startswith("3.1")


def test_the_functions_serve_what_is_described_and_nothing_else(apps: Apps) -> None:
    served = set()
    for name, loaded in apps.items():
        for endpoint in loaded.main.router.handlers:
            method, path = endpoint.split(" ")
            served.add((name, method, path.replace("<", "{").replace(">", "}")))
    assert served == {(each.function, each.method, each.path) for each in operations()}


def test_a_sign_in(stranger: Caller, rows: Rows) -> None:
    stranger("finishSignIn", status=400)
    stranger("finishSignIn", status=400, headers={"Accept": "application/json"})
    to_provider = stranger("signIn", status=302)
    cookie = to_provider.headers["Set-Cookie"].split(";")[0]
    callback = visit(to_provider.headers["Location"]).split("?")[1]
    stranger("finishSignIn", status=302, query_string=callback, headers={"Cookie": cookie})
    assert rows("SELECT count(*) FROM sessions") == [[1]]


def test_a_failing_sign_in(stranger: Caller, provider: OpenIdProvider, monkeypatch: pytest.MonkeyPatch) -> None:
    to_provider = stranger("signIn", status=302)
    cookie = to_provider.headers["Set-Cookie"].split(";")[0]
    callback = visit(to_provider.headers["Location"]).split("?")[1]
    monkeypatch.setattr(provider, "claims", {"email_verified": False})
    stranger("finishSignIn", status=403, query_string=callback, headers={"Cookie": cookie})


def test_an_unreachable_provider(stranger: Caller, provider: OpenIdProvider, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(provider, "down", True)
    stranger("signIn", status=502)
    stranger("signIn", status=502, headers={"Accept": "text/html"})


def test_an_account(call: Caller) -> None:
    call("getUser", status=200)
    call("deleteUser", status=204)
    call("getUser", status=401)


def test_a_session(call: Caller) -> None:
    call("signOut", status=204)
    call("signOut", status=401)


def test_a_conversation(call: Caller, rows: Rows, alice: Person) -> None:
    conversation = rows.conversation(alice, "東京の道")
    question = rows.message(conversation, "どこ？")
    for status in ("streaming", "complete", "stopped", "failed", "interrupted"):
        rows.message(
            conversation,
            role="assistant",
            parent_id=question,
            status=status,
            error="It failed." if status == "failed" else None,
            model="openai:test",
        )
    rows.conversation(alice)
    listed = call("listConversations", status=200, query_string={"limit": "1"}).json
    assert listed is not None
    call("listConversations", status=200, query_string={"cursor": listed["next_cursor"]})
    call("listConversations", status=200, query_string={"q": "東京"})
    for query in ({"limit": "0"}, {"limit": "101"}, {"limit": "x"}, {"cursor": "x"}, {"q": "\0"}):
        call("listConversations", status=422, query_string=query)
    detail = call("getConversation", status=200, id=conversation)
    assert call("exportConversation", status=200, id=conversation).mimetype == "text/markdown"
    exported = call("exportConversation", status=200, id=conversation, query_string={"format": "json"})
    assert exported.json == detail.json
    call("exportConversation", status=422, id=conversation, query_string={"format": "pdf"})
    call("renameConversation", status=200, id=conversation)
    for title in ("", "a" * 201, 7, None, "\0"):
        call("renameConversation", status=422, id=conversation, json={"title": title})
    call("deleteConversation", status=204, id=conversation)
    call("deleteConversations", status=204)
    assert call("listConversations").json == {"conversations": [], "next_cursor": None}


def test_an_answer(call: Caller, rows: Rows, alice: Person) -> None:
    conversation = uuid4()
    response = call("sendMessage", status=200, json=chat.submission("What is a week?", conversation))
    assert response.content_type == "text/event-stream; charset=utf-8"
    events = [event for event in chat.read([response.data]) if isinstance(event, dict)]
    assert {event["type"] for event in events} >= {"start", "text-delta", "data-title", "finish"}
    for event in events:
        schema("StreamEvent").validate(event)
    call("getConversation", status=200, id=conversation)
    call("resumeAnswer", status=204, id=conversation)
    call("stopAnswer", status=202, id=conversation)
    call("wake", status=204)


def test_a_failed_answer(call: Caller) -> None:
    response = call("sendMessage", status=200, json=chat.submission("Hi [[status=400]]", uuid4()))
    events = [event for event in chat.read([response.data]) if isinstance(event, dict)]
    assert events[-1]["type"] == "error"
    for event in events:
        schema("StreamEvent").validate(event)


def test_an_answer_that_is_being_written(call: Caller, rows: Rows, alice: Person) -> None:
    conversation = rows.conversation(alice)
    question = rows.message(conversation)
    rows.message(conversation, "so far", role="assistant", parent_id=question, status="streaming", model="openai:test")
    call("sendMessage", status=409, json=chat.submission("And?", conversation))
    rows("UPDATE messages SET saved_at = now() - interval '20 seconds'")
    call("sendMessage", status=409, json=chat.submission("Another text", conversation, id=question))


def test_a_malformed_question(call: Caller, rows: Rows) -> None:
    question = chat.submission("Hi", uuid4())
    message = question["messages"][0]
    wrong: list[tuple[str, object]] = [
        ("id", "x"),
        ("id", None),
        ("messages", []),
        ("messages", 7),
        ("messages", [message | {"parts": [{"type": "text", "text": ""}]}]),
        ("messages", [message | {"parts": [{"type": "text", "text": "a" * 32_001}]}]),
        ("messages", [message | {"id": "x"}]),
        ("trigger", "x"),
        ("messageId", "x"),
    ]
    for member, value in wrong:
        call("sendMessage", status=422, json=question | {member: value})
    assert rows("SELECT count(*) FROM messages") == [[0]]


def test_a_body_is_json(call: Caller) -> None:
    for name in WITH_BODY:
        call(name, status=415, id=uuid4(), data=b"{}", content_type="text/plain")
        call(name, status=415, id=uuid4(), data=b"{}")
        for body in (b"", b"{", b"[]", b"7", b"\xff"):
            call(name, status=422, id=uuid4(), data=body, content_type="application/json")


def test_needs_a_session(stranger: Caller) -> None:
    for name in SIGNED_IN:
        stranger(name, status=401, id=uuid4())


@pytest.mark.parametrize("origin", ["https://evil.test", "null", ""])
def test_needs_our_own_origin(origin: str, call: Caller) -> None:
    for name in UNSAFE:
        call(name, status=403, id=uuid4(), headers={"Origin": origin})


def test_tells_nothing_of_other_peoples_conversations(call: Caller, rows: Rows, bob: Person) -> None:
    for name in OF_CONVERSATIONS:
        unknown = call(name, status=404, id=uuid4())
        others = call(name, status=404, id=rows.conversation(bob))
        assert others.data == unknown.data
        assert others.headers.to_wsgi_list() == unknown.headers.to_wsgi_list()


@pytest.mark.parametrize("malformed", ["x", "0", ID[:-1], ID.replace("-", ""), f"{{{ID}}}", "七" * 8])
def test_names_a_malformed_id(malformed: str, call: Caller) -> None:
    for name in OF_CONVERSATIONS:
        problem = call(name, status=422, id=malformed).json
        assert problem is not None
        assert "{" + problem["field"] + "}" in operation(name).path


def test_limits_bodies(call: Caller) -> None:
    for name in SIZED:
        limit = 8 * 1024 * 1024 if name == "sendMessage" else 64 * 1024
        large = b"a" * (limit + 1)
        call(name, status=413, id=uuid4(), data=large, content_type="application/json")
        chunked = {"wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked"}
        body = {"input_stream": io.BytesIO(large), "content_type": "application/json", "environ_overrides": chunked}
        call(name, status=413, id=uuid4(), **body)


def test_bodies_may_reach_their_limit(call: Caller) -> None:
    body = b'{"title": "' + b"a" * (64 * 1024 - 13) + b'"}'
    assert len(body) == 64 * 1024
    chunked = {"wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked"}
    for options in ({"data": body}, {"input_stream": io.BytesIO(body), "environ_overrides": chunked}):
        call("renameConversation", status=422, id=uuid4(), content_type="application/json", **options)


def test_tells_that_the_database_is_away(call: Caller, apps: Apps, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nanoka.database, "RECOVERY", 0.1)
    for loaded in apps.values():
        loaded.main.database.close()
        away = DatabaseSettings.read({"DATABASE_URL": "postgresql://x@127.0.0.1:9/x"})
        monkeypatch.setattr(loaded.main.database, "settings", away)
    for each in operations():
        if 503 in each.statuses and each.id not in ("signIn", "wake", "finishSignIn"):
            assert call(each.id, status=503, id=uuid4()).headers["Retry-After"]
    call("wake", status=204)


def test_purge(call: Caller, rows: Rows, alice: Person) -> None:
    rows.message(rows.conversation(alice), age=200)
    assert call("purge", status=200, query_string={"dry_run": "true"}).json is not None
    call("purge", status=200)
    call("purge", status=422, query_string={"dry_run": "x"})
    call("purge", status=401, headers={"Authorization": ""})


def test_purge_for_others(call: Caller, signer: token_issuer.Signer) -> None:
    for audience, caller in (("another", ENVIRONMENT["PURGE_CALLERS"]), (ENVIRONMENT["PURGE_AUDIENCE"], "x@y.test")):
        call("purge", status=403, headers={"Authorization": f"Bearer {signer.token(audience, caller)}"})


def test_other_addresses_and_methods_are_problems(apps: Apps, alice: Person) -> None:
    answers = []
    for name in FUNCTIONS:
        browser = Browser(apps[name].app, alice)
        paths = {each.path for each in operations() if each.function == name and "{" not in each.path}
        answers += [(browser.get(path), 404) for path in ("/api/nothing", "/api//x", "/api/x/")]
        answers += [
            (browser.send(method, path), 405) for path in paths for method in ("PUT", "OPTIONS", "TRACE", "FOO")
        ]
    for response, status in answers:
        assert response.status_code == status
        assert response.content_type == "application/problem+json"
        schema("Problem").validate(response.json)
        assert status != 405 or response.headers["Allow"]


def test_head_is_get_without_a_body(call: Caller, apps: Apps, alice: Person) -> None:
    response = Browser(apps["login"].app, alice).send("HEAD", "/api/auth/me")
    assert response.status_code == 200
    assert response.data == b""


def front(apps: Apps) -> Callable[[Any, Any], Any]:
    """One WSGI application that sends each path to its function, as NGINX does, and `/` to purge."""
    prefixes = {"/api/auth/": "login", "/api/conversations": "list_history", "/api/messages": "send_message"}

    def route(environ: Any, start_response: Any) -> Any:
        path = environ["PATH_INFO"]
        name = next((name for prefix, name in prefixes.items() if path.startswith(prefix)), "purge")
        return apps[name].app(environ, start_response)

    return route


def test_no_request_makes_a_function_fail(apps: Apps, rows: Rows, token: str) -> None:
    """What the description allows and what it forbids: each is answered as described, and never with 5xx."""
    described = schemathesis.openapi.from_dict(document())
    described.app = front(apps)

    def check(case: Any) -> None:
        person = rows.person()
        case.cookies = {sessions.COOKIE: person.token}  # in place of the one that is made up
        case.headers["Origin"] = ORIGIN
        if case.operation.path == "/":
            case.headers["Authorization"] = f"Bearer {token}"
        if any(UUID.fullmatch(str(value)) for value in case.path_parameters.values()):
            conversation = rows.conversation(person)
            rows.message(conversation)
            case.path_parameters = dict.fromkeys(case.path_parameters, str(conversation))
        case.call_and_validate(checks=CHECKS)

    def run(strategy: Any) -> None:
        FUZZING(hypothesis.given(strategy)(check))()  # type: ignore[no-untyped-call]

    for found in described.get_all_operations():
        called: Any = found.ok()  # type: ignore[union-attr]  # the description is valid
        run(called.as_strategy())
        forbidden = called.as_strategy(generation_mode=schemathesis.GenerationMode.NEGATIVE)
        with suppress(hypothesis.errors.Unsatisfiable):  # where nothing is asked for, nothing can be wrong
            run(forbidden)
