"""Sign-in, session and account, against a provider that misbehaves in one way at a time."""

import http.client
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from flask import Flask
from joserfc.jwk import ECKey, RSAKey
from werkzeug.test import Client, TestResponse

from nanoka import attempts, oidc, sessions
from tests.functions.conftest import ENVIRONMENT, ORIGIN, Browser, Functions, Person, Rows
from tests.standins.openid import OpenIdProvider

CALLBACK = f"{ORIGIN}/api/auth/callback"
HTML = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}


class Visitor:
    """A browser with a cookie jar that goes where it is sent, to us and to the provider."""

    def __init__(self, app: Flask) -> None:
        self.client = Client(app.wsgi_app, TestResponse)

    def open(self, path: str, method: str = "GET", **headers: str) -> TestResponse:
        sent = {"Origin": ORIGIN} if method != "GET" else {}
        return self.client.open(path, base_url=ORIGIN, method=method, headers=sent | headers)

    def leave(self, next_path: str = "/") -> str:
        """Start a sign-in; the provider's address."""
        response = self.open(f"/api/auth/login?{urlencode({'next': next_path})}")
        assert response.status_code == 302, response.text
        return response.headers["Location"]

    def come_back(self, callback: str, **headers: str) -> TestResponse:
        """Follow the provider's redirect."""
        parts = urlsplit(callback)
        assert f"{parts.scheme}://{parts.netloc}" == ORIGIN
        return self.open(f"{parts.path}?{parts.query}", **headers)

    def sign_in(self, next_path: str = "/", **headers: str) -> TestResponse:
        return self.come_back(visit(self.leave(next_path)), **headers)

    def token(self) -> str | None:
        cookie = self.client.get_cookie(sessions.COOKIE, domain="nanoka.test")
        return cookie.value if cookie else None

    def attempts(self) -> list[str]:
        jar = self.client._cookies or {}  # noqa: SLF001 - werkzeug lists its cookies in no other way
        return [cookie.key for cookie in jar.values() if cookie.key.startswith(attempts.PREFIX)]


def visit(address: str) -> str:
    """Go to the provider, which signs in at once; where it sends the browser back to."""
    parts = urlsplit(address)
    connection = http.client.HTTPConnection(parts.netloc, timeout=10)
    connection.request("GET", f"{parts.path}?{parts.query}")
    response = connection.getresponse()
    response.read()
    connection.close()
    assert response.status == 302
    return response.headers["location"]


@pytest.fixture
def provider() -> Iterator[OpenIdProvider]:
    with OpenIdProvider(ENVIRONMENT["OIDC_CLIENT_ID"], ENVIRONMENT["OIDC_CLIENT_SECRET"], CALLBACK) as provider:
        yield provider


@pytest.fixture
def app(function: Functions, provider: OpenIdProvider) -> Flask:
    return function("login", OIDC_ISSUER=provider.issuer)


@pytest.fixture
def visitor(app: Flask) -> Visitor:
    return Visitor(app)


def assert_refused(response: TestResponse, visitor: Visitor, rows: Rows, status: int = 400) -> None:
    """A page that says what to do, and no session anywhere."""
    assert response.status_code == status
    assert response.content_type == "text/html; charset=utf-8"
    assert response.headers["Cache-Control"] == "no-store"
    assert '<a href="/api/auth/login">' in response.text
    assert visitor.token() is None
    assert rows("SELECT count(*) FROM sessions") == [[0]]


def test_signs_in(visitor: Visitor, provider: OpenIdProvider, rows: Rows) -> None:
    response = visitor.sign_in("/c/1?a=b#end")
    assert response.status_code == 302
    assert response.headers["Location"] == "/c/1?a=b#end"
    assert response.headers["Cache-Control"] == "no-store"
    me = visitor.open("/api/auth/me")
    assert me.status_code == 200
    [[user_id]] = rows("SELECT id FROM users")
    assert me.json == {"id": str(user_id), "email": "alice@people.example", "name": "Alice", "picture": None}
    assert visitor.attempts() == []


