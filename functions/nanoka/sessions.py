"""Who is asking: sessions as random tokens in a cookie, kept in the database as hashes only.

A session ends 7 days after its last request and 30 days after sign-in.
"""

import hashlib
import secrets
from dataclasses import dataclass
from uuid import UUID

from flask import Request, Response

from nanoka import logs
from nanoka.database import Connection, Database
from nanoka.problems import Problem

COOKIE = "__Host-nanoka"
LONGEST = 30 * 24 * 3600
"""Seconds after which a session ends in any case."""

VALID = "s.created_at > now() - interval '30 days' AND s.last_used_at > now() - interval '7 days'"

FIND = f"""
    SELECT u.id, u.email, u.name, u.picture, s.last_used_at < now() - interval '1 minute'
    FROM sessions s JOIN users u ON u.id = s.user_id
    WHERE s.token_hash = :token_hash AND {VALID}
"""  # noqa: S608 - constants of ours

# Not at every request: a write for each read would cost more than the minute is worth.
TOUCH = "UPDATE sessions SET last_used_at = now() WHERE token_hash = :token_hash"


@dataclass(frozen=True)
class User:
    id: UUID
    email: str
    name: str
    picture: str | None


def digest(token: str) -> bytes:
    """What the database knows of a cookie's value: its SHA-256."""
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()


def require_user(database: Database, request: Request) -> User:
    """The person whose session the request carries.

    Raises:
        Problem: 401 without a valid session.
    """
    token = request.cookies.get(COOKIE)
    if token:
        token_hash = digest(token)
        rows = database.run(FIND, retry=True, token_hash=token_hash)
        if rows:
            user_id, email, name, picture, stale = rows[0]
            if stale:
                database.run(TOUCH, retry=True, token_hash=token_hash)
            logs.bind(user_id=str(user_id))
            return User(user_id, email, name, picture)
    raise signed_out()


def signed_out() -> Problem:
    return Problem(401, "Please sign in.")


def renew(connection: Connection, user_id: UUID, old: str | None) -> str:
    """A new session in place of the browser's `old` one, whosever it was; its token (see `create`)."""
    if old:
        connection.run("DELETE FROM sessions WHERE token_hash = :token_hash", token_hash=digest(old))
    return create(connection, user_id)


def create(connection: Connection, user_id: UUID) -> str:
    """Store a new session of a person and return its token: 256 random bits, base64url."""
    token = secrets.token_urlsafe(32)
    connection.run(
        "INSERT INTO sessions (token_hash, user_id) VALUES (:token_hash, :user_id)",
        token_hash=digest(token),
        user_id=user_id,
    )
    return token


def delete(database: Database, token: str) -> None:
    database.run("DELETE FROM sessions WHERE token_hash = :token_hash", retry=True, token_hash=digest(token))


def set_cookie(response: Response, token: str) -> None:
    response.set_cookie(COOKIE, token, max_age=LONGEST, secure=True, httponly=True, samesite="Lax", path="/")


def clear_cookie(response: Response) -> None:
    response.delete_cookie(COOKIE, secure=True, httponly=True, samesite="Lax", path="/")
