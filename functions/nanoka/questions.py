"""What a client may ask of `POST /api/messages`: the AI SDK's request, of which only little is believed."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from nanoka.problems import Problem
from nanoka.routing import identifier, storable

LONGEST = 32_000
"""Characters that a question may have."""


@dataclass(frozen=True)
class Submit:
    """A new question. `after` is the message that the client shows before it, `edited` the one it replaces."""

    conversation_id: UUID
    id: UUID
    text: str
    after: UUID | None
    edited: UUID | None


@dataclass(frozen=True)
class Regenerate:
    """Another answer to the question that `message_id` is or belongs to; without it, to the last one."""

    conversation_id: UUID
    message_id: UUID | None


def parse(body: dict[str, Any]) -> Submit | Regenerate:
    """What a request's body asks for. Raises Problem 422 with the field at fault."""
    conversation_id = identifier(body.get("id"), "id")
    trigger = body.get("trigger")
    if trigger not in ("submit-message", "regenerate-message"):
        raise Problem(422, "trigger must be submit-message or regenerate-message.", field="trigger")
    named = body.get("messageId")
    message_id = None if named is None else identifier(named, "messageId")
    messages = body.get("messages")
    if not isinstance(messages, list):
        raise Problem(422, "messages must be a list.", field="messages")
    if trigger == "regenerate-message":
        return Regenerate(conversation_id, message_id)
    index = _last_question(messages)
    at = f"messages[{index}]"
    text = _text(messages[index], f"{at}.parts")
    return Submit(
        conversation_id, identifier(messages[index].get("id"), f"{at}.id"), text, _id(messages, index - 1), message_id
    )


def _last_question(messages: list[Any]) -> int:
    for index in range(len(messages) - 1, -1, -1):
        if isinstance(messages[index], dict) and messages[index].get("role") == "user":
            return index
    raise Problem(422, "messages holds no message of the role user.", field="messages")


def _id(messages: list[Any], index: int) -> UUID | None:
    """The id of an earlier message; what is no id of ours names no message of ours."""
    if index < 0 or not isinstance(messages[index], dict):
        return None
    try:
        return identifier(messages[index].get("id"), "id")
    except Problem:
        return None


def _text(message: dict[str, Any], field: str) -> str:
    """The text of a message's text parts; other parts are not for us."""
    parts = message.get("parts")
    if not isinstance(parts, list) or not all(isinstance(part, dict) for part in parts):
        raise Problem(422, "A message's parts must be a list of objects.", field=field)
    texts = [part.get("text") for part in parts if part.get("type") == "text"]
    if not all(isinstance(text, str) for text in texts):
        raise Problem(422, "A text part's text must be a string.", field=field)
    text = "".join(texts)
    if not text.strip():
        raise Problem(422, "The question is empty.", field=field)
    if len(text) > LONGEST:
        raise Problem(422, f"The question is longer than {LONGEST:,} characters.", field=field)
    if not storable(text):
        raise Problem(422, "The question holds characters that no text may have (NUL or half a pair).", field=field)
    return text