def test_tells_who_is_there_now(visitor: Visitor, provider: OpenIdProvider, rows: Rows) -> None:
    visitor.sign_in()
    provider.person |= {"email": "new@people.example", "name": "Alice B.", "picture": "https://people.example/a.png"}
    visitor.sign_in()
    me = visitor.open("/api/auth/me").json
    assert me is not None
    assert (me["email"], me["name"], me["picture"]) == (
        "new@people.example",
        "Alice B.",
        "https://people.example/a.png",
    )
    assert rows("SELECT count(*) FROM users") == [[1]]


def test_redirects_only_to_the_configured_address(visitor: Visitor, provider: OpenIdProvider) -> None:
    response = visitor.open("/api/auth/login", **{"X-Forwarded-Host": "evil.test", "Forwarded": "host=evil.test"})
    asked = parse_qs(urlsplit(response.headers["Location"]).query)
    assert asked["redirect_uri"] == [CALLBACK]
    evil = visitor.client.open("/api/auth/login", base_url="https://evil.test")
    assert parse_qs(urlsplit(evil.headers["Location"]).query)["redirect_uri"] == [CALLBACK]


def test_every_attempt_has_its_own_secrets(visitor: Visitor) -> None:
    asked = [parse_qs(urlsplit(visitor.leave()).query) for _ in range(2)]
    for name in ("state", "nonce", "code_challenge"):
        assert len(asked[0][name][0]) == 43, "256 bits"
        assert asked[0][name] != asked[1][name]


def test_cookies_are_for_this_host_and_no_script(app: Flask, visitor: Visitor) -> None:
    address = visitor.open("/api/auth/login")
    signed_in = visitor.come_back(visit(address.headers["Location"]))
    [attempt] = address.headers.getlist("Set-Cookie")
    [session] = [cookie for cookie in signed_in.headers.getlist("Set-Cookie") if cookie.startswith(sessions.COOKIE)]
    for cookie in (attempt, session):
        attributes = {part.strip() for part in cookie.split(";")[1:]}
        assert cookie.startswith("__Host-")
        assert {"Secure", "HttpOnly", "SameSite=Lax", "Path=/"} <= attributes
        assert not any(attribute.startswith("Domain") for attribute in attributes)
    assert len(session.split(";")[0].split("=")[1]) == 43, "256 bits"


WRONG_CLAIMS: dict[str, dict[str, object]] = {
    "nonce": {"nonce": "another"},
    "no nonce": {"nonce": None},
    "issuer": {"iss": "https://evil.test"},
    "no issuer": {"iss": None},
    "issuer as Google's": {"iss": "accounts.google.com"},
    "audience": {"aud": "another"},
    "no audience": {"aud": None},
    "other audiences": {"aud": ["another", "third"]},
    "authorized party": {"azp": "another"},
    "several audiences without authorized party": {"aud": ["nanoka", "another"]},
    "several audiences, another's": {"aud": ["nanoka", "another"], "azp": "another"},
    "expired": {"exp": -90},
    "no expiry": {"exp": None},
    "expiry that is no number": {"exp": "never"},
    "expiry that is NaN": {"exp": float("nan")},
    "expiry that is true": {"exp": True},
    "issued in the future": {"iat": 90},
    "no time of issue": {"iat": None},
    "not valid yet": {"nbf": 90},
    "no subject": {"sub": None},
    "subject that is too long": {"sub": "a" * 256},
    "subject that no text can hold": {"sub": "a\0b"},
    "no e-mail address": {"email": None},
}


def at_time(claims: dict[str, object]) -> dict[str, object]:
    """Claims whose small numbers are seconds from now."""
    moved = {}
    for name, value in claims.items():
        near = isinstance(value, int) and not isinstance(value, bool)
        moved[name] = int(time.time()) + value if near else value  # type: ignore[operator]
    return moved


def test_refuses_a_token_with_a_wrong_claim(
    visitor: Visitor, provider: OpenIdProvider, rows: Rows, subtests: pytest.Subtests
) -> None:
    for name, claims in WRONG_CLAIMS.items():
        with subtests.test(name):
            provider.claims = at_time(claims)
            assert_refused(visitor.sign_in(), visitor, rows)
            assert visitor.attempts() == []


def test_refuses_an_unverified_address(visitor: Visitor, provider: OpenIdProvider, rows: Rows) -> None:
    for verified in (False, None, "true", 1):
        provider.claims = {"email_verified": verified}
        response = visitor.sign_in()
        assert_refused(response, visitor, rows, 403)
        assert "e-mail address is not verified" in response.text
    assert rows("SELECT count(*) FROM users") == [[0]]


