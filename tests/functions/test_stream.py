"""The stream protocol's frames, byte for byte and for any text."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from nanoka import stream
from tests.functions.chat import read

TEXT = st.text(st.characters(codec="utf-8"))


def events(frames: bytes) -> list[Any]:
    return list(read([frames]))


def test_a_whole_answer() -> None:
    metadata = {"status": "complete", "model": "m", "created_at": "a", "expires_at": "b"}
    frames = (
        stream.start("id")
        + stream.title("Title")
        + stream.text_start()
        + stream.delta("Hello")
        + stream.KEEP_ALIVE
        + stream.text_end()
        + stream.finish("stop", metadata)
    )
    assert events(frames) == [
        {"type": "start", "messageId": "id"},
        {"type": "start-step"},
        {"type": "data-title", "data": {"title": "Title"}, "transient": True},
        {"type": "text-start", "id": "text"},
        {"type": "text-delta", "id": "text", "delta": "Hello"},
        ": keep-alive",
        {"type": "text-end", "id": "text"},
        {"type": "finish-step"},
        {"type": "finish", "finishReason": "stop", "messageMetadata": metadata},
        "[DONE]",
    ]


def test_an_error_ends_the_stream() -> None:
    assert events(stream.error("Why")) == [{"type": "error", "errorText": "Why"}, "[DONE]"]


@given(TEXT)
def test_any_text_is_one_frame(text: str) -> None:
    for frame in (stream.delta(text), stream.title(text), stream.error(text).removesuffix(stream.DONE)):
        assert frame.startswith(b"data: ")
        assert frame.endswith(b"\n\n")
        assert frame.count(b"\n") == 2
    assert json.loads(stream.delta(text)[6:])["delta"] == text


@given(st.lists(TEXT), st.integers(1, 40))
def test_deltas_join_to_the_text_however_they_are_cut(texts: list[str], size: int) -> None:
    frames = b"".join(stream.delta(text) for text in texts)
    cut = [frames[start : start + size] for start in range(0, len(frames), size)]
    assert "".join(event["delta"] for event in read(cut) if isinstance(event, dict)) == "".join(texts)
