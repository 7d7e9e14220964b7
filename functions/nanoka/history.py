"""What a person said in the last seven days: listed, found, read, renamed and deleted.

A conversation is there for as long as one of its messages lives, whatever its own row says. PostgreSQL writes the
JSON itself: reading rows and timestamps in Python first would take three times as long for a big conversation.
"""

# ruff: noqa: S608 - the SQL is put together from constants; what comes from outside is bound

import base64
import binascii
import struct
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Self
from uuid import UUID

from nanoka import liveness
from nanoka.database import Connection, Database
from nanoka.retention import alive, expires
from nanoka.times import utc_sql

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

NEWEST = f"""
    SELECT m.created_at FROM messages m WHERE m.conversation_id = c.id AND {alive("m")}
    ORDER BY m.created_at DESC LIMIT 1
"""
"""The creation of a conversation's newest living message; no row when there is none."""

MEMBERS = f"""
    'id', c.id, 'title', c.title, 'created_at', {utc_sql("c.created_at")}, 'updated_at', {utc_sql("c.updated_at")},
    'expires_at', {utc_sql(expires("newest.created_at"))}
"""

# casefold() by Unicode's own rules, whatever the database's locale; strpos() knows no wildcards. No index: a person's
# own week is found by key, and PostgreSQL's trigrams do not know words of two characters, common in Japanese.
FOUND = f"""
    AND (strpos(casefold(c.title COLLATE pg_unicode_fast), casefold(:q COLLATE pg_unicode_fast)) > 0 OR EXISTS (
        SELECT FROM messages m WHERE m.conversation_id = c.id AND {alive("m")}
        AND strpos(casefold(m.text COLLATE pg_unicode_fast), casefold(:q COLLATE pg_unicode_fast)) > 0))
"""

PAGE = f"""
    SELECT c.updated_at, c.id, json_build_object({MEMBERS})::text
    FROM conversations c CROSS JOIN LATERAL ({NEWEST}) newest
    WHERE c.user_id = :user_id AND (c.updated_at, c.id) < (:updated_at, :id) %s
    ORDER BY c.updated_at DESC, c.id DESC LIMIT :limit
"""
LIST, SEARCH = PAGE % "", PAGE % FOUND

# A parent that has expired is none, so that what is left is still a tree (or several).
DETAIL = f"""
    WITH living AS MATERIALIZED (
        SELECT m.* FROM messages m WHERE m.conversation_id = :id AND {alive("m")}
    )
    SELECT json_build_object({MEMBERS}, 'messages', newest.list)::text
    FROM conversations c CROSS JOIN (
        SELECT max(m.created_at) AS created_at, json_agg(json_build_object(
            'id', m.id, 'parent_id', parent.id, 'role', m.role, 'text', m.text, 'status', {liveness.status("m")},
            'error', {liveness.error("m")}, 'model', m.model, 'created_at', {utc_sql("m.created_at")},
            'expires_at', {utc_sql(expires("m.created_at"))}
        ) ORDER BY m.created_at, m.role DESC, m.id) AS list
        FROM living m LEFT JOIN living parent ON parent.id = m.parent_id
    ) newest
    WHERE c.id = :id AND c.user_id = :user_id AND newest.created_at IS NOT NULL
"""

RENAME = f"""
    WITH c AS (
        UPDATE conversations c SET title = :title WHERE id = :id AND user_id = :user_id AND EXISTS ({NEWEST})
        RETURNING *
    )
    SELECT json_build_object({MEMBERS})::text FROM c CROSS JOIN LATERAL ({NEWEST}) newest
"""


class CursorError(ValueError):
    """A cursor that this module never made."""