RIGHT_CLAIMS: dict[str, dict[str, object]] = {
    "audience as a list": {"aud": ["nanoka"]},
    "several audiences, ours": {"aud": ["nanoka", "another"], "azp": "nanoka"},
    "authorized party": {"azp": "nanoka"},
    "a clock that is behind": {"iat": -330, "exp": -50},
    "a clock that is ahead": {"iat": 50, "exp": 350, "nbf": 50},
}


def test_accepts_other_right_claims(app: Flask, provider: OpenIdProvider, subtests: pytest.Subtests) -> None:
    for name, claims in RIGHT_CLAIMS.items():
        with subtests.test(name):
            visitor = Visitor(app)
            provider.claims = at_time(claims)
            assert visitor.sign_in().status_code == 302
            assert visitor.open("/api/auth/me").status_code == 200


def test_takes_from_a_profile_only_what_can_be_shown(visitor: Visitor, provider: OpenIdProvider) -> None:
    address, picture = "alice@people.example", "https://people.example/な.png"
    profiles: list[tuple[dict[str, Any], tuple[str, str | None]]] = [
        ({"name": None, "picture": "javascript:alert(1)"}, (address, None)),
        ({"name": " \n", "picture": "http://people.example/a.png"}, (address, None)),
        ({"name": "A\0lice", "picture": 7}, (address, None)),
        ({"name": "な" * 300, "picture": picture}, ("な" * 200, picture)),
    ]
    for claims, shown in profiles:
        provider.claims = claims
        visitor.sign_in()
        me = visitor.open("/api/auth/me").json
        assert me is not None
        assert (me["name"], me["picture"]) == shown


@pytest.mark.parametrize("algorithm", ["none", "HS256", "RS512"])
def test_refuses_other_algorithms(algorithm: str, visitor: Visitor, provider: OpenIdProvider, rows: Rows) -> None:
    provider.algorithm = algorithm
    assert_refused(visitor.sign_in(), visitor, rows)


def test_accepts_elliptic_curves(visitor: Visitor, provider: OpenIdProvider) -> None:
    provider.algorithm = "ES256"
    provider.rotate("curve", ECKey.generate_key("P-256"))
    assert visitor.sign_in().status_code == 302


def test_refuses_a_signature_by_another_key(visitor: Visitor, provider: OpenIdProvider, rows: Rows) -> None:
    genuine = [provider.keys["first"].as_dict(private=False) | {"kid": "first", "use": "sig"}]
    provider.published = genuine
    provider.keys = {"first": RSAKey.generate_key(2048)}
    assert_refused(visitor.sign_in(), visitor, rows)


def test_refuses_a_token_that_is_none(visitor: Visitor, provider: OpenIdProvider, rows: Rows) -> None:
    provider.token_body = b'{"id_token": "a.b.c"}'
    assert_refused(visitor.sign_in(), visitor, rows)


def test_follows_a_rotation_of_keys(visitor: Visitor, provider: OpenIdProvider) -> None:
    assert visitor.sign_in().status_code == 302
    assert visitor.sign_in().status_code == 302
    assert provider.asked("/keys") == 1, "cached"
    provider.rotate("second")
    assert visitor.sign_in().status_code == 302
    assert provider.asked("/keys") == 2


def test_asks_for_an_unknown_key_once_in_a_while(visitor: Visitor, provider: OpenIdProvider, rows: Rows) -> None:
    provider.published = []
    for _ in range(3):
        assert_refused(visitor.sign_in(), visitor, rows)
    assert provider.asked("/keys") == 2, "the first time, and once for the unknown key"


def test_takes_a_token_without_kid_if_there_is_but_one_key(
    visitor: Visitor, provider: OpenIdProvider, rows: Rows
) -> None:
    provider.kid = None
    assert visitor.sign_in().status_code == 302


def test_refuses_a_token_without_kid_if_there_are_several_keys(
    visitor: Visitor, provider: OpenIdProvider, rows: Rows
) -> None:
    provider.kid = None
    provider.keys["second"] = RSAKey.generate_key(2048)
    assert_refused(visitor.sign_in(), visitor, rows)


