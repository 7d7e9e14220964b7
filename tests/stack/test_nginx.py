"""The front's promises, asked of the real NGINX with the cluster's own configuration."""

from __future__ import annotations

import contextlib
import json
import re
import socket
import time
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tests.stack import ports
from tests.stack.conftest import make_pages
from tests.stack.errors import StackError
from tests.stack.nginx import FUNCTIONS, Nginx, render
from tests.stack.process import Programs
from tests.stack.upstream import Upstream

if TYPE_CHECKING:
    from collections.abc import Iterator

CONVERSATION = "0b54f1bc-6d5c-4a53-8d2b-7e0c5a0e4d11"
PROBLEM = "application/problem+json"


class Front:
    """NGINX over three upstreams."""

    def __init__(self, nginx: Nginx, upstreams: dict[str, Upstream]) -> None:
        self.nginx = nginx
        self.upstreams = upstreams
        self.client = httpx.Client(base_url=nginx.url)

    def get(self, path: str, **options: Any) -> httpx.Response:
        return self.client.get(path, **options)

    def logged(self, path: str) -> dict[str, Any]:
        """The access log's line for a path, as soon as it is there."""
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            for line in self.nginx.access_log.read_text().splitlines():
                entry: dict[str, Any] = json.loads(line)
                if entry["httpRequest"]["requestUrl"] == path:
                    return entry
            time.sleep(0.02)
        pytest.fail(f"no line for {path}")


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    folder = tmp_path_factory.mktemp("nginx")
    programs = Programs()
    with contextlib.ExitStack() as stack:
        stack.callback(programs.stop)
        upstreams = {name: stack.enter_context(Upstream(name)) for name in FUNCTIONS}
        nginx = Nginx(folder / "run", ports.free_port(), folder / "nginx.log", folder / "access.log")
        config = {"model_languages": ["en"]}
        nginx.start(make_pages(folder / "pages"), {name: up.port for name, up in upstreams.items()}, programs, config)
        front = Front(nginx, upstreams)
        stack.callback(front.client.close)
        yield front


@pytest.mark.parametrize(
    ("method", "path", "function"),
    [
        ("GET", "/api/auth/login?next=%2Fc%2Fx", "login"),
        ("GET", "/api/auth/callback?code=a&state=b", "login"),
        ("DELETE", "/api/auth/me", "login"),
        ("GET", "/api/conversations?q=%E4%B8%83%E6%97%A5", "list_history"),
        ("DELETE", "/api/conversations", "list_history"),
        ("PATCH", f"/api/conversations/{CONVERSATION}", "list_history"),
        ("GET", f"/api/conversations/{CONVERSATION}/export?format=json", "list_history"),
        ("POST", "/api/messages", "send_message"),
        ("GET", "/api/messages/ready", "send_message"),
        ("POST", f"/api/messages/{CONVERSATION}/stop", "send_message"),
    ],
)
def test_each_route_reaches_its_function_as_it_was_written(front: Front, method: str, path: str, function: str) -> None:
    account = front.client.request(method, path).json()
    assert (account["function"], account["method"], account["path"]) == (function, method, path)


@pytest.mark.parametrize(
    "path", ["/purge", "/api/purge", "/api/", "/api/nothing", "/api/authentication", "/API/auth/me", "/problem"]
)
def test_nothing_else_reaches_a_function(front: Front, path: str) -> None:
    before = sum(len(upstream.requests) for upstream in front.upstreams.values())
    for headers in ({}, {"Host": "purge.nanoka.svc.cluster.local"}):
        for method in ("GET", "POST"):
            assert front.client.request(method, path, headers=headers).status_code in (404, 405)
    assert sum(len(upstream.requests) for upstream in front.upstreams.values()) == before


def test_a_function_learns_who_asks_from_nginx_alone(front: Front) -> None:
    lies = {"Host": "evil.example", "X-Forwarded-For": "1.2.3.4", "X-Forwarded-Proto": "https", "X-Request-Id": "mine"}
    headers = front.get("/api/auth/me", headers=lies).json()["headers"]
    assert headers["host"] == f"127.0.0.1:{front.upstreams['login'].port}"
    assert headers["x-forwarded-for"] in ("127.0.0.1", "::1")
    assert headers["x-forwarded-proto"] == "http"
    assert re.fullmatch("[0-9a-f]{32}", headers["x-request-id"])
    assert front.get("/api/conversations").json()["headers"]["host"].endswith(str(front.upstreams["list_history"].port))
    assert front.get("/api/messages/x").json()["headers"]["host"].endswith(str(front.upstreams["send_message"].port))


def test_a_stream_arrives_event_by_event(front: Front) -> None:
    upstream = front.upstreams["send_message"]
    upstream.proceed.clear()
    with front.client.stream("GET", f"/api/messages/{CONVERSATION}/stream") as answer:
        lines = answer.iter_lines()
        assert next(lines) == "data: 1"  # the upstream sends no more before it is told to
        upstream.proceed.set()
        assert [line for line in lines if line] == ["data: 2"]
    assert answer.headers["cache-control"] == "no-cache, no-transform"
    assert "content-encoding" not in answer.headers


