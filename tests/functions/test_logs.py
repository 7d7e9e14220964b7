"""Logs: what Cloud Logging reads from them, and what never gets into them."""

import json
import logging
import math
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import flask
import httpx
import hypothesis
import pytest
from flask import Response
from hypothesis import strategies
from pg8000.exceptions import DatabaseError
from werkzeug.datastructures import Headers
from werkzeug.test import EnvironBuilder

from nanoka import logs
from nanoka.database import DatabaseUnavailableError
from nanoka.routing import Router
from nanoka.settings import LogSettings
from tests.functions.chat import until
from tests.functions.conftest import FUNCTIONS
from tests.functions.pods import Pod

Lines = Callable[[], list[dict[str, Any]]]

TRACE = "0af7651916cd43dd8448eb211c80319c"
SEVERITIES = {"DEFAULT", "DEBUG", "INFO", "NOTICE", "WARNING", "ERROR", "CRITICAL", "ALERT", "EMERGENCY"}
SECRET = "secret words of alice@people.example"


@pytest.fixture
def lines(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Lines]:
    """What has been logged since the last call, read as Cloud Logging's agent does: an object a line."""
    monkeypatch.setenv("FUNCTION_TARGET", "login")
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "nanoka-test")
    logs.configure(LogSettings.read())
    logs.info("begin")
    logs.flush()
    capsys.readouterr()

    def read() -> list[dict[str, Any]]:
        out, err = capsys.readouterr()
        assert err == ""
        found = [json.loads(line) for line in out.splitlines()]
        assert all(line["severity"] in SEVERITIES for line in found)
        return found

    yield read
    logs.configure(LogSettings(logging.INFO, "", ""))


def serve(router: Router, path: str = "/", method: str = "GET", headers: dict[str, str] | None = None) -> Response:
    with flask.Flask("test").request_context(
        EnvironBuilder(path, method=method, headers=Headers(headers)).get_environ()
    ):
        return router(flask.request)


@pytest.fixture
def router(lines: Lines) -> Router:
    router = Router(None)

    @router.route("GET", "/things/<id>")
    def thing(_: flask.Request, id: str) -> Response:  # noqa: A002
        logs.bind(user_id=uuid4(), thing=len(id))
        logs.warning("a thing was looked at", size=3)
        return Response("ok")

    @router.route("GET", "/stream")
    def stream(_: flask.Request) -> Response:
        logs.bind(answer_id="0190")
        return Response(iter([b"a", b"b"]))

    @router.route("GET", "/fault")
    def fault(_: flask.Request) -> Response:
        try:
            int(SECRET)
        except ValueError as error:
            raise DatabaseError({"C": "23505", "M": SECRET, "D": SECRET}) from error
        return Response()

    @router.route("GET", "/unavailable")
    def unavailable(_: flask.Request) -> Response:
        raise DatabaseUnavailableError

    return router


def test_importing_it_does_not_import_google() -> None:
    """Google's handler alone would cost more than a cold start may."""
    program = (
        "import sys; before = set(sys.modules); import nanoka.logs, nanoka.routing;"
        "sys.exit(any(name.startswith('google') for name in set(sys.modules) - before))"
    )
    environment = {**os.environ, "PYTHONPATH": str(FUNCTIONS)}
    assert subprocess.run([sys.executable, "-c", program], env=environment, check=False).returncode == 0


def test_what_waits_is_written_at_the_exit() -> None:
    program = "from nanoka import logs; logs.info('the first'); logs.info('the last', number=7)"
    environment = {**os.environ, "PYTHONPATH": str(FUNCTIONS)}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line["message"] for line in found if "message" in line] == ["the first", "the last"]
    assert found[-1]["number"] == 7
    assert done.stderr == ""


def test_a_request_is_a_line(router: Router, lines: Lines) -> None:
    headers = {"traceparent": f"00-{TRACE}-b7ad6b7169203331-01", "X-Request-Id": "0123456789abcdef", "Cookie": SECRET}
    serve(router, f"/things/{uuid4()}?q={SECRET}", headers=headers)
    event, request = lines()
    assert event["message"] == "a thing was looked at"
    assert event["severity"] == "WARNING"
    assert event["size"] == 3
    assert event["httpRequest"] == {}
    assert request["message"] == "request"
    assert request["severity"] == "INFO"
    latency = request["httpRequest"].pop("latency")
    assert latency.endswith("s")
    assert 0 <= float(latency[:-1]) < 60
    assert request["httpRequest"] == {"requestMethod": "GET", "requestUrl": "/things/{id}", "status": 200}
    for line in (event, request):
        assert line["function"] == "login"
        assert line["request_id"] == "0123456789abcdef"
        assert line["user_id"].count("-") == 4
        assert line["thing"] == 36
        assert line["logging.googleapis.com/trace"] == f"projects/nanoka-test/traces/{TRACE}"
        assert line["logging.googleapis.com/spanId"] == "b7ad6b7169203331"
        assert line["logging.googleapis.com/trace_sampled"] is True
        assert "secret" not in json.dumps(line)


