"""Sign-in by OpenID Connect: authorization code flow with PKCE, as its client (OpenID Connect Core 1.0, RFC 9700).

Every check of an ID token is in `_check`; whoever passes is who the provider says they are, just now, for us, and
in answer to this very attempt.
"""

import base64
import hashlib
import hmac
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from nanoka.fetch import FetchError, fetch
from nanoka.jwks import Cached, KeySet
from nanoka.routing import storable
from nanoka.settings import GOOGLE_ISSUER, SignInSettings

ALGORITHMS = ("RS256", "ES256")
"""Signatures that are accepted: RS256 is what every provider must offer. Never `none`, never a shared secret."""
LEEWAY = 60.0
"""Seconds by which the provider's clock and ours may differ."""
EXCHANGE_SECONDS = 10.0
METHODS = ["client_secret_basic", "client_secret_post"]
SCOPE = "openid email profile"


class RefusedError(Exception):
    """A check failed. `check` names it, in one word that may be logged."""

    def __init__(self, check: str) -> None:
        super().__init__(check)
        self.check = check


class UnverifiedEmailError(RefusedError):
    """The provider has not verified that the e-mail address is this person's."""

    def __init__(self) -> None:
        super().__init__("email_verified")


class ProviderError(Exception):
    """The provider did not answer, or not as the specification says. Its text may be logged."""


@dataclass(frozen=True)
class Identity:
    """A person as their provider knows them. `subject` never changes, everything else may."""

    issuer: str
    subject: str
    email: str
    name: str
    picture: str | None


@dataclass(frozen=True)
class Endpoints:
    """What discovery tells of a provider (OpenID Connect Discovery 1.0, 3)."""

    authorization: str
    token: str
    keys: str
    methods: list[str]
    """How it lets a client prove itself, those that we know and the one that every provider should know first."""


