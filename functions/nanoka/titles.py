"""A conversation's title: at once from the question's first words, then a better one by the model."""

import re
from contextlib import aclosing
from typing import TYPE_CHECKING

from nanoka.chat_model import chunks

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

LONGEST = 60
"""Characters of a title that we give; a person's own may have 200."""
QUESTION_CHARACTERS = 1_000
"""How much of the question the model is shown: a small model on two cores reads about so much in a second."""
PROMPT = (
    "Write a short title, at most six words, for a conversation that begins with the message below. "
    "Use the language of the message. Answer with the title alone: no quotes, no full stop, no explanation."
)
_QUOTES = "\"'`“”‘’«»「」『』*_# "
_LIST_MARK = re.compile(r"^(?:[-+*•・>]|\d{1,2}[.)])\s+")
_LABEL = re.compile(r"^\W*(title|タイトル)\s*[:：]\s*", re.IGNORECASE)


def from_words(question: str) -> str:
    """A question's first words, cut between words where it has any."""
    words = " ".join(question.split())
    if len(words) <= LONGEST:
        return words
    head = words[:LONGEST].rpartition(" ")[0]
    return (head if len(head) > LONGEST // 2 else words[: LONGEST - 1]) + "…"


def cleaned(answer: str) -> str:
    """The title in a model's answer, or "" if there is none: a line that is too long is no title, but an answer."""
    first = next((line for line in answer.splitlines() if line.strip()), "")
    first = _LABEL.sub("", _LIST_MARK.sub("", first.strip()))
    title = " ".join(_LIST_MARK.sub("", first.strip(_QUOTES)).rstrip(".。").split())
    return title if len(title) <= LONGEST else ""


async def suggest(model: "BaseChatModel", question: str) -> str:
    """Ask the model for a title; "" if it has none to give. Raises whatever the model's client raises."""
    from langchain_core.messages import HumanMessage, SystemMessage  # noqa: PLC0415 - loaded with the model

    shown = question[:QUESTION_CHARACTERS]
    text = ""
    async with aclosing(chunks(model, [SystemMessage(PROMPT), HumanMessage(shown)])) as stream:
        async for chunk in stream:
            text += str(chunk.text)
            # Small models talk on: read no further than a title can reach.
            if "\n" in text.lstrip() or len(text) > 2 * LONGEST:
                break
    return cleaned(text)
