"""The UI message stream protocol, version 1: what the AI SDK's clients read, as server-sent events.

A frame is `data: <json>` and an empty line (WHATWG HTML, 9.2). The order of a whole answer is `start`,
`start-step`, `text-start`, `text-delta`…, `text-end`, `finish-step`, `finish`, `[DONE]`; `error` takes the place
of `finish-step` and `finish`, and an answer without a word has no text at all. A client takes an unknown type, or
a delta without its start, for an error.
"""

import json
from typing import Any

HEADERS = {
    "Content-Type": "text/event-stream; charset=utf-8",
    "Cache-Control": "no-cache, no-transform",
    "X-Vercel-AI-UI-Message-Stream": "v1",
    "X-Accel-Buffering": "no",
}
KEEP_ALIVE = b": keep-alive\n\n"
DONE = b"data: [DONE]\n\n"
TEXT_ID = "text"
"""The id of the one text part that a message of ours has; it counts within its message only."""

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_DELTA = f'data: {{"type":"text-delta","id":"{TEXT_ID}","delta":'


def frame(kind: str, **members: Any) -> bytes:
    """One event. Text must be free of lone surrogates, which have no UTF-8."""
    return f"data: {_encode({'type': kind, **members})}\n\n".encode()


def start(message_id: str) -> bytes:
    """The beginning of an answer."""
    return frame("start", messageId=message_id) + frame("start-step")


def text_start() -> bytes:
    return frame("text-start", id=TEXT_ID)


def text_end() -> bytes:
    return frame("text-end", id=TEXT_ID)


def delta(text: str) -> bytes:
    """A piece of the answer's text."""
    return f"{_DELTA}{_encode(text)}}}\n\n".encode()


def title(text: str) -> bytes:
    """The conversation's title: transient, so that clients do not keep it with the message."""
    return frame("data-title", data={"title": text}, transient=True)


def finish(reason: str, metadata: dict[str, str]) -> bytes:
    """The proof that the answer is whole. `reason` is `stop`, `length`, `content-filter` or `other`."""
    return frame("finish-step") + frame("finish", finishReason=reason, messageMetadata=metadata) + DONE


def error(text: str) -> bytes:
    """The end of an answer that did not become whole; `text` is shown to people as it is."""
    return frame("error", errorText=text) + DONE