@pytest.mark.parametrize(
    ("headers", "trace", "span", "sampled"),
    [
        ({"X-Cloud-Trace-Context": f"{TRACE}/74;o=1"}, TRACE, "000000000000004a", True),
        ({"X-Cloud-Trace-Context": f"{TRACE}/74;o=0"}, TRACE, "000000000000004a", False),
        ({"X-Cloud-Trace-Context": TRACE}, TRACE, "", False),
        ({"X-Cloud-Trace-Context": 'x"}, {"a": "b'}, None, "", False),
        ({"traceparent": f"00-{TRACE}-b7ad6b7169203331-00"}, TRACE, "b7ad6b7169203331", False),
        ({"traceparent": f"00-{'0' * 32}-b7ad6b7169203331-01"}, None, "", False),
        ({"traceparent": f"ff-{TRACE}-b7ad6b7169203331-01"}, None, "", False),
        ({"traceparent": f"00-{TRACE}-b7ad6b7169203331-01", "X-Cloud-Trace-Context": "a" * 32}, TRACE, None, True),
        ({}, None, "", False),
    ],
)
def test_a_request_belongs_to_its_trace(
    headers: dict[str, str], trace: str | None, span: str | None, *, sampled: bool, router: Router, lines: Lines
) -> None:
    serve(router, "/nowhere", headers=headers)
    [line] = lines()
    assert line["logging.googleapis.com/trace"] == (f"projects/nanoka-test/traces/{trace}" if trace else "")
    assert span is None or line["logging.googleapis.com/spanId"] == span
    assert line["logging.googleapis.com/trace_sampled"] is sampled


def test_without_a_project_a_trace_is_its_id(router: Router, lines: Lines) -> None:
    logs.configure(LogSettings(logging.INFO, "login", ""))
    serve(router, headers={"traceparent": f"00-{TRACE}-b7ad6b7169203331-01"})
    assert lines()[0]["logging.googleapis.com/trace"] == TRACE


@pytest.mark.parametrize("given", ["", "short", "with spaces in it", 'quote"quote"', "x" * 65])
def test_a_request_gets_an_id(given: str, router: Router, lines: Lines) -> None:
    serve(router, headers={"X-Request-Id": given})
    serve(router, headers={"X-Request-Id": given})
    first, second = (line["request_id"] for line in lines())
    assert first != second
    assert len(first) == 32


def test_unknown_addresses_and_methods_are_not_quoted(router: Router, lines: Lines) -> None:
    serve(router, f"/{SECRET}")
    serve(router, "/stream", method="SECRET WORDS")
    for line in lines():
        assert "secret" not in json.dumps(line).lower()
        assert line["httpRequest"]["requestUrl"] == "(unknown)"


def test_a_stream_is_a_line_when_it_ends(router: Router, lines: Lines) -> None:
    response = serve(router, "/stream")
    assert lines() == []
    list(response.response)
    assert lines() == []
    threading.Thread(target=response.close).start()
    while not (found := lines()):
        pass
    assert found[0]["httpRequest"]["requestUrl"] == "/stream"
    assert found[0]["answer_id"] == "0190"
    assert len(found[0]["request_id"]) == 32


def test_a_fault_is_told_without_its_words(router: Router, lines: Lines) -> None:
    assert serve(router, "/fault").status_code == 500
    fault, request = lines()
    assert fault["severity"] == request["severity"] == "ERROR"
    assert fault["error"] == "pg8000.exceptions.DatabaseError"
    assert fault["causes"] == ["builtins.ValueError"]
    assert fault["sqlstate"] == "23505"
    assert fault["stack"][0].startswith("nanoka.routing:")
    assert fault["stack"][-1].startswith(f"{__name__}:")
    assert "secret" not in json.dumps(fault)


def test_a_database_that_is_away_is_told(router: Router, lines: Lines) -> None:
    assert serve(router, "/unavailable").status_code == 503
    assert [line["message"] for line in lines()] == ["database unavailable", "request"]


def test_the_level_decides(lines: Lines) -> None:
    logs.configure(LogSettings(logging.WARNING, "", ""))
    logs.info("silent")
    logs.warning("loud")
    assert [line["message"] for line in lines()] == ["loud"]


def test_another_thread_may_log_for_a_request(router: Router, lines: Lines) -> None:
    with logs.within({"request_id": "12345678"}):
        bound = logs.current()

    def work() -> None:
        with logs.within(bound):
            logs.info("inside", ttft_ms=12.5, input_tokens=7, model="google_genai:gemini-2.5-flash")
        logs.info("outside")
        logs.bind(ignored=1)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    inside, outside = lines()
    assert inside["request_id"] == "12345678"
    assert (inside["ttft_ms"], inside["input_tokens"], inside["model"]) == (12.5, 7, "google_genai:gemini-2.5-flash")
    assert "request_id" not in outside