@dataclass(frozen=True)
class Cursor:
    """A place in the list: just after the conversation with this `updated_at` and `id`.

    Its text is 24 bytes as base64url (RFC 4648): microseconds since 1970 and the id. New conversations come before
    every place, so that pages neither repeat nor miss one when somebody writes in between.
    """

    updated_at: datetime
    id: UUID

    def __str__(self) -> str:
        microseconds = (self.updated_at - EPOCH) // timedelta(microseconds=1)
        return base64.urlsafe_b64encode(struct.pack(">q16s", microseconds, self.id.bytes)).decode()

    @classmethod
    def parse(cls, text: str) -> Self:
        """The cursor with this text.

        Raises:
            CursorError: there is none.
        """
        try:
            microseconds, raw = struct.unpack(">q16s", base64.b64decode(text, altchars=b"-_", validate=True))
            return cls(EPOCH + timedelta(microseconds=microseconds), UUID(bytes=raw))
        except (ValueError, binascii.Error, struct.error, OverflowError):
            raise CursorError(text) from None


def page(database: Database, user_id: UUID, *, limit: int, after: Cursor | None = None, q: str = "") -> str:
    """One page of a person's conversations as JSON: `{conversations, next_cursor}`, newest first.

    Args:
        q: only those with this in their title or in a living text; every one if it is empty.
    """
    parameters = {
        "user_id": user_id,
        "updated_at": after.updated_at if after else "infinity",
        "id": after.id if after else UUID(int=2**128 - 1),
        "limit": limit + 1,  # one more tells whether there is another page
    }
    rows = database.run(SEARCH, retry=True, q=q, **parameters) if q else database.run(LIST, retry=True, **parameters)
    items = ",".join(item for _, _, item in rows[:limit])
    cursor = f'"{Cursor(rows[limit - 1][0], rows[limit - 1][1])}"' if len(rows) > limit else "null"
    return f'{{"conversations":[{items}],"next_cursor":{cursor}}}'


def detail(database: Database, user_id: UUID, conversation_id: UUID) -> str | None:
    """A conversation with its living messages as JSON, oldest first; None if there is none for this person."""
    rows = database.run(DETAIL, retry=True, id=conversation_id, user_id=user_id)
    return rows[0][0] if rows else None


def rename(database: Database, user_id: UUID, conversation_id: UUID, title: str) -> str | None:
    """Give a conversation another title; it as JSON as listed, or None if there is none for this person."""
    rows = database.run(RENAME, retry=True, id=conversation_id, user_id=user_id, title=title)
    return rows[0][0] if rows else None


def delete(database: Database, user_id: UUID, conversation_id: UUID) -> bool:
    """Delete a conversation with its messages; whether it was there."""
    existed = False

    def work(connection: Connection) -> None:
        nonlocal existed
        # The row's lock first: whoever adds a message holds it, so none can be added in between. It is another
        # statement than those that follow so that they see what was committed while it was waited for.
        if connection.run(
            "SELECT FROM conversations WHERE id = :id AND user_id = :user_id FOR UPDATE",
            id=conversation_id,
            user_id=user_id,
        ):
            if connection.run(
                f"SELECT FROM messages m WHERE m.conversation_id = :id AND {alive('m')} LIMIT 1",
                id=conversation_id,
            ):
                existed = True  # and stays so if this is tried again, after a COMMIT whose answer was lost
            _delete(connection, [conversation_id])

    database.transaction(work, retry=True)
    return existed


def delete_all(database: Database, user_id: UUID) -> None:
    """Delete everything that a person ever wrote."""
    database.transaction(lambda connection: forget(connection, user_id), retry=True)


def forget(connection: Connection, user_id: UUID) -> None:
    """Delete all conversations of a person, in the transaction that the connection is in."""
    rows = connection.run("SELECT id FROM conversations WHERE user_id = :id ORDER BY id FOR UPDATE", id=user_id)
    if rows:
        _delete(connection, [conversation_id for (conversation_id,) in rows])


def _delete(connection: Connection, conversation_ids: list[UUID]) -> None:
    connection.run("DELETE FROM messages WHERE conversation_id = ANY(:ids)", ids=conversation_ids)
    connection.run("DELETE FROM conversations WHERE id = ANY(:ids)", ids=conversation_ids)
