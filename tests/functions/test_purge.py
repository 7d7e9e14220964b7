"""The purge function: who may call it, and what is gone afterwards."""

import base64
import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID

from nanoka.callers import Callers
from nanoka.fetch import FetchError
from nanoka.problems import Problem
from nanoka.settings import PurgeSettings
from tests.functions.conftest import ENVIRONMENT, Answer, Browser, Functions, Person, Rows

AUDIENCE, CALLER = ENVIRONMENT["PURGE_AUDIENCE"], ENVIRONMENT["PURGE_CALLERS"]


class Google:
    """Signs ID tokens as Google does, with keys whose certificates `certificates` holds by their `kid`."""

    def __init__(self) -> None:
        self.keys: dict[str, rsa.RSAPrivateKey] = {}
        self.certificates: dict[str, str] = {}
        self.fetched = 0
        self.down = False
        self.new_key("first")

    def new_key(self, kid: str) -> None:
        key = rsa.generate_private_key(65537, 2048)
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "google.test")])
        now = datetime.now(UTC)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
            .sign(key, hashes.SHA256())
        )
        self.keys[kid] = key
        self.certificates[kid] = certificate.public_bytes(serialization.Encoding.PEM).decode()

    def load(self) -> dict[str, Any]:
        self.fetched += 1
        if self.down:
            raise FetchError("google.test did not answer")
        return dict(self.certificates)

    def token(self, kid: str = "first", *, alg: str = "RS256", **claims: object) -> str:
        """A token for the usual caller, but for `claims`; a claim that is None is left out."""
        now = int(time.time())
        usual = {
            "iss": "https://accounts.google.com",
            "aud": AUDIENCE,
            "email": CALLER,
            "email_verified": True,
            "iat": now,
            "exp": now + 3600,
        }
        payload = {name: value for name, value in (usual | claims).items() if value is not None}
        signed = f"{_encode({'alg': alg, 'typ': 'JWT', 'kid': kid})}.{_encode(payload)}"
        signature = self.keys[kid].sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
        return f"{signed}.{_base64url(signature)}"


def _encode(value: object) -> str:
    return _base64url(json.dumps(value).encode())


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


@pytest.fixture(scope="module")
def signer() -> Google:
    return Google()


@pytest.fixture
def google(signer: Google, monkeypatch: pytest.MonkeyPatch) -> Google:
    """Google's keys, which the function gets when it asks for the certificates."""
    signer.fetched = 0
    signer.down = False
    monkeypatch.setattr("nanoka.callers.fetch", lambda _url: signer.load())
    return signer


@pytest.fixture
def ops(function: Functions, google: Google) -> Callable[..., Answer]:
    """Sends a POST to the function, with a token and no cookie, origin or body."""
    client = Browser(function("purge")).client

    def post(token: str | None, path: str = "/", **options: Any) -> Answer:
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        answer = client.post(path, headers=headers, **options)
        assert isinstance(answer, Answer)
        return answer

    return post


def refused(answer: Answer, status: int) -> None:
    assert answer.status_code == status, answer.text
    assert answer.content_type == "application/problem+json"
    assert answer.json["detail"]


def test_what_has_expired_is_gone_and_told(
    ops: Callable[..., Answer], google: Google, rows: Rows, alice: Person, bob: Person
) -> None:
    kept, gone = rows.conversation(alice, age=170), rows.conversation(bob, age=200)
    living = rows.message(kept, age=167.9)
    for conversation_id, age in ((kept, 168.1), (kept, 169), (gone, 169), (gone, 500)):
        rows.message(conversation_id, age=age)
    rows("UPDATE sessions SET last_used_at = now() - interval '7 days 1 second' WHERE user_id = :id", id=bob.id)
    expected = {"messages": 4, "conversations": 1, "sessions": 1}

    dry = ops(google.token(), "/?dry_run=true")
    assert dry.status_code == 200
    assert dry.json["dry_run"] is True
    assert dry.json["deleted"] == expected
    assert datetime.fromisoformat(dry.json["oldest_message_at"]) < datetime.now(UTC) - timedelta(hours=499)
    assert rows("SELECT count(*) FROM messages") == [[5]]

    answer = ops(google.token(), "/?dry_run=false")
    assert set(answer.json) == {"cutoff", "dry_run", "deleted", "oldest_message_at", "took_ms"}
    assert answer.json["dry_run"] is False
    assert answer.json["deleted"] == expected
    assert answer.json["took_ms"] > 0
    cutoff = datetime.fromisoformat(answer.json["cutoff"])
    assert datetime.now(UTC) - cutoff == pytest.approx(timedelta(hours=168), abs=timedelta(seconds=30))
    ((message_id, created_at),) = rows("SELECT id, created_at FROM messages")
    assert message_id == living
    assert datetime.fromisoformat(answer.json["oldest_message_at"]) == created_at
    assert rows("SELECT id FROM conversations") == [[kept]]
    assert rows("SELECT user_id FROM sessions") == [[alice.id]]

    again = ops(google.token())
    assert again.json["deleted"] == {"messages": 0, "conversations": 0, "sessions": 0}
    assert again.headers["Cache-Control"] == "no-store"


def test_an_empty_database_has_no_oldest_message(ops: Callable[..., Answer], google: Google) -> None:
    for path in ("/?dry_run=true", "/"):
        answer = ops(google.token(), path)
        assert answer.json["oldest_message_at"] is None
        assert answer.json["deleted"] == {"messages": 0, "conversations": 0, "sessions": 0}