def test_a_function_sees_a_request_only_when_it_is_whole(front: Front) -> None:
    upstream = front.upstreams["send_message"]
    before = len(upstream.requests)
    with socket.create_connection(("127.0.0.1", front.nginx.port)) as slow:
        slow.sendall(b"POST /api/messages HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n12345")
        assert front.get("/api/messages/ready").status_code == 200  # so NGINX has had its time
        assert len(upstream.requests) == before + 1
        slow.sendall(b"67890")
        assert slow.recv(12) == b"HTTP/1.1 200"
    assert upstream.requests[-1]["length"] == 10


@pytest.mark.parametrize(
    ("method", "path", "limit"),
    [
        ("POST", "/api/messages", 8 * 1024 * 1024),
        ("PATCH", f"/api/conversations/{CONVERSATION}", 64 * 1024),
        ("POST", "/api/auth/logout", 64 * 1024),
        ("POST", f"/api/messages/{CONVERSATION}/stop", 64 * 1024),
    ],
)
def test_bodies_are_bounded(front: Front, method: str, path: str, limit: int) -> None:
    assert front.client.request(method, path, content=b"x" * limit).json()["length"] == limit
    refused = front.client.request(method, path, content=b"x" * (limit + 1))
    _assert_problem(refused, 413)
    _assert_problem(front.client.request(method, path, content=iter([b"x" * limit, b"x"])), 413)


def test_failures_of_its_own_are_problems(front: Front) -> None:
    _assert_problem(front.get("/api/nothing"), 404)
    _assert_problem(front.get("/api/auth/cut"), 502)
    _assert_problem(front.client.request("TRACE", "/api/auth/me"), 405)
    _assert_problem(front.get("/api/auth/me?" + "x" * 20_000), 414)
    _assert_problem(front.get("/api/auth/me", headers={"X-Large": "x" * 20_000}), 400)


@pytest.mark.parametrize("status", [404, 500, 502, 503, 504])
@pytest.mark.parametrize("path", ["/api/auth/", "/api/conversations/", "/api/messages/"])
def test_failures_between_it_and_a_function_are_problems(front: Front, path: str, status: int) -> None:
    answer = front.get(f"{path}gateway?{status}")
    _assert_problem(answer, status)
    assert "activator" not in answer.text
    assert "retry-after" not in answer.headers


@pytest.mark.parametrize("status", [400, 404, 409, 422, 500, 502, 503])
def test_a_functions_own_problem_passes_untouched(front: Front, status: int) -> None:
    answer = front.get(f"/api/messages/own?{status}")
    _assert_problem(answer, status)
    assert answer.json()["detail"] == "Its own “words”."
    assert answer.headers.get_list("retry-after") == ["7"]
    assert "x-problem" not in answer.headers


def test_pages_that_tell_why_a_sign_in_failed_pass_untouched(front: Front) -> None:
    for status in (400, 403, 502, 503):
        answer = front.get(f"/api/auth/callback?{status}")
        assert (answer.status_code, answer.text) == (status, "<h1>Its own page</h1>")
    _assert_problem(front.get("/api/auth/login/gateway?503"), 503)


def test_a_question_is_never_sent_twice(front: Front) -> None:
    upstream = front.upstreams["send_message"]
    front.get("/api/messages/ready")  # leaves a kept connection
    before = len(upstream.requests)
    _assert_problem(front.client.post("/api/messages/cut"), 502)
    assert len(upstream.requests) == before + 1


@pytest.mark.parametrize(
    "path", ["/", "/c/" + CONVERSATION, "/nothing", "/api/nothing", "/api/auth/me", "/_next/static/app.js"]
)
def test_every_answer_carries_the_security_headers(front: Front, path: str) -> None:
    headers = front.get(path).headers
    policy = dict(part.strip().partition(" ")[::2] for part in headers["content-security-policy"].split(";"))
    assert headers.get_list("content-security-policy") == [headers["content-security-policy"]]
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == "'self' 'sha256-abc='"
    assert policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert policy["form-action"] == policy["connect-src"] == "'self'"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["x-frame-options"] == "DENY"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert "strict-transport-security" not in headers  # plain HTTP
    assert headers["server"] == "nginx"


@pytest.mark.parametrize(
    ("path", "status", "caching"),
    [
        ("/", 200, "no-cache"),
        ("/c/" + CONVERSATION, 200, "no-cache"),
        ("/nothing", 404, "no-cache"),
        ("/config.json", 200, "no-cache"),
        ("/_next/static/app.js", 200, "public, max-age=31536000, immutable"),
        ("/_next/static/gone.js", 404, "no-cache"),
        ("/api/auth/me", 200, "no-store"),
        ("/api/nothing", 404, "no-store"),
    ],
)
def test_what_may_be_kept_and_for_how_long(front: Front, path: str, status: int, caching: str) -> None:
    answer = front.get(path)
    assert (answer.status_code, answer.headers.get_list("cache-control")) == (status, [caching])


