"""Who may trigger purge: callers on our list, with an ID token that Google signed for our audience.

google-auth verifies signature, algorithm, `iat` and `exp` against Google's X.509 certificates; its path for a JWKS
leaves most of that out. Issuer, audience and caller are checked here, because they are told apart: 401 and 403.
Its import is at the top for once: no request is answered without it, and it is quicker where nothing is collected.
"""

import time
from collections.abc import Callable, Mapping
from typing import Any

from flask import Request
from google.auth import jwt
from google.auth.exceptions import GoogleAuthError

from nanoka.fetch import FetchError, fetch
from nanoka.jwks import REFETCH_EVERY, Cached
from nanoka.problems import Problem, unavailable
from nanoka.settings import PurgeSettings

ISSUERS = ("https://accounts.google.com", "accounts.google.com")


class Callers:
    """Checks the tokens of callers.

    Args:
        load: fetches the certificates, `{kid: X.509 PEM}`; raises FetchError.
        clock: seconds that only grow.
    """

    def __init__(
        self,
        settings: PurgeSettings,
        load: Callable[[], Mapping[str, Any]] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.settings = settings
        self._clock = clock
        self._certificates = Cached(load or (lambda: fetch(settings.certs_url)), clock)
        self._refetched_at = -REFETCH_EVERY

    def require(self, request: Request) -> None:
        """Let a caller pass.

        Raises:
            Problem: 401 for a token that is missing, malformed, forged, expired or of another issuer; 403 for
                another audience or caller; 503 while there are no certificates to check with.
        """
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise _unauthorized("Send an ID token as Authorization: Bearer.")
        claims = self._verify(token.strip())
        if claims.get("iss") not in ISSUERS:
            raise _unauthorized("The token is of another issuer.")
        if claims.get("aud") != self.settings.audience:
            raise Problem(403, "The token is for another audience.")
        if claims.get("email") not in self.settings.callers or claims.get("email_verified") is not True:
            raise Problem(403, "This caller may not purge.")

    def _verify(self, token: str) -> Mapping[str, Any]:
        """The claims of a token that is genuine and has not expired."""
        try:
            certificates = self._certificates_for(jwt.decode_header(token).get("kid"))  # type: ignore[no-untyped-call]
            claims: Mapping[str, Any] = jwt.decode(token, certs=certificates)  # type: ignore[no-untyped-call]
        except FetchError as error:
            raise unavailable(f"The certificates to check tokens with cannot be fetched: {error}.") from error
        except (GoogleAuthError, ValueError, TypeError, AttributeError) as error:
            # What google-auth lets through of a malformed token or certificate besides its own errors.
            raise _unauthorized("The token is malformed, forged or expired.") from error
        return claims

    def _certificates_for(self, kid: object) -> Mapping[str, Any]:
        """The certificates, fetched again for one that is not among them; seldom, as anybody can invent a `kid`."""
        certificates = self._certificates.get()
        if kid not in certificates and self._clock() >= self._refetched_at + REFETCH_EVERY:
            self._refetched_at = self._clock()
            certificates = self._certificates.renew()
        return certificates


def _unauthorized(detail: str) -> Problem:
    return Problem(401, detail, headers={"WWW-Authenticate": "Bearer"})