WORDS = strategies.text(min_size=1).filter(lambda text: not logs.IDENTIFIER.fullmatch(text))


@hypothesis.settings(max_examples=50, deadline=None)
@hypothesis.given(
    strategies.recursive(
        WORDS | strategies.binary() | strategies.just(ValueError(SECRET)),
        lambda inner: strategies.lists(inner) | strategies.dictionaries(strategies.just("name"), inner),
    )
)
def test_words_are_withheld(value: object) -> None:
    def leaves(value: object) -> Iterator[object]:
        if isinstance(value, list):
            for member in value:
                yield from leaves(member)
        elif isinstance(value, dict):
            for member in value.values():
                yield from leaves(member)
        else:
            yield value

    assert set(leaves(logs.plain(value))) <= {"(withheld)"}


@pytest.mark.parametrize("value", [None, True, 7, -1.5, "complete", "openai:any", "2026-11-22", [1, "a"], {"a": (1,)}])
def test_numbers_and_identifiers_are_told(value: object) -> None:
    assert json.loads(json.dumps(logs.plain(value))) == json.loads(json.dumps(value))


@pytest.mark.parametrize("value", ["alice@people.example", "two words", "七日", "", math.nan, math.inf])
def test_others_are_withheld(value: object) -> None:
    assert logs.plain(value) == "(withheld)"


@pytest.fixture
def worker(lines: Lines, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """This process as gunicorn's worker is after its fork."""
    root, gunicorn = logging.getLogger(), logging.getLogger("gunicorn.error")
    before = root.handlers, gunicorn.handlers, threading.excepthook, sys.unraisablehook, logs._outlet  # noqa: SLF001
    monkeypatch.setattr(gunicorn, "propagate", False)  # as gunicorn has it
    logs.take_over()
    logs.info("begin")
    logs.flush()
    lines()
    yield
    logs._renew(before[4])  # noqa: SLF001
    root.handlers, gunicorn.handlers, threading.excepthook, sys.unraisablehook = before[:4]


@pytest.mark.usefixtures("worker")
def test_libraries_are_heard_but_not_quoted(lines: Lines) -> None:
    logger = logging.getLogger("some.library")
    logger.warning("it says %s", SECRET)
    logger.info(SECRET)
    try:
        int(SECRET)
    except ValueError:
        logging.getLogger("gunicorn.error").exception("Error handling request /?code=%s", SECRET)
    said, failed = lines()
    assert said["severity"] == "WARNING"
    assert said["logger"] == "some.library"
    assert said["logging.googleapis.com/sourceLocation"]["file"] == __file__
    assert failed["severity"] == "ERROR"
    assert failed["error"] == "builtins.ValueError"
    assert failed["stack"][0].startswith(f"{__name__}:")
    assert "secret" not in json.dumps([said, failed])


@pytest.mark.usefixtures("worker")
def test_threads_that_fail_are_told(lines: Lines) -> None:
    def fail() -> None:
        raise ValueError(SECRET)

    thread = threading.Thread(target=fail)
    thread.start()
    thread.join()

    class Failing:
        def __del__(self) -> None:
            raise ValueError(SECRET)

    Failing()
    in_thread, in_del = lines()
    assert in_thread["error"] == in_del["error"] == "builtins.ValueError"
    assert in_thread["severity"] == "ERROR"
    assert "secret" not in json.dumps([in_thread, in_del])


def test_a_hook_without_an_exception_is_told(lines: Lines) -> None:
    logs._failed("a thread failed", None)  # noqa: SLF001
    assert lines()[0]["message"] == "a thread failed"


@pytest.fixture
def pod(environment: dict[str, str], tmp_path: Path) -> Iterator[Pod]:
    pod = Pod("login", environment, tmp_path).wait_until_ready()
    yield pod
    pod.close()


def test_a_server_loses_no_line_when_it_is_stopped(pod: Pod) -> None:
    """The very first request's line, though it waits for the handler when SIGTERM comes."""
    assert httpx.get(f"{pod.address}/api/auth/me", timeout=30).status_code == 401
    pod.terminate()
    assert pod.program.wait(60) == 0
    found = [json.loads(line) for line in pod.log.read_text().splitlines()]
    assert [line["httpRequest"]["requestUrl"] for line in found if line.get("message") == "request"] == ["/api/auth/me"]


def test_a_server_writes_its_lines_while_it_runs(pod: Pod) -> None:
    httpx.get(f"{pod.address}/api/auth/me", timeout=30)
    until(lambda: '"requestUrl": "/api/auth/me"' in pod.log.read_text(), seconds=60)