class Provider:
    """One OpenID provider. Discovery and keys are fetched when they are first needed, and cached.

    Args:
        redirect_uri: the one address to which the provider sends people back, never made from a request.
        clock: seconds since 1970, by which tokens expire.
    """

    def __init__(self, settings: SignInSettings, redirect_uri: str, clock: Callable[[], float] = time.time) -> None:
        self.settings = settings
        self.redirect_uri = redirect_uri
        self._clock = clock
        self._endpoints = Cached(self._discover, time.monotonic)
        self._keys = KeySet(lambda: fetch(self._endpoints.get().keys))

    def authorization_url(self, *, state: str, nonce: str, verifier: str) -> str:
        """Where to send the browser. Raises ProviderError."""
        challenge = _base64url(hashlib.sha256(verifier.encode()).digest())
        query = urlencode(
            {
                "response_type": "code",
                "client_id": self.settings.client_id,
                "redirect_uri": self.redirect_uri,
                "scope": SCOPE,
                "state": state,
                "nonce": nonce,
                "code_challenge": challenge,
                "code_challenge_method": "S256",
            }
        )
        address = self._load_endpoints().authorization
        return f"{address}{'&' if urlsplit(address).query else '?'}{query}"

    def identify(self, code: str, *, nonce: str, verifier: str) -> Identity:
        """Exchange a code for an ID token, check it, and return who it speaks of.

        Raises:
            RefusedError: a check failed.
            ProviderError: the provider did not answer as it should.
        """
        token = self._exchange(code, verifier)
        claims = self._verified(token)
        self._check(claims, nonce)
        return _identity(self.settings.issuer, claims)

    def _exchange(self, code: str, verifier: str) -> str:
        """The ID token for a code (OpenID Connect Core 3.1.3)."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.redirect_uri,
            "code_verifier": verifier,
        }
        endpoints = self._load_endpoints()
        deadline = time.monotonic() + EXCHANGE_SECONDS
        for last, method in enumerate(endpoints.methods, start=1 - len(endpoints.methods)):
            headers, secret = self._authentication(method)
            try:
                left = max(0.0, deadline - time.monotonic())
                answer = fetch(endpoints.token, form=form | secret, headers=headers, seconds=left)
            except FetchError as error:
                if error.status == 401 and last != 0:
                    continue  # it knows us by the other method only, and has not looked at the code
                if error.status == 400:  # `invalid_grant`: a code that is wrong, too old, or used before
                    raise RefusedError("code") from error
                raise ProviderError(str(error)) from error
            token = answer.get("id_token")
            if isinstance(token, str):
                return token
            break
        raise ProviderError("the token endpoint gave no ID token")

    def _authentication(self, method: str) -> tuple[dict[str, str], dict[str, str]]:
        """The headers and form fields with which we prove to be the client (RFC 6749, 2.3.1)."""
        client_id, secret = self.settings.client_id, self.settings.client_secret
        if method == "client_secret_post":
            return {}, {"client_id": client_id, "client_secret": secret}
        pair = f"{quote(client_id, safe='')}:{quote(secret, safe='')}"
        return {"Authorization": "Basic " + base64.b64encode(pair.encode()).decode()}, {}

    def _verified(self, token: str) -> dict[str, Any]:
        """The claims of a token that the provider has signed."""
        from joserfc import jwt  # noqa: PLC0415 - 57 ms that only a sign-in needs, not a cold start
        from joserfc.errors import JoseError  # noqa: PLC0415

        def key(signature: Any) -> Any:
            kid = signature.headers().get("kid")
            found = self._keys.find(None if kid is None else str(kid))
            if found is None:
                raise RefusedError("kid")
            return found

        try:
            return jwt.decode(token, key, algorithms=ALGORITHMS).claims
        except FetchError as error:
            raise ProviderError(str(error)) from error
        except (JoseError, ValueError, TypeError) as error:
            raise RefusedError("signature") from error

    def _check(self, claims: Mapping[str, Any], nonce: str) -> None:
        """What a signed ID token must say (OpenID Connect Core 3.1.3.7)."""
        issuers = [self.settings.issuer]
        if self.settings.issuer == GOOGLE_ISSUER:
            issuers.append(GOOGLE_ISSUER.removeprefix("https://"))  # Google documents both spellings
        if claims.get("iss") not in issuers:
            raise RefusedError("iss")
        audience, party = claims.get("aud"), claims.get("azp")
        audiences = audience if isinstance(audience, list) else [audience]
        if self.settings.client_id not in audiences:
            raise RefusedError("aud")
        if party != self.settings.client_id and not (party is None and len(audiences) == 1):
            raise RefusedError("azp")
        # Written so that what is no number, NaN included, does not pass.
        now = self._clock()
        if not _seconds(claims.get("exp")) > now - LEEWAY:
            raise RefusedError("exp")
        if not _seconds(claims.get("iat")) <= now + LEEWAY:
            raise RefusedError("iat")
        if "nbf" in claims and not _seconds(claims["nbf"]) <= now + LEEWAY:
            raise RefusedError("nbf")
        if not hmac.compare_digest(str(claims.get("nonce", "")).encode("utf-8", "replace"), nonce.encode()):
            raise RefusedError("nonce")
        if claims.get("email_verified") is not True:
            raise UnverifiedEmailError

    def _load_endpoints(self) -> Endpoints:
        try:
            return self._endpoints.get()
        except FetchError as error:
            raise ProviderError(str(error)) from error

    def _discover(self) -> Endpoints:
        issuer = self.settings.issuer
        found = fetch(f"{issuer.rstrip('/')}/.well-known/openid-configuration")
        if found.get("issuer") != issuer:
            raise FetchError("discovery speaks of another issuer")
        scheme = f"{urlsplit(issuer).scheme}://"

        def address(name: str) -> str:
            value = found.get(name)
            if not isinstance(value, str) or not value.startswith(("https://", scheme)):
                raise FetchError(f"discovery lacks {name}")
            return value

        offered = found.get("token_endpoint_auth_methods_supported") or METHODS[:1]
        return Endpoints(
            authorization=address("authorization_endpoint"),
            token=address("token_endpoint"),
            keys=address("jwks_uri"),
            methods=[method for method in METHODS if method in offered],
        )


def _identity(issuer: str, claims: Mapping[str, Any]) -> Identity:
    subject, email = claims.get("sub"), claims.get("email")
    if not isinstance(subject, str) or not 1 <= len(subject) <= 255 or not storable(subject):
        raise RefusedError("sub")
    if not isinstance(email, str) or not 3 <= len(email) <= 320 or not storable(email):
        raise RefusedError("email")
    name, picture = claims.get("name"), claims.get("picture")
    if not isinstance(name, str) or not name.strip() or not storable(name):
        name = email
    # It becomes an image's address in the page.
    known = isinstance(picture, str) and picture.startswith("https://") and len(picture) <= 2000 and storable(picture)
    return Identity(issuer, subject, email, name.strip()[:200], picture if known else None)


def _seconds(value: object) -> float:
    """A NumericDate (RFC 7519, 2), or NaN."""
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else float("nan")


def _base64url(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).decode().rstrip("=")
