"""Answers as rows of `messages`: begun with their question in one transaction, saved while they grow, ended once.

An answer is `streaming` from its first row on and ends as `complete`, `stopped`, `failed` or `interrupted`. Who
writes it gives a sign of life with every save; see `liveness` for what happens without.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

from pg8000.exceptions import DatabaseError

from nanoka import context
from nanoka.context import Message
from nanoka.database import Connection, Database, sqlstate
from nanoka.liveness import dead, error, status
from nanoka.problems import Problem, unknown_conversation
from nanoka.questions import Regenerate, Submit
from nanoka.retention import alive, expires
from nanoka.sessions import signed_out
from nanoka.times import utc_sql


@dataclass(frozen=True)
class Key:
    """Where an answer's row is; `created_at` leads to its partition. The times are as history shows them."""

    conversation_id: UUID
    id: UUID
    created_at: str
    expires_at: str
    model: str


@dataclass(frozen=True)
class Begun:
    """An answer that is now to be written. `history` is (role, text) from the root to the question."""

    key: Key
    title: str
    untitled: bool
    history: list[tuple[str, str]] = field(repr=False)


@dataclass
class State:
    """What is stored of an answer: `text` from the offset that was asked for."""

    text: str
    status: str
    error: str | None
    title: str


NO_SUCH_USER = "23503"
"""PostgreSQL's code for a row that refers to one that is not there."""

# The row's lock is what keeps two requests in one conversation apart; of somebody else's row nothing is said.
_CREATE = """
    INSERT INTO conversations (id, user_id, title) VALUES (:conversation, :user, :title)
    ON CONFLICT (id) DO UPDATE SET title = conversations.title WHERE conversations.user_id = :user
    RETURNING title
"""
_LOCK = "SELECT title FROM conversations WHERE id = :conversation AND user_id = :user FOR UPDATE"

# Everything that decides what happens, without the texts: as one JSON value, which pg8000 reads 4 times as fast.
_TREE = f"""
    SELECT json_agg(json_build_array(m.id, m.parent_id, m.role, octet_length(m.text), {status("m")}, {dead("m")},
        CASE WHEN m.id = :question THEN m.text = :text END) ORDER BY m.created_at)::text
    FROM messages m WHERE m.conversation_id = :conversation AND {alive("m")}
"""  # noqa: S608 - constants of ours
_BURY = f"""
    UPDATE messages m SET error = {error("m")}, status = {status("m")}
    WHERE m.conversation_id = :conversation AND {dead("m")} AND {alive("m")}
"""  # noqa: S608
_TEXTS = f"""
    SELECT json_object_agg(m.id, m.text)::text FROM messages m
    WHERE m.conversation_id = :conversation AND m.id = ANY(CAST(:told AS uuid[])) AND {alive("m")}
"""  # noqa: S608
_WRITE = f"""
    WITH moved AS (
        UPDATE conversations SET
            updated_at = greatest(now(), updated_at) + interval '2 microseconds',
            title = CASE WHEN :fresh THEN :title ELSE title END,
            created_at = CASE WHEN :fresh THEN now() ELSE created_at END
        WHERE id = :conversation
        RETURNING title, updated_at, updated_at - interval '1 microsecond' AS asked_at
    ), asked AS (
        INSERT INTO messages (conversation_id, created_at, id, parent_id, role, text)
        SELECT :conversation, asked_at, :question, :parent, 'user', :text FROM moved WHERE :new_question
    ), answer AS (
        INSERT INTO messages (conversation_id, created_at, id, parent_id, role, status, model)
        SELECT :conversation, updated_at, :answer, :question, 'assistant', 'streaming', :model FROM moved
    )
    SELECT :answer::uuid, {utc_sql("updated_at")}, {utc_sql(expires("updated_at"))}, :model, title, ({_TEXTS})
    FROM moved
"""  # noqa: S608
_FIND = f"""
    SELECT m.id, {utc_sql("m.created_at")}, {utc_sql(expires("m.created_at"))}, m.model
    FROM messages m WHERE m.conversation_id = :conversation AND m.id = :answer AND {alive("m")}
    ORDER BY m.created_at DESC LIMIT 1
"""  # noqa: S608
_RUNNING = f"""
    SELECT m.id, {utc_sql("m.created_at")}, {utc_sql(expires("m.created_at"))}, m.model
    FROM conversations c LEFT JOIN LATERAL (
        SELECT * FROM messages m WHERE m.conversation_id = c.id AND m.status = 'streaming' AND NOT {dead("m")}
        AND {alive("m")} ORDER BY m.created_at DESC LIMIT 1
    ) m ON true
    WHERE c.id = :conversation AND c.user_id = :user
        AND EXISTS (SELECT FROM messages m WHERE m.conversation_id = c.id AND {alive("m")})
"""  # noqa: S608
_READ = f"""
    SELECT substr(m.text, :offset + 1), {status("m")}, {error("m")}, c.title
    FROM messages m JOIN conversations c ON c.id = m.conversation_id
    WHERE m.conversation_id = :conversation AND m.created_at = :created_at AND m.id = :answer
"""  # noqa: S608
_STOP = """
    UPDATE messages SET stop_requested = true
    WHERE conversation_id = :conversation AND created_at = :created_at AND id = :answer
"""
# The text grows by its tail only, at a place that is told: a save that happened unheard may be sent again. The bounds
# leave all partitions aside but one or two.
_SAVE = """
    UPDATE messages m SET text = left(m.text, v.kept) || v.tail, status = v.status, error = v.error, saved_at = now()
    FROM json_to_recordset(CAST(:rows AS json)) AS v(conversation_id uuid, created_at timestamptz, id uuid,
        kept integer, tail text, status text, error text)
    WHERE m.conversation_id = v.conversation_id AND m.created_at = v.created_at AND m.id = v.id
        AND m.created_at BETWEEN :oldest AND :newest AND m.status IN ('streaming', v.status)
    RETURNING m.id::text, m.stop_requested
"""
_RETITLE = """
    UPDATE conversations SET title = CASE WHEN title = :old THEN :new ELSE title END
    WHERE id = :conversation RETURNING title
"""


