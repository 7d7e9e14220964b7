"""A conversation as a file to keep."""

import json
import re
from urllib.parse import quote

# What file systems forbid or shells and people trip over: separators, control and direction characters, wildcards.
UNSAFE = re.compile(r'[\x00-\x1f\x7f-\x9f"*/:<>?\\|\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]+')
LONGEST_NAME = 180
"""Bytes of a name without its ending; common file systems allow 255 for all of it."""
SPEAKERS = {"user": "You", "assistant": "Nanoka"}
NOTES = {
    "streaming": "_Still being written._",
    "stopped": "_Stopped._",
    "interrupted": "_Interrupted._",
    "failed": "_Failed._",
}


def markdown(conversation: str) -> str:
    """A conversation, given as the JSON of its detail, as Markdown: a heading for each message, then its text."""
    detail = json.loads(conversation)
    title = " ".join(detail["title"].split())
    parts = [f"# {title}"]
    for message in detail["messages"]:
        speaker = SPEAKERS[message["role"]] + (f" ({message['model']})" if message["model"] else "")
        parts.append(f"## {speaker} · {message['created_at'][:16].replace('T', ' ')} UTC")
        parts += [part for part in (message["text"], NOTES.get(message["status"])) if part]
    return "\n\n".join(parts) + "\n"


def title_of(conversation: str) -> str:
    """The title in the JSON of a conversation's detail."""
    title: str = json.loads(conversation)["title"]
    return title


def file_name(title: str, ending: str) -> str:
    """A file name from a title, in any script, that every common file system takes."""
    name = UNSAFE.sub(" ", title)
    name = name.encode("utf-8", "ignore")[:LONGEST_NAME].decode("utf-8", "ignore")
    # Spaces and dots at the ends are hidden files, or lost on Windows.
    name = " ".join(name.split()).strip(". ")
    return f"{name or 'conversation'}.{ending}"


def content_disposition(name: str) -> str:
    """The header that makes an answer a download under `name` (RFC 6266, with RFC 8187 for what is not ASCII)."""
    plain = re.sub(r"[^\x20-\x7e]+|[%;\\\"]", "_", name)
    if plain == name:
        return f'attachment; filename="{name}"'
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
