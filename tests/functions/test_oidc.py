"""What a sign-in rests on: JSON fetched within a limit, keys that rotate, and an issuer's spellings."""

import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from joserfc.jwk import ECKey, OctKey, RSAKey

from nanoka import oidc
from nanoka.fetch import LARGEST, FetchError, fetch
from nanoka.jwks import MAX_AGE, REFETCH_EVERY, Cached, KeySet, signing_keys
from nanoka.settings import GOOGLE_ISSUER, SignInSettings
from tests.standins.http import Reply, Request, Server

RSA = RSAKey.generate_key(2048)


def public(kid: str | None, key: RSAKey | ECKey = RSA, **members: object) -> dict[str, Any]:
    return {**key.as_dict(private=False), "use": "sig", **({} if kid is None else {"kid": kid}), **members}


class Source:
    """A key set that counts how often it is asked for, and fails on demand."""

    def __init__(self, *kids: str) -> None:
        self.kids = kids
        self.asked = 0
        self.fails = False
        self.now = 1000.0

    def __call__(self) -> dict[str, Any]:
        self.asked += 1
        if self.fails:
            raise FetchError("down")
        return {"keys": [public(kid) for kid in self.kids]}

    def clock(self) -> float:
        return self.now


class TestKeySet:
    def test_asks_once(self) -> None:
        source = Source("a", "b")
        keys = KeySet(source, source.clock)
        assert keys.find("a")
        assert keys.find("b")
        assert source.asked == 1

    def test_follows_a_rotation_at_most_every_half_minute(self) -> None:
        source = Source("a")
        keys = KeySet(source, source.clock)
        keys.find("a")
        source.kids = ("b",)
        assert keys.find("b"), "at once"
        source.kids = ("c",)
        source.now += REFETCH_EVERY - 1
        assert keys.find("c") is None
        assert source.asked == 2
        source.now += 1
        assert keys.find("c")
        assert source.asked == 3
        assert REFETCH_EVERY == 30

    def test_lets_a_withdrawn_key_go_after_an_hour(self) -> None:
        source = Source("a")
        keys = KeySet(source, source.clock)
        keys.find("a")
        source.kids = ("b",)
        source.now += MAX_AGE - 1
        assert keys.find("a")
        source.now += 1
        assert keys.find("a") is None

    def test_many_threads_with_unknown_keys_are_one_question(self) -> None:
        source = Source("a")
        keys = KeySet(source, source.clock)
        keys.find("a")
        threads = [threading.Thread(target=keys.find, args=(f"unknown {number}",)) for number in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert source.asked == 2

    def test_old_keys_are_better_than_none(self) -> None:
        source = Source("a")
        keys = KeySet(source, source.clock)
        keys.find("a")
        source.fails = True
        source.now += MAX_AGE
        assert keys.find("a")

    def test_tells_that_there_are_none(self) -> None:
        source = Source()
        source.fails = True
        with pytest.raises(FetchError):
            KeySet(source, source.clock).find("a")

    def test_a_token_without_kid_needs_a_single_key(self) -> None:
        assert KeySet(Source("a")).find(None)
        assert KeySet(Source("a", "b")).find(None) is None
        assert KeySet(Source()).find(None) is None


def test_a_failure_is_not_kept() -> None:
    source = Source("a")
    source.fails = True
    cached = Cached(source, source.clock)
    with pytest.raises(FetchError):
        cached.get()
    source.fails = False
    assert cached.get()["keys"]


@pytest.mark.parametrize(
    "member",
    [
        OctKey.generate_key(256).as_dict() | {"kid": "x"},
        public("x", use="enc"),
        public("x", kty="unknown"),
        public("x", n="!"),
        {"kty": "RSA", "kid": "x"},
        {"kty": "EC", "kid": "x", "crv": "none", "x": "AA", "y": "AA"},
        "x",
        None,
    ],
)
def test_keys_that_cannot_verify_are_left_out(member: object) -> None:
    assert list(signing_keys({"keys": [member, public("good"), public("curve", ECKey.generate_key("P-256"))]})) == [
        "good",
        "curve",
    ]


@pytest.mark.parametrize("key_set", [{}, {"keys": None}, {"keys": {"kid": "a"}}])
def test_a_key_set_may_be_broken(key_set: dict[str, Any]) -> None:
    assert signing_keys(key_set) == {}


class Answers:
    """Answers every request with a body of the test's choice."""

    def __init__(self) -> None:
        self.body = b"{}"
        self.requests: list[Request] = []

    async def __call__(self, request: Request, reply: Reply) -> None:
        self.requests.append(request)
        reply.begin("application/json")
        await reply.piece(self.body)
        reply.end()


@pytest.fixture
def answers() -> Answers:
    return Answers()


@pytest.fixture
def address(answers: Answers) -> Iterator[str]:
    with Server(answers) as server:
        yield server.address


class TestFetch:
    def test_gets(self, answers: Answers, address: str) -> None:
        answers.body = '{"a": "七"}'.encode()
        assert fetch(f"{address}/x?y=1") == {"a": "七"}
        assert fetch(address) == {"a": "七"}
        assert [(request.method, request.path) for request in answers.requests] == [("GET", "/x?y=1"), ("GET", "/")]

    def test_posts_a_form(self, answers: Answers, address: str) -> None:
        fetch(f"{address}/token", form={"a": "b c", "d": "&"}, headers={"Authorization": "Basic x"})
        [request] = answers.requests
        assert (request.method, request.body) == ("POST", b"a=b+c&d=%26")
        assert request.headers["authorization"] == "Basic x"
        assert request.headers["content-type"] == "application/x-www-form-urlencoded"

    @pytest.mark.parametrize("body", [b"", b"x", b"[]", b"1", b"\xff", b"[" * 100_000, b" " * LARGEST + b"{}"])
    def test_refuses_what_is_no_object(self, body: bytes, answers: Answers, address: str) -> None:
        answers.body = body
        with pytest.raises(FetchError) as caught:
            fetch(address)
        assert caught.value.status == 200

    @pytest.mark.parametrize("url", ["http://127.0.0.1:9/", "https://127.0.0.1:9/", "http://nowhere.invalid/"])
    def test_tells_what_cannot_be_reached(self, url: str) -> None:
        with pytest.raises(FetchError, match="cannot be reached") as caught:
            fetch(url, seconds=20)
        assert caught.value.status is None

    def test_ends_at_its_limit_though_bytes_keep_coming(self) -> None:
        """And lets go of the connection."""
        with socket.create_server(("127.0.0.1", 0)) as listening:
            gone = threading.Event()

            def drip() -> None:
                connection, _ = listening.accept()
                with connection:
                    connection.settimeout(0.02)
                    try:
                        while True:
                            connection.sendall(b"H")
                            try:
                                if connection.recv(1000) == b"":
                                    break
                            except TimeoutError:
                                pass
                    except OSError:
                        pass
                gone.set()

            thread = threading.Thread(target=drip, daemon=True)
            thread.start()
            began = time.monotonic()
            with pytest.raises(FetchError, match=r"within 0\.3 s"):
                fetch(f"http://127.0.0.1:{listening.getsockname()[1]}/", seconds=0.3)
            assert time.monotonic() - began < 5
            assert gone.wait(10)
            thread.join()

    def test_an_errors_text_holds_nothing_that_was_sent(self, answers: Answers, address: str) -> None:
        answers.body = b"secret"
        with pytest.raises(FetchError) as caught:
            fetch(f"{address}/?code=secret", form={"code": "secret"}, headers={"Authorization": "secret"})
        assert "secret" not in str(caught.value)


class Clock:
    now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


def provider(issuer: str = GOOGLE_ISSUER) -> oidc.Provider:
    settings = SignInSettings(issuer, "nanoka", "not-a-secret")
    return oidc.Provider(settings, "https://nanoka.test/api/auth/callback", Clock())


CLAIMS = {
    "iss": GOOGLE_ISSUER,
    "aud": "nanoka",
    "exp": Clock.now + 1,
    "iat": Clock.now,
    "nonce": "n",
    "email_verified": True,
}


@pytest.mark.parametrize("issuer", ["https://accounts.google.com", "accounts.google.com"])
def test_google_has_two_names(issuer: str) -> None:
    provider()._check(CLAIMS | {"iss": issuer}, "n")  # noqa: SLF001
    with pytest.raises(oidc.RefusedError, match="iss"):
        provider("https://example.test")._check(CLAIMS | {"iss": issuer}, "n")  # noqa: SLF001


@pytest.mark.parametrize(
    ("claims", "check"),
    [
        ({"exp": Clock.now - 60}, "exp"),
        ({"exp": Clock.now - 59.9}, None),
        ({"iat": Clock.now + 60}, None),
        ({"iat": Clock.now + 60.1}, "iat"),
        ({"nbf": Clock.now + 60}, None),
        ({"nbf": Clock.now + 60.1}, "nbf"),
    ],
)
def test_clocks_may_differ_by_a_minute(claims: dict[str, object], check: str | None) -> None:
    if check is None:
        provider()._check(CLAIMS | claims, "n")  # noqa: SLF001
        return
    with pytest.raises(oidc.RefusedError) as caught:
        provider()._check(CLAIMS | claims, "n")  # noqa: SLF001
    assert caught.value.check == check


def test_a_secure_provider_may_not_point_to_an_insecure_address(monkeypatch: pytest.MonkeyPatch) -> None:
    endpoints = {
        "issuer": GOOGLE_ISSUER,
        "authorization_endpoint": "https://accounts.google.com/auth",
        "token_endpoint": "http://accounts.google.com/token",
        "jwks_uri": "https://accounts.google.com/keys",
    }
    monkeypatch.setattr(oidc, "fetch", lambda *_, **__: endpoints)
    with pytest.raises(oidc.ProviderError, match="token_endpoint"):
        provider().authorization_url(state="s", nonce="n", verifier="v")


def test_the_challenge_is_the_verifiers_hash(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the example of RFC 7636, appendix B."""
    endpoints = dict.fromkeys(("authorization_endpoint", "token_endpoint", "jwks_uri"), "https://x.test/")
    monkeypatch.setattr(oidc, "fetch", lambda *_, **__: endpoints | {"issuer": GOOGLE_ISSUER})
    url = provider().authorization_url(state="s", nonce="n", verifier="dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")
    assert "code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256" in url