class _Tree:
    """The living messages of a conversation, as they are under its lock."""

    def __init__(self, encoded: str | None) -> None:
        self.messages: dict[str, Message] = {}
        self.running = False
        self.dead = False
        self.same_text: bool | None = None
        for id_, parent_id, role, size, now, lost, same in json.loads(encoded or "[]"):
            self.messages[id_] = Message(id_, parent_id, role, size)
            self.running |= now == "streaming"
            self.dead |= lost
            if same is not None:
                self.same_text = same

    def get(self, id_: UUID | None) -> Message | None:
        return self.messages.get(str(id_))

    def newest(self, **wanted: str) -> Message | None:
        """The newest message whose attributes are as wanted."""
        for message in reversed(self.messages.values()):
            if all(getattr(message, name) == value for name, value in wanted.items()):
                return message
        return None


def begin(
    database: Database, user_id: UUID, ask: Submit | Regenerate, *, model: str, title: str, budget: int
) -> Begun | Key:
    """Store a question and its empty answer; or find the answer that a retry asks for.

    Args:
        title: what a new conversation is called at first.
        budget: tokens of earlier messages that the model is told, the question aside.

    Raises:
        Problem: 404 for somebody else's conversation, 409 while an answer is being written or for an id that is
            taken, 422 for a `messageId` that names nothing to edit or regenerate.
    """

    answer = uuid4()  # the same at every try: what a try committed whose end was not heard is known by it

    def work(connection: Connection) -> Begun | Key:
        submit = ask if isinstance(ask, Submit) else None
        title_now = _lock(connection, user_id, ask, title)
        tree = _Tree(
            connection.run(
                _TREE,
                conversation=ask.conversation_id,
                question=submit and submit.id,
                text=submit and submit.text,
            )[0][0]
        )
        if (mine := tree.get(answer)) is not None:
            told = _told(tree, mine.parent_id, budget)
            found = connection.run(_FIND, conversation=ask.conversation_id, answer=answer)[0]
            texts = connection.run(_TEXTS, conversation=ask.conversation_id, told=told)[0][0]
            return Begun(
                Key(ask.conversation_id, *found), title_now, len(tree.messages) == 2, _history(tree, told, texts)
            )
        if submit and (there := tree.get(submit.id)) is not None:
            return _retried(connection, tree, there, ask.conversation_id)
        if isinstance(ask, Submit):
            question, parent = str(ask.id), _parent(tree, ask)
        else:
            question, parent = _regenerated(tree, ask), None
        if tree.running:
            raise Problem(409, "An answer is still being written in this conversation. Wait for its end, or stop it.")
        if tree.dead:
            connection.run(_BURY, conversation=ask.conversation_id)
        untitled = not tree.messages
        if submit:
            tree.messages[question] = Message(question, parent, "user", len(submit.text.encode()))
        told = _told(tree, question, budget)
        *key, title_now, texts = connection.run(
            _WRITE,
            conversation=ask.conversation_id,
            question=question,
            parent=parent,
            text=submit and submit.text,
            new_question=submit is not None,
            answer=answer,
            model=model,
            fresh=untitled,
            title=title,
            told=told,
        )[0]
        own = {question: submit.text} if submit else {}
        return Begun(Key(ask.conversation_id, *key), title_now, untitled, _history(tree, told, texts, own))

    return database.transaction(work, retry=True)