@pytest.mark.parametrize(
    ("path", "status", "text"),
    [
        ("/", 200, "Start"),
        ("/about", 200, "About"),
        ("/c/" + CONVERSATION, 200, "Conversation"),
        ("/c/a/b", 404, "Not here"),
        ("/nothing", 404, "Not here"),
        ("/.csp-script-hashes", 404, "Not here"),
        ("/../nginx.conf", 404, "Not here"),
    ],
)
def test_pages(front: Front, path: str, status: int, text: str) -> None:
    answer = front.get(path)
    assert (answer.status_code, answer.text) == (status, f"<h1>{text}</h1>")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"


def test_a_page_is_asked_for_again_only_when_it_has_changed(front: Front) -> None:
    tag = front.get("/").headers["etag"]
    assert front.get("/", headers={"If-None-Match": tag}).status_code == 304


def test_scripts_are_compressed(front: Front) -> None:
    answer = front.get("/_next/static/app.js", headers={"Accept-Encoding": "gzip", "Via": "1.1 google"})
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.headers["vary"] == "Accept-Encoding"
    assert int(answer.headers.get("content-length", "100")) < 1000


def test_speaks_http_1_and_2_on_one_port(front: Front) -> None:
    with httpx.Client(base_url=front.nginx.url, http1=False, http2=True) as client:
        answer = client.get("/api/auth/me")
    assert (answer.http_version, front.get("/").http_version) == ("HTTP/2", "HTTP/1.1")
    assert answer.json()["function"] == "login"


def test_no_redirect_is_made_from_a_host_that_a_client_names(front: Front) -> None:
    for path in ("/", "/c", "/about/", "/_next/static", "//evil.example", "/api", "/c/"):
        answer = front.get(path, headers={"Host": "evil.example"})
        assert "location" not in answer.headers
        assert "evil.example" not in answer.text


def test_pages_learn_which_languages_the_model_knows(front: Front) -> None:
    answer = front.get("/config.json")
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == {"model_languages": ["en"]}


def test_the_access_log_holds_paths_and_nothing_that_people_wrote(front: Front) -> None:
    secrets = {"q": "searched-words", "code": "sign-in-code"}
    front.get("/api/conversations/log", params=secrets, headers={"Cookie": "__Host-x=cookie", "Referer": "http://r/"})
    entry = front.logged("/api/conversations/log")
    assert entry["severity"] == "INFO"
    assert entry["httpRequest"]["status"] == 200
    assert re.fullmatch(r"\d+\.\d+s", entry["httpRequest"]["latency"])
    front.get("/api/auth/cut?code=sign-in-code")
    assert front.logged("/api/auth/cut")["severity"] == "ERROR"
    logs = front.nginx.access_log.read_text() + front.nginx.log.read_text()
    for word in (*secrets.values(), "cookie", "http://r/"):
        assert word not in logs


def test_neither_requests_nor_connections_are_limited_by_address(front: Front) -> None:
    limits = httpx.Limits(max_connections=100, max_keepalive_connections=100)
    with httpx.Client(base_url=front.nginx.url, limits=limits) as client:
        assert {client.get("/healthz").status_code for _ in range(300)} == {200}
    upstream = front.upstreams["send_message"]
    upstream.proceed.clear()
    with contextlib.ExitStack() as stack:
        stack.callback(upstream.proceed.set)
        held = [stack.enter_context(socket.create_connection(("127.0.0.1", front.nginx.port))) for _ in range(60)]
        for connection in held:
            connection.sendall(b"GET /api/messages/x/stream HTTP/1.1\r\nHost: x\r\n\r\n")
        assert {connection.recv(12) for connection in held} == {b"HTTP/1.1 200"}


def test_a_variable_without_a_value_is_an_error() -> None:
    assert render("root ${WEB_ROOT}; try $uri ${request_time}s;", {"WEB_ROOT": "/x"}) == (
        "root /x; try $uri ${request_time}s;"
    )
    with pytest.raises(StackError, match="NGINX_RUN"):
        render("pid ${NGINX_RUN}/pid;", {})
    with pytest.raises(StackError, match="OTHER"):
        render("", {"OTHER": ""})


def _assert_problem(answer: httpx.Response, status: int) -> None:
    assert answer.status_code == status
    assert answer.headers["content-type"] == PROBLEM
    assert answer.headers["cache-control"] == "no-store"
    assert "content-security-policy" in answer.headers
    problem = answer.json()
    assert problem["status"] == status
    assert problem["title"]
    assert problem["detail"].endswith(".")