@pytest.mark.parametrize("value", ["1", "", "yes", "True", "true "])
def test_a_dry_run_must_be_asked_for_plainly(
    ops: Callable[..., Answer], google: Google, rows: Rows, alice: Person, value: str
) -> None:
    rows.message(rows.conversation(alice), age=169)
    answer = ops(google.token(), "/", query_string={"dry_run": value})
    refused(answer, 422)
    assert answer.json["field"] == "dry_run"
    assert rows("SELECT count(*) FROM messages") == [[1]]


def test_both_spellings_of_googles_name_are_its_own(ops: Callable[..., Answer], google: Google) -> None:
    assert ops(google.token(iss="accounts.google.com")).status_code == 200


def test_neither_origin_nor_content_type_nor_body_matter(ops: Callable[..., Answer], google: Google) -> None:
    assert ops(google.token(), data=b"\xff", content_type="text/plain").status_code == 200


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://evil.test"},
        {"iss": None},
        {"iss": ["https://accounts.google.com"]},
        {"exp": 1},
        {"exp": None},
        {"exp": "soon"},
        {"iat": None},
        {"iat": 32_503_680_000, "exp": 32_503_683_600},
    ],
)
def test_a_token_of_another_issuer_or_time_is_401(
    ops: Callable[..., Answer], google: Google, rows: Rows, alice: Person, claims: dict[str, Any]
) -> None:
    rows.message(rows.conversation(alice), age=169)
    answer = ops(google.token(**claims))
    refused(answer, 401)
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert rows("SELECT count(*) FROM messages") == [[1]]


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "https://other.test"},
        {"aud": None},
        {"aud": [AUDIENCE, "https://other.test"]},
        {"email": "eve@nanoka.test"},
        {"email": CALLER.upper()},
        {"email": None},
        {"email_verified": False},
        {"email_verified": "true"},
        {"email_verified": None},
    ],
)
def test_another_audience_or_caller_is_403(
    ops: Callable[..., Answer], google: Google, rows: Rows, alice: Person, claims: dict[str, Any]
) -> None:
    rows.message(rows.conversation(alice), age=169)
    refused(ops(google.token(**claims)), 403)
    assert rows("SELECT count(*) FROM messages") == [[1]]


def forged(google: Google) -> Iterator[tuple[str, str | None]]:
    """Tokens that Google never signed."""
    token = google.token()
    head, body, signature = token.split(".")
    unsigned = _encode({"alg": "none", "typ": "JWT"})
    stranger = Google()
    yield "missing", None
    yield "empty", ""
    yield "no token", "x"
    yield "two parts", f"{head}.{body}"
    yield "four parts", f"{token}.x"
    yield "no signature", f"{head}.{body}."
    yield "unsigned", f"{unsigned}.{body}."
    yield "another body", f"{head}.{_encode({'iss': 'accounts.google.com'})}.{signature}"
    yield "another key", stranger.token()
    yield "symmetric", f"{_encode({'alg': 'HS256', 'kid': 'first'})}.{body}.{signature}"
    yield "another algorithm", google.token(alg="ES256")
    yield "no JSON", f"{_base64url(b'x')}.{body}.{signature}"
    yield "no object", f"{_base64url(b'[]')}.{body}.{signature}"
    yield "not ASCII", "é.é.é"
    yield "odd kid", f"{_encode({'alg': 'RS256', 'kid': ['first']})}.{body}.{signature}"
    yield "no base64", f"{head}.!!!!.{signature}"


def test_a_forged_token_is_401(ops: Callable[..., Answer], google: Google, rows: Rows, alice: Person) -> None:
    rows.message(rows.conversation(alice), age=169)
    for what, token in forged(google):
        answer = ops(token)
        assert answer.status_code == 401, what
        assert answer.content_type == "application/problem+json"
    assert rows("SELECT count(*) FROM messages") == [[1]]


def test_only_post_to_the_root_is_served(ops: Callable[..., Answer], google: Google, function: Functions) -> None:
    browser = Browser(function("purge"))
    assert browser.get("/").status_code == 405
    assert browser.post("/other").status_code == 404


def callers(google: Google, clock: Callable[[], float]) -> Callers:
    settings = PurgeSettings(AUDIENCE, frozenset({CALLER}), "https://google.test/certs")
    return Callers(settings, google.load, clock)


class Bearer:
    """A request with nothing but a token."""

    def __init__(self, token: str) -> None:
        self.headers = {"Authorization": f"bearer {token}"}


def test_certificates_are_kept_and_fetched_again_for_a_new_key(google: Google) -> None:
    now = 1000.0
    check = callers(google, lambda: now)
    for _ in range(3):
        check.require(Bearer(google.token()))  # type: ignore[arg-type]
    assert google.fetched == 1
    google.new_key("second")
    check.require(Bearer(google.token("second")))  # type: ignore[arg-type]
    assert google.fetched == 2
    # Anybody can invent a kid: that must not make a flood of it.
    stranger = Google()
    for kid in ("a", "b", "c"):
        stranger.new_key(kid)
        with pytest.raises(Problem) as refusal:
            check.require(Bearer(stranger.token(kid)))  # type: ignore[arg-type]
        assert refusal.value.status == 401
    assert google.fetched == 2
    now += 31
    with pytest.raises(Problem):
        check.require(Bearer(stranger.token("a")))  # type: ignore[arg-type]
    assert google.fetched == 3


def test_without_certificates_nobody_can_be_checked(google: Google) -> None:
    google.down = True
    check = callers(google, lambda: 1000.0)
    with pytest.raises(Problem) as refusal:
        check.require(Bearer(google.token()))  # type: ignore[arg-type]
    assert refusal.value.status == 503
    google.down = False
    check.require(Bearer(google.token()))  # type: ignore[arg-type]
