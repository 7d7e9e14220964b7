"""Exports: file names and headers for any title, Markdown that holds all that was said."""

import json
import re
from urllib.parse import unquote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from nanoka import export


@given(st.text(max_size=300))
@example("../../etc/passwd")
@example("a\r\nSet-Cookie: x=1")
@example("\u202egnp.exe")
@example("." * 10)
@example("長" * 200)
def test_every_title_makes_a_safe_file_name(title: str) -> None:
    name = export.file_name(title, "md")
    assert name.endswith(".md")
    assert not name.startswith((".", " "))
    assert not re.search(r'[\x00-\x1f\x7f-\x9f"*/:<>?\\|\u202e]', name)
    assert len(name.encode()) <= 200


@given(st.text(max_size=300))
@example('"; filename=evil.exe; x="')
@example("100%25")
def test_every_file_name_makes_a_header_that_browsers_read_back(title: str) -> None:
    name = export.file_name(title, "json")
    header = export.content_disposition(name)
    assert header.isascii()
    assert header.isprintable()
    match = re.fullmatch(r"attachment; filename=\"([^\"\\%;]*)\"(?:; filename\*=UTF-8''([A-Za-z0-9%._~-]+))?", header)
    assert match
    assert (unquote(match[2]) if match[2] else match[1]) == name


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("東京の道", "東京の道.md"),
        ("a/b: c?", "a b c.md"),
        (" .hidden. ", "hidden.md"),
        ("?", "conversation.md"),
        ("", "conversation.md"),
        ("tab\tand\nline", "tab and line.md"),
    ],
)
def test_a_file_name_stays_readable(title: str, name: str) -> None:
    assert export.file_name(title, "md") == name


def test_markdown_tells_who_said_what_and_how_it_ended() -> None:
    def message(role: str, text: str, status: str = "complete", model: str | None = None) -> dict[str, object]:
        moment = "2026-01-02T03:04:05.000006Z"
        return {"role": role, "text": text, "status": status, "model": model, "created_at": moment}

    conversation = {
        "title": "Two\nlines",
        "messages": [
            message("user", "Why?"),
            message("assistant", "```py\n1\n```", "stopped", "m"),
            message("assistant", "", "failed"),
        ],
    }
    assert export.markdown(json.dumps(conversation)) == (
        "# Two lines\n\n"
        "## You · 2026-01-02 03:04 UTC\n\nWhy?\n\n"
        "## Nanoka (m) · 2026-01-02 03:04 UTC\n\n```py\n1\n```\n\n_Stopped._\n\n"
        "## Nanoka · 2026-01-02 03:04 UTC\n\n_Failed._\n"
    )
