"""Attempts to sign in, from the way to the provider until the way back.

Each is a cookie of its own, so that tabs that sign in at the same time do not disturb each other, and a flood of
requests to sign in writes nothing to the database. That the browser still has the cookie is what binds `state`,
`nonce` and the PKCE verifier to it. The database only remembers which attempts came back, for an hour: an
attempt, and with it its code, counts once, even for somebody who kept the cookie.
"""

import base64
import hashlib
import hmac
import re
import secrets
import time
from dataclasses import dataclass
from urllib.parse import unquote

from flask import Request, Response

from nanoka.database import Database
from nanoka.routing import storable

PREFIX = "__Host-signin-"
LIFETIME = 600
"""Seconds from the way there to the way back."""
MOST = 5
"""Attempts that one browser may have open: a request's headers have a limit."""
LONGEST_NEXT = 500

TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")
FINISH = """
    WITH old AS (DELETE FROM sign_ins WHERE finished_at < now() - interval '1 hour')
    INSERT INTO sign_ins (state_hash) VALUES (:state_hash) ON CONFLICT DO NOTHING RETURNING true
"""


@dataclass(frozen=True)
class Attempt:
    """One attempt: three tokens of 256 random bits, where to go afterwards, and when it began (seconds since 1970)."""

    state: str
    nonce: str
    verifier: str
    next: str
    began_at: int

    @property
    def cookie(self) -> str:
        return PREFIX + self.state[:12]


def begin(next_path: str) -> Attempt:
    state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
    return Attempt(state, nonce, verifier, local_path(next_path), int(time.time()))


def remember(attempt: Attempt, request: Request, response: Response) -> None:
    """Give the attempt to the browser, in place of its oldest ones if it has too many."""
    others = sorted(filter(None, map(_read, request.cookies.values())), key=lambda other: other.began_at)
    for other in others[: max(0, len(others) - MOST + 1)]:
        forget(other, response)
    path = base64.urlsafe_b64encode(attempt.next.encode()).decode().rstrip("=")
    value = ".".join([attempt.state, attempt.nonce, attempt.verifier, str(attempt.began_at), path])
    response.set_cookie(attempt.cookie, value, max_age=LIFETIME, secure=True, httponly=True, samesite="Lax", path="/")


def recall(state: str, request: Request) -> Attempt | None:
    """This browser's attempt with that `state`, unless it began too long ago."""
    attempt = _read(request.cookies.get(PREFIX + state[:12], ""))
    if attempt is None or not hmac.compare_digest(attempt.state.encode(), state.encode("utf-8", "replace")):
        return None
    return attempt if time.time() < attempt.began_at + LIFETIME else None


def forget(attempt: Attempt, response: Response) -> None:
    response.delete_cookie(attempt.cookie, secure=True, httponly=True, samesite="Lax", path="/")


def finish(attempt: Attempt, database: Database) -> bool:
    """Note that the attempt came back; False if it did before."""
    return bool(database.run(FINISH, state_hash=hashlib.sha256(attempt.state.encode()).digest()))


def local_path(value: str) -> str:
    """`value` if it is a path of this origin in every reading, else `/`.

    Browsers take `\\` for `/`, drop tabs and line ends, and go to another host at `//`; what stands between may
    decode an address once more.
    """
    for reading in (value, unquote(value), unquote(unquote(value))):
        if not reading.startswith("/") or reading.startswith("//") or "\\" in reading:
            return "/"
        if any(character < " " or character == "\x7f" for character in reading):
            return "/"
    return value if len(value) <= LONGEST_NEXT and storable(value) else "/"


def _read(value: str) -> Attempt | None:
    """The attempt that a cookie's value stands for; None for anything else."""
    state, nonce, verifier, began_at, path = [*value.split("."), "", "", "", ""][:5]
    if not all(map(TOKEN.fullmatch, (state, nonce, verifier))) or not re.fullmatch("[0-9]{1,12}", began_at):
        return None
    try:
        next_path = base64.urlsafe_b64decode(path + "=" * (-len(path) % 4)).decode()
    except ValueError:
        return None
    return Attempt(state, nonce, verifier, local_path(next_path), int(began_at))
