"""An OpenID provider that signs everybody in at once, and misbehaves in exactly the ways that a test asks for.

It is strict where we rely on it: PKCE (S256 only), the redirect address, the client's secret, codes that count
once. Everything else is as `OpenIdProvider`'s attributes say.
"""

from __future__ import annotations

import asyncio
import base64
import functools
import hashlib
import hmac
import json
import secrets
import time
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from tests.standins.http import Reply, Request, Server

PERSON = {"sub": "alice", "email": "alice@people.example", "email_verified": True, "name": "Alice"}


@dataclass
class OpenIdProvider:
    """Use it in a `with` statement; `issuer` is its address then."""

    client_id: str
    client_secret: str
    redirect_uri: str

    person: dict[str, Any] = field(default_factory=lambda: dict(PERSON))
    claims: dict[str, Any] = field(default_factory=dict)
    """Claims that the ID token has instead of the right ones; one whose value is None it lacks."""
    discovery: dict[str, Any] = field(default_factory=dict)
    """Members that discovery has instead of the right ones; one whose value is None it lacks."""
    algorithm: str = "RS256"
    kid: str | None = "first"
    """Which key signs; None leaves the name out of the token."""
    published: list[dict[str, Any]] | None = None
    """The key set, if it is not all the keys."""
    authorization: dict[str, str] = field(default_factory=dict)
    """Parameters of the way back instead of the right ones."""
    auth_method: str = "client_secret_basic"
    reuse: bool = False
    """Whether codes count more than once."""
    token_status: int = 200
    token_body: bytes | None = None
    """What the token endpoint answers instead of JSON."""
    drip: float = 0.0
    """Seconds between two bytes of the token endpoint's answer."""
    down: bool = False
    """Whether connections break at once."""
    keys_down: bool = False
    """Whether those that ask for keys do."""

    requests: list[str] = field(default_factory=list)
    """The paths that were asked for."""

    def __post_init__(self) -> None:
        self.keys: dict[str, RSAKey | ECKey] = {"first": _first_key()}
        self._codes: dict[str, dict[str, str]] = {}
        self._server = Server(self._handle)

    @property
    def issuer(self) -> str:
        return self._server.address

    def __enter__(self) -> Self:
        self._server.__enter__()
        return self

    def __exit__(self, *arguments: object) -> None:
        self._server.__exit__(*arguments)

    def rotate(self, kid: str, key: RSAKey | ECKey | None = None) -> None:
        """Sign with a new key from now on; the old ones are gone."""
        self.keys = {kid: key or RSAKey.generate_key(2048)}
        self.kid = kid

    def asked(self, path: str) -> int:
        return self.requests.count(path)

    async def _handle(self, request: Request, reply: Reply) -> None:
        path = urlsplit(request.path).path
        self.requests.append(path)
        if self.down or (self.keys_down and path == "/keys"):
            reply.break_off()
        elif path == "/.well-known/openid-configuration":
            await reply.whole(200, _without_none(self._discovery() | self.discovery))
        elif path == "/keys":
            public = [key.as_dict(private=False) | {"kid": kid, "use": "sig"} for kid, key in self.keys.items()]
            await reply.whole(200, {"keys": public if self.published is None else self.published})
        elif path == "/authorize":
            await reply.whole(302, {}, {"location": self._authorize(dict(parse_qsl(urlsplit(request.path).query)))})
        elif path == "/token" and request.method == "POST":
            await self._answer_token(request, reply)
        else:
            await reply.whole(404, {})

    def _discovery(self) -> dict[str, Any]:
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        }

    def _authorize(self, asked: dict[str, str]) -> str:
        """Where the browser goes back to. Raises AssertionError for a request that no provider would accept."""
        assert asked["response_type"] == "code"
        assert asked["client_id"] == self.client_id
        assert asked["redirect_uri"] == self.redirect_uri
        assert "openid" in asked["scope"].split()
        assert asked["code_challenge_method"] == "S256"
        code = secrets.token_urlsafe(16)
        self._codes[code] = asked
        answer = {"code": code, "state": asked["state"], "iss": self.issuer} | self.authorization
        return f"{self.redirect_uri}?{urlencode(answer)}"

    async def _answer_token(self, request: Request, reply: Reply) -> None:
        status, body = self._token(request, dict(parse_qsl(request.body.decode())))
        if self.token_body is None and not self.drip:
            await reply.whole(status, body)
            return
        reply.begin("application/json")
        for byte in self.token_body or json.dumps(body).encode():
            await reply.piece(bytes([byte]))
            await asyncio.sleep(self.drip)
        reply.end()

    def _token(self, request: Request, form: dict[str, str]) -> tuple[int, dict[str, Any]]:
        if self.token_status != 200:
            return self.token_status, {"error": "server_error"}
        if not self._knows_client(request, form):
            return 401, {"error": "invalid_client"}
        asked = self._codes.get(form["code"]) if self.reuse else self._codes.pop(form["code"], None)
        challenge = _base64url(hashlib.sha256(form.get("code_verifier", "").encode()).digest())
        if (
            asked is None
            or form["grant_type"] != "authorization_code"
            or form["redirect_uri"] != asked["redirect_uri"]
            or challenge != asked["code_challenge"]
        ):
            return 400, {"error": "invalid_grant"}
        now = int(time.time())
        claims = {"iss": self.issuer, "aud": self.client_id, "iat": now, "exp": now + 300, "nonce": asked["nonce"]}
        return 200, {"token_type": "Bearer", "id_token": self.sign(_without_none(self.person | claims | self.claims))}

    def _knows_client(self, request: Request, form: dict[str, str]) -> bool:
        if self.auth_method == "client_secret_post":
            given = form.get("client_id", ""), form.get("client_secret", "")
        else:
            scheme, _, value = request.headers.get("authorization", "").partition(" ")
            name, _, secret = base64.b64decode(value if scheme == "Basic" else "").decode().partition(":")
            given = unquote(name), unquote(secret)
        return given == (self.client_id, self.client_secret)

    def sign(self, claims: dict[str, Any]) -> str:
        """An ID token of these claims, by the algorithm and key that this provider is set to."""
        header = {"alg": self.algorithm, "typ": "JWT"} | ({} if self.kid is None else {"kid": self.kid})
        signed = f"{_base64url(json.dumps(header).encode())}.{_base64url(json.dumps(claims).encode())}"
        if self.algorithm == "none":
            return f"{signed}."
        key = self.keys.get(self.kid or "") or next(iter(self.keys.values()))
        if self.algorithm == "HS256":  # with the public key as the secret, which careless libraries take
            return f"{signed}.{_base64url(hmac.digest(key.as_pem(private=False), signed.encode(), 'sha256'))}"
        return jwt.encode(header, claims, key, algorithms=[self.algorithm])


@functools.cache
def _first_key() -> RSAKey:
    return RSAKey.generate_key(2048)  # a tenth of a second, so once for all providers


def _without_none(members: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}


def _base64url(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).decode().rstrip("=")