def test_refuses_another_state(visitor: Visitor, provider: OpenIdProvider, rows: Rows) -> None:
    for state in ("", "another", "な" * 43, "x" * 43):
        provider.authorization = {"state": state}
        assert_refused(visitor.sign_in(), visitor, rows)
    assert provider.asked("/token") == 0


def test_refuses_a_state_that_only_begins_right(visitor: Visitor, provider: OpenIdProvider, rows: Rows) -> None:
    address = visitor.leave()
    [state] = parse_qs(urlsplit(address).query)["state"]
    provider.authorization = {"state": state[:12] + "x" * 31}
    assert_refused(visitor.come_back(visit(address)), visitor, rows)


def test_refuses_a_sign_in_of_another_browser(app: Flask, visitor: Visitor, rows: Rows) -> None:
    callback = visit(Visitor(app).leave())
    assert_refused(visitor.come_back(callback), visitor, rows)


def test_refuses_a_code_of_another_attempt(app: Flask, visitor: Visitor, provider: OpenIdProvider, rows: Rows) -> None:
    stolen = parse_qs(urlsplit(visit(Visitor(app).leave())).query)["code"][0]
    provider.authorization = {"code": stolen}
    assert_refused(visitor.sign_in(), visitor, rows)


def test_refuses_an_attempt_that_took_too_long(
    app: Flask, visitor: Visitor, rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even if the browser still has its cookie."""
    response = visitor.open("/api/auth/login")
    cookie = response.headers["Set-Cookie"].split(";")[0]
    callback = urlsplit(visit(response.headers["Location"]))
    now = time.time()
    monkeypatch.setattr("time.time", lambda: now + attempts.LIFETIME)
    late = Browser(app).get(f"{callback.path}?{callback.query}", headers={"Cookie": cookie})
    assert_refused(late, visitor, rows)
    monkeypatch.setattr("time.time", lambda: now)
    in_time = Browser(app).get(f"{callback.path}?{callback.query}", headers={"Cookie": cookie})
    assert in_time.status_code == 302


def test_an_attempt_counts_once(app: Flask, visitor: Visitor, provider: OpenIdProvider, rows: Rows) -> None:
    """Even for somebody who keeps its cookie, at a provider that takes a code twice."""
    provider.reuse = True
    response = visitor.open("/api/auth/login")
    cookie = response.headers["Set-Cookie"].split(";")[0]
    callback = urlsplit(visit(response.headers["Location"]))
    for expected in (302, 400):
        again = Client(app.wsgi_app, TestResponse, use_cookies=False).open(
            f"{callback.path}?{callback.query}", headers={"Cookie": cookie}
        )
        assert again.status_code == expected
    assert rows("SELECT count(*) FROM sessions") == [[1]]
    assert provider.asked("/token") == 1


def test_forgets_used_attempts_after_an_hour(visitor: Visitor, rows: Rows) -> None:
    visitor.sign_in()
    rows("UPDATE sign_ins SET finished_at = now() - interval '61 minutes'")
    visitor.sign_in()
    assert rows("SELECT count(*) FROM sign_ins") == [[1]]


def test_a_code_counts_once(visitor: Visitor, provider: OpenIdProvider, rows: Rows) -> None:
    used = parse_qs(urlsplit(visit(visitor.leave())).query)["code"][0]
    provider._codes.pop(used)  # noqa: SLF001 - as the provider does when a code is exchanged
    provider.authorization = {"code": used}
    assert_refused(visitor.sign_in(), visitor, rows)


def test_tabs_sign_in_at_the_same_time(visitor: Visitor) -> None:
    ways = [visitor.leave(f"/tab/{number}") for number in range(3)]
    for number, way in reversed(list(enumerate(ways))):
        assert visitor.come_back(visit(way)).headers["Location"] == f"/tab/{number}"
    assert visitor.open("/api/auth/me").status_code == 200


def test_keeps_few_attempts_of_a_browser(visitor: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.time()
    ways = []
    for second in range(attempts.MOST + 3):
        monkeypatch.setattr("time.time", lambda second=second: now + second)
        ways.append(visitor.leave())
    assert len(visitor.attempts()) == attempts.MOST
    assert visitor.come_back(visit(ways[2])).status_code == 400
    assert visitor.come_back(visit(ways[3])).status_code == 302


def test_the_person_may_change_their_mind(visitor: Visitor, provider: OpenIdProvider, rows: Rows) -> None:
    provider.authorization = {"error": "access_denied"}
    response = visitor.sign_in()
    assert_refused(response, visitor, rows)
    assert "You stopped the sign-in" in response.text


def test_refuses_other_errors(visitor: Visitor, provider: OpenIdProvider, rows: Rows) -> None:
    way = visitor.leave()
    [state] = parse_qs(urlsplit(way).query)["state"]
    callback = f"{CALLBACK}?{urlencode({'state': state, 'error': '<script>', 'error_description': '<script>'})}"
    response = visitor.come_back(callback)
    assert_refused(response, visitor, rows)
    assert "<script" not in response.text


def test_refuses_the_answer_of_another_provider(visitor: Visitor, provider: OpenIdProvider, rows: Rows) -> None:
    provider.authorization = {"iss": "https://evil.test"}
    assert_refused(visitor.sign_in(), visitor, rows)
    assert provider.asked("/token") == 0


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
def test_proves_itself_as_the_provider_wants(method: str, visitor: Visitor, provider: OpenIdProvider) -> None:
    provider.auth_method = method
    assert visitor.sign_in().status_code == 302


def test_a_wrong_secret_is_our_own_fault(function: Functions, provider: OpenIdProvider, rows: Rows) -> None:
    visitor = Visitor(function("login", OIDC_ISSUER=provider.issuer, OIDC_CLIENT_SECRET="wrong"))
    assert_refused(visitor.sign_in(), visitor, rows, 502)


def test_tells_garbage_of_the_token_endpoint(visitor: Visitor, provider: OpenIdProvider, rows: Rows) -> None:
    for body in (b"<html>", b"[]", b"\xff", b"{}", b'{"id_token": 1}', b"[" * 100_000):
        provider.token_body = body
        response = visitor.sign_in()
        assert_refused(response, visitor, rows, 502)
        assert "sign-in service does not answer" in response.text


def test_tells_a_failing_token_endpoint(visitor: Visitor, provider: OpenIdProvider, rows: Rows) -> None:
    for status in (302, 404, 429, 500):
        provider.token_status = status
        assert_refused(visitor.sign_in(), visitor, rows, 502)


def test_does_not_wait_long_for_a_slow_token_endpoint(
    visitor: Visitor, provider: OpenIdProvider, rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert oidc.EXCHANGE_SECONDS == 10
    monkeypatch.setattr(oidc, "EXCHANGE_SECONDS", 0.3)
    provider.drip = 0.05  # no single read takes long, all of them do
    began = time.monotonic()
    assert_refused(visitor.sign_in(), visitor, rows, 502)
    assert time.monotonic() - began < 5


def test_tells_that_the_provider_is_down(visitor: Visitor, provider: OpenIdProvider, rows: Rows) -> None:
    way = visitor.leave()
    callback = visit(way)
    provider.down = True
    assert_refused(visitor.come_back(callback), visitor, rows, 502)


def test_tells_that_there_are_no_keys(visitor: Visitor, provider: OpenIdProvider, rows: Rows) -> None:
    provider.keys_down = True
    assert_refused(visitor.sign_in(), visitor, rows, 502)


def test_tells_that_it_cannot_prove_itself(visitor: Visitor, provider: OpenIdProvider, rows: Rows) -> None:
    provider.discovery = {"token_endpoint_auth_methods_supported": ["private_key_jwt"]}
    assert_refused(visitor.sign_in(), visitor, rows, 502)


def test_cannot_begin_while_the_provider_is_down(visitor: Visitor, provider: OpenIdProvider, rows: Rows) -> None:
    provider.down = True
    assert_refused(visitor.open("/api/auth/login", **HTML), visitor, rows, 502)
    problem = visitor.open("/api/auth/login")
    assert problem.status_code == 502
    assert problem.content_type == "application/problem+json"
    provider.down = False
    assert visitor.sign_in().status_code == 302


@pytest.mark.parametrize(
    "discovery",
    [
        {"issuer": "https://evil.test"},
        {"token_endpoint": None},
        {"jwks_uri": 7},
        {"authorization_endpoint": "ftp://evil.test/"},
    ],
)
def test_refuses_a_wrong_discovery(discovery: dict[str, object], visitor: Visitor, provider: OpenIdProvider) -> None:
    provider.discovery = discovery
    assert visitor.open("/api/auth/login").status_code == 502


def test_keeps_the_query_of_an_authorization_endpoint(visitor: Visitor, provider: OpenIdProvider) -> None:
    provider.discovery = {"authorization_endpoint": f"{provider.issuer}/authorize?tenant=1"}
    assert visitor.leave().startswith(f"{provider.issuer}/authorize?tenant=1&response_type=code&")


def test_works_with_what_discovery_leaves_out(visitor: Visitor, provider: OpenIdProvider) -> None:
    provider.discovery = {"token_endpoint_auth_methods_supported": None}
    assert visitor.sign_in().status_code == 302


def test_a_new_sign_in_ends_the_old_session(app: Flask, visitor: Visitor, rows: Rows) -> None:
    visitor.sign_in()
    first = visitor.token()
    visitor.sign_in()
    assert visitor.token() not in (None, first)
    assert rows("SELECT count(*) FROM sessions") == [[1]]
    stale = Browser(app).get("/api/auth/me", headers={"Cookie": f"{sessions.COOKIE}={first}"})
    assert stale.status_code == 401


def test_goes_on_to_a_path_of_this_site(visitor: Visitor) -> None:
    for path in ("/", "/c/0190", "/c?x=/y", "/?q=%E4%B8%83%E6%97%A5", "/?q=七日", "/a//b", "/#top"):
        assert visitor.sign_in(path).headers["Location"] == path.replace("七日", "%E4%B8%83%E6%97%A5")


ELSEWHERE = [
    "https://evil.test/", "https:/evil.test", "//evil.test", "///evil.test", "/\\evil.test", "\\\\evil.test",
    "/\t/evil.test", "/\n/evil.test", "/a\r\nSet-Cookie: a=b", "/%0d%0aSet-Cookie:a=b", "/%2Fevil.test",
    "/%2f%2fevil.test", "/%252Fevil.test", "/%5Cevil.test", "/%255Cevil", "/a\\b", "/\x7f", "javascript:alert(1)",
    "evil.test", "", " /", "/" + "a" * 500,
]  # fmt: skip


def test_goes_nowhere_else(visitor: Visitor, subtests: pytest.Subtests) -> None:
    for path in ELSEWHERE:
        with subtests.test(path[:20]):
            assert visitor.sign_in(path).headers["Location"] == "/"


def test_does_not_trust_the_path_in_a_cookie(app: Flask, visitor: Visitor) -> None:
    response = visitor.open("/api/auth/login")
    name, value = response.headers["Set-Cookie"].split(";")[0].split("=", 1)
    callback = urlsplit(visit(response.headers["Location"]))
    forged = f"{name}={value.rsplit('.', 1)[0]}.Ly9ldmlsLnRlc3Q"  # //evil.test
    answer = Browser(app).get(f"{callback.path}?{callback.query}", headers={"Cookie": forged})
    assert answer.headers["Location"] == "/"


def test_ignores_a_cookie_that_is_not_ours(app: Flask, visitor: Visitor) -> None:
    response = visitor.open("/api/auth/login")
    name, value = response.headers["Set-Cookie"].split(";")[0].split("=", 1)
    callback = urlsplit(visit(response.headers["Location"]))
    for ending in ("", ".x", ".-.Lw", ".1234567890123.Lw", ".1.-", ".1._w"):
        broken = f"{name}={'.'.join(value.split('.')[:3])}{ending}"
        answer = Browser(app).get(f"{callback.path}?{callback.query}", headers={"Cookie": broken})
        assert answer.status_code == 400


def test_speaks_the_readers_language(visitor: Visitor) -> None:
    for languages, language, words in [
        ("ja-JP,ja;q=0.9,en;q=0.8", "ja", "このログインは無効になりました"),
        ("en-US,en;q=0.9,ja;q=0.8", "en", "This sign-in no longer counts"),
        ("fr", "en", "This sign-in no longer counts"),
        ("", "en", "This sign-in no longer counts"),
    ]:
        response = visitor.open("/api/auth/callback", **{"Accept-Language": languages})
        assert words in response.text
        assert f'<html lang="{language}">' in response.text
        assert response.headers["Content-Language"] == language


def test_the_page_needs_no_script_and_no_file(visitor: Visitor) -> None:
    text = visitor.open("/api/auth/callback").text
    for forbidden in ("<script", " on", "src=", "@import", "url(", "<link"):
        assert forbidden not in text.split("<body>")[0] + text.split("<body>")[1].replace(" on ", " "), forbidden


def test_programs_get_a_problem(visitor: Visitor) -> None:
    for accept in ("application/json", "application/problem+json", "application/json, text/html;q=0.5"):
        response = visitor.open("/api/auth/callback", Accept=accept)
        assert response.status_code == 400
        assert response.content_type == "application/problem+json"
        assert response.json is not None
        assert response.json["detail"]


def test_people_get_a_page(visitor: Visitor) -> None:
    for accept in (HTML["Accept"], "*/*", "text/html"):
        assert visitor.open("/api/auth/callback", Accept=accept).content_type == "text/html; charset=utf-8"


def test_tells_that_the_database_is_down(
    visitor: Visitor, rows: Rows, monkeypatch: pytest.MonkeyPatch, app: Flask
) -> None:
    import sys

    from nanoka.database import DatabaseUnavailableError

    def unavailable(*_: object, **__: object) -> None:
        raise DatabaseUnavailableError("the database cannot be reached")

    callback = visit(visitor.leave())
    monkeypatch.setattr(sys.modules["main"].database, "run", unavailable)
    response = visitor.come_back(callback)
    assert_refused(response, visitor, rows, 503)
    assert response.headers["Retry-After"] == "2"


def test_unexpected_faults_are_no_page_of_ours(visitor: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    callback = visit(visitor.leave())
    monkeypatch.setattr(sys.modules["main"].provider, "identify", lambda *_, **__: 1 / 0)
    assert visitor.come_back(callback).status_code == 500


def test_signs_out(function: Functions, rows: Rows, alice: Person, bob: Person) -> None:
    browser = Browser(function("login"), alice)
    response = browser.post("/api/auth/logout")
    assert response.status_code == 204
    assert response.data == b""
    assert response.headers["Set-Cookie"].startswith(f"{sessions.COOKIE}=;")
    assert "Max-Age=0" in response.headers["Set-Cookie"]
    assert browser.get("/api/auth/me").status_code == 401
    assert rows("SELECT user_id FROM sessions") == [[bob.id]]
    assert browser.post("/api/auth/logout").status_code == 401


def test_only_our_own_pages_end_things(function: Functions, alice: Person, rows: Rows) -> None:
    browser = Browser(function("login"), alice)
    for method, path in (("POST", "/api/auth/logout"), ("DELETE", "/api/auth/me")):
        for origin in ("https://evil.test", "null", "", "http://nanoka.test", "https://nanoka.test:444"):
            assert browser.send(method, path, headers={"Origin": origin}).status_code == 403
    assert rows("SELECT count(*) FROM sessions") == [[1]]


def test_deletes_the_account_with_everything(function: Functions, rows: Rows, alice: Person, bob: Person) -> None:
    kept = rows.message(rows.conversation(bob))
    for age in (1, 30, 100):
        conversation = rows.conversation(alice, age=age)
        question = rows.message(conversation, age=age)
        rows.message(conversation, role="assistant", parent_id=question, status="streaming", age=age)
    browser = Browser(function("login"), alice)
    response = browser.delete("/api/auth/me")
    assert response.status_code == 204
    assert response.headers["Set-Cookie"].startswith(f"{sessions.COOKIE}=;")
    assert rows("SELECT id FROM users") == [[bob.id]]
    assert rows("SELECT user_id FROM sessions") == [[bob.id]]
    assert rows("SELECT user_id FROM conversations") == [[bob.id]]
    assert rows("SELECT id FROM messages") == [[kept]]
    assert browser.get("/api/auth/me").status_code == 401


def test_deletes_an_account_that_wrote_nothing(function: Functions, rows: Rows, alice: Person) -> None:
    assert Browser(function("login"), alice).delete("/api/auth/me").status_code == 204
    assert rows("SELECT count(*) FROM users") == [[0]]
