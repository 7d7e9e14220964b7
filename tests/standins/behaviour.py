"""How a stand-in of a chat model answers one request: as told in the question itself, or over its control route.

A question may hold one directive in double square brackets, e.g. `[[rate=20 words=200 cut=50]]`. Its keys:

========== ===========================================================================================
rate       tokens a second; 0 (the default unless the program was started with --rate) is all at once
first      seconds until the first token
words      the answer has so many words, one a token
size       the answer has so many characters
text       the answer itself; `_` stands for a space
stall      `SECONDS@TOKENS`: says nothing for so long after so many tokens
cut        the connection breaks after so many tokens
status     the request is refused with this HTTP status
retry      the refusal's Retry-After header
block      `prompt`: the question is refused by the safety filter; `answer`: the answer is, midway
finish     the reason given for the end, in OpenAI's words: stop, length
empty      the answer has no text
========== ===========================================================================================

A request for a title is known by the word "title" in its system message. It obeys only keys that begin with
`title.`, e.g. `[[title.status=500]]`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, fields, replace
from typing import Any

DIRECTIVE = re.compile(r"\[\[([^\]]*)\]\]")
VOCABULARY = re.findall(
    r"\w+",
    "A week has seven days and each of them is long enough to ask one more question of somebody who listens "
    "and then to forget the answer while the river that carries both goes on to the sea without a word",
)
TITLE = "Seven quiet days"


@dataclass(frozen=True)
class Behaviour:
    """What the stand-in does with a request. See the module's table."""

    rate: float = 0.0
    first: float = 0.0
    words: int = 24
    size: int = 0
    text: str = ""
    stall: float = 0.0
    stall_after: int = 0
    cut: int | None = None
    status: int = 200
    retry: str = ""
    block: str = ""
    finish: str = "stop"
    empty: bool = False

    def tokens(self, question: str) -> list[str]:
        """The answer in the pieces in which it is sent."""
        if self.empty or self.block == "prompt":
            return []
        if self.text:
            return re.findall(r"\S+\s*|\s+", self.text)
        if self.size:
            line = " ".join(VOCABULARY) + "\n\n"
            text = (line * (self.size // len(line) + 1))[: self.size]
            return [text[start : start + 64] for start in range(0, len(text), 64)]
        opening = DIRECTIVE.sub("", question).split()[:8]
        spoken = ["You", "said:", *opening, "–"] + VOCABULARY * (self.words // len(VOCABULARY) + 1)
        return [word if index == 0 else f" {word}" for index, word in enumerate(spoken[: self.words])]

    def changed(self, changes: dict[str, str]) -> Behaviour:
        """The same with some keys of a directive. Raises ValueError for an unknown key or value."""
        kinds = {field.name: field.type for field in fields(self)}
        values: dict[str, Any] = {}
        for key, value in changes.items():
            if key == "stall":
                seconds, _, after = value.partition("@")
                values |= {"stall": float(seconds), "stall_after": int(after or 0)}
            elif key not in kinds:
                raise ValueError(f"unknown key {key!r}")
            elif kinds[key] == "float":
                values[key] = float(value)
            elif kinds[key].startswith("int"):
                values[key] = int(value)
            elif kinds[key] == "bool":
                values[key] = value != "0"
            else:
                values[key] = value.replace("_", " ")
        return replace(self, **values)


def chosen(default: Behaviour, system: str, question: str) -> tuple[Behaviour, bool]:
    """How to answer a request with this system message and last question; and whether it asks for a title."""
    title = "title" in system.lower()
    found = DIRECTIVE.search(question)
    keys = dict(part.partition("=")[::2] for part in found.group(1).split()) if found else {}
    wanted = {key.removeprefix("title."): value for key, value in keys.items() if key.startswith("title.") == title}
    return (Behaviour(text=TITLE) if title else default).changed(wanted), title
