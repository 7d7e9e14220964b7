"""What the model is told: its instructions, then the conversation from its root to the question, as far as it fits.

Tokens are estimated from UTF-8 length, three bytes each: about right for Japanese (a character a token) and a
quarter too many for English (four letters a token), so that the estimate errs on the side that fits, for any
model and without its tokenizer.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

BYTES_PER_TOKEN = 3
MESSAGE_TOKENS = 4
"""What a message costs beside its text: its role and the marks around it."""


@dataclass(frozen=True)
class Message:
    """A message of the tree; `size` is its text's length in bytes of UTF-8."""

    id: str
    parent_id: str | None
    role: str
    size: int


def tokens(size: int) -> int:
    """The estimated tokens of a message whose text has `size` bytes."""
    return -(-size // BYTES_PER_TOKEN) + MESSAGE_TOKENS


def path(messages: Mapping[str, Message], leaf: str | None) -> list[Message]:
    """The messages from the root to `leaf`, oldest first; a parent that is not there (any more) ends it."""
    result: list[Message] = []
    seen: set[str] = set()
    while leaf is not None and leaf in messages and leaf not in seen:
        seen.add(leaf)
        result.append(messages[leaf])
        leaf = messages[leaf].parent_id
    return result[::-1]


def fitting(before: Sequence[Message], budget: int) -> list[Message]:
    """The newest of `before` that fit into `budget` tokens together, without a gap, beginning with a question."""
    kept: list[Message] = []
    for message in reversed(before):
        if message.size == 0:
            continue  # an answer that failed before its first word: models refuse empty messages
        budget -= tokens(message.size)
        if budget < 0:
            break
        kept.append(message)
    while kept and kept[-1].role != "user":
        kept.pop()
    return kept[::-1]


def budget(limit: int, fixed: Iterable[str]) -> int:
    """What is left of `limit` tokens for earlier messages beside texts that are never cut."""
    return limit - sum(tokens(len(text.encode())) for text in fixed)