def _lock(connection: Connection, user_id: UUID, ask: Submit | Regenerate, title: str) -> str:
    """Lock the conversation's row, creating it for a question; its title."""
    if isinstance(ask, Submit):
        try:
            rows = connection.run(_CREATE, conversation=ask.conversation_id, user=user_id, title=title)
        except DatabaseError as error:
            if sqlstate(error) == NO_SUCH_USER:  # the account was deleted just now
                raise signed_out() from None
            raise
    else:
        rows = connection.run(_LOCK, conversation=ask.conversation_id, user=user_id)
    if not rows:
        raise unknown_conversation()
    return str(rows[0][0])


def _told(tree: _Tree, question: str | None, budget: int) -> list[str]:
    """What the model is told: the question whole, and of what led to it as much as fits."""
    *before, last = context.path(tree.messages, question)
    fitting = context.fitting(before, budget - context.tokens(last.size))
    return [*(message.id for message in fitting), last.id]


def _history(
    tree: _Tree, told: list[str], encoded: str | None, more: dict[str, str] | None = None
) -> list[tuple[str, str]]:
    texts = json.loads(encoded or "{}") | (more or {})
    return [(tree.messages[id_].role, texts[id_]) for id_ in told if id_ in texts]


def _retried(connection: Connection, tree: _Tree, existing: Message, conversation: UUID) -> Key:
    """The answer that a question got when it was sent before."""
    if existing.role != "user" or not tree.same_text:
        raise Problem(409, "A message with this id is already there, and it says something else.")
    answer = tree.newest(role="assistant", parent_id=existing.id)
    if answer is None:
        raise Problem(409, "A message with this id is already there, and it has no answer any more.")
    return Key(conversation, *connection.run(_FIND, conversation=conversation, answer=answer.id)[0])


def _parent(tree: _Tree, ask: Submit) -> str | None:
    """The message that a new question follows."""
    if ask.edited is not None:
        if not tree.messages:
            raise unknown_conversation()
        edited = tree.get(ask.edited)
        if edited is None or edited.role != "user":
            raise Problem(422, "messageId names no question of this conversation.", field="messageId")
        return edited.parent_id
    before = tree.get(ask.after) or tree.newest()
    return before.id if before else None


def _regenerated(tree: _Tree, ask: Regenerate) -> str:
    """The question that is to be answered anew."""
    if not tree.messages:
        raise unknown_conversation()
    named = tree.get(ask.message_id) if ask.message_id else tree.newest(role="user")
    if named is not None and named.role == "assistant":
        named = tree.messages.get(named.parent_id or "")
    if named is None:
        raise Problem(422, "messageId names no message of this conversation.", field="messageId")
    return named.id


def running(database: Database, user_id: UUID, conversation_id: UUID) -> Key | None:
    """The answer that is being written in a conversation. Raises Problem 404 if the person has no such one."""
    rows = database.run(_RUNNING, retry=True, conversation=conversation_id, user=user_id)
    if not rows:
        raise unknown_conversation()
    return Key(conversation_id, *rows[0]) if rows[0][0] is not None else None


def request_stop(database: Database, user_id: UUID, conversation_id: UUID) -> Key | None:
    """Leave word for whoever writes the conversation's answer, which is returned. Raises as `running` does."""
    key = running(database, user_id, conversation_id)
    if key is not None:
        database.run(_STOP, retry=True, conversation=conversation_id, created_at=key.created_at, answer=key.id)
    return key


def read(database: Database, key: Key, offset: int) -> State | None:
    """What is stored of an answer, its text from `offset` characters on; None if it is gone."""
    rows = database.run(
        _READ, retry=True, conversation=key.conversation_id, created_at=key.created_at, answer=key.id, offset=offset
    )
    return State(*rows[0]) if rows else None


def save(database: Database, rows: Iterable[dict[str, Any]]) -> dict[str, bool]:
    """Save answers as far as they are written: their text, their state, and a sign of life.

    Args:
        rows: `conversation_id`, `created_at`, `id`, `kept` (characters already saved), `tail` (those to add),
            `status` and `error` of each.

    Returns:
        By id, whether somebody asked for a stop; ids that are missing have lost their row, or their right to it.
    """
    rows = list(rows)
    if not rows:
        return {}
    times = [row["created_at"] for row in rows]
    encoded = json.dumps(rows, ensure_ascii=False)
    saved = database.run(_SAVE, retry=True, rows=encoded, oldest=min(times), newest=max(times))
    return {str(id_): bool(stop) for id_, stop in saved}


def retitle(database: Database, conversation_id: UUID, old: str, new: str) -> str | None:
    """Change a conversation's title if it is still `old`; what it is called now, None if it is gone."""
    rows = database.run(_RETITLE, retry=True, conversation=conversation_id, old=old, new=new)
    return str(rows[0][0]) if rows else None
