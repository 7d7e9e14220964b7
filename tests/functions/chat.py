"""What an AI SDK client sends to send-message, and what it reads from the stream that answers."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import httpx

from nanoka import sessions
from tests.functions.conftest import ORIGIN, Browser, Person

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator


def read(chunks: Iterable[bytes]) -> Iterator[dict[str, Any] | str]:
    """The events of a stream as they come; comments and `[DONE]` as texts. Raises ValueError for anything else."""
    rest = b""
    for chunk in chunks:
        *blocks, rest = (rest + chunk).split(b"\n\n")
        for block in blocks:
            line = block.decode()
            if line.startswith(":"):
                yield line
            elif line == "data: [DONE]":
                yield "[DONE]"
            elif line.startswith("data: ") and "\n" not in line:
                event: dict[str, Any] = json.loads(line.removeprefix("data: "))
                yield event
            else:
                raise ValueError(f"no server-sent event of ours: {line!r}")
    if rest:
        raise ValueError(f"the stream ended within an event: {rest!r}")


@dataclass
class Answer:
    """A stream that was read to its end, or a problem."""

    status: int
    headers: dict[str, str]
    events: list[dict[str, Any]] = field(default_factory=list)
    comments: int = 0
    done: bool = False
    problem: dict[str, Any] = field(default_factory=dict)

    def add(self, event: dict[str, Any] | str) -> None:
        assert not self.done, f"{event} after [DONE]"
        if event == "[DONE]":
            self.done = True
        elif isinstance(event, str):
            self.comments += 1
        else:
            self.events.append(event)

    def all(self, kind: str) -> list[dict[str, Any]]:
        return [event for event in self.events if event["type"] == kind]

    @property
    def id(self) -> str:
        return str(self.all("start")[0]["messageId"])

    @property
    def text(self) -> str:
        return "".join(event["delta"] for event in self.all("text-delta"))

    @property
    def titles(self) -> list[str]:
        return [event["data"]["title"] for event in self.all("data-title")]

    @property
    def error(self) -> str | None:
        return next((str(event["errorText"]) for event in self.all("error")), None)

    @property
    def ending(self) -> str | None:
        """The status in `finish`; None without one."""
        return next((str(event["messageMetadata"]["status"]) for event in self.all("finish")), None)


def submission(
    text: str,
    conversation: UUID | str,
    *,
    id: UUID | str | None = None,  # noqa: A002 - the contract's name
    before: Iterable[object] = (),
    edited: object = None,
) -> dict[str, Any]:
    """The body for a new question; `before` are the ids of the messages that the client shows before it."""
    earlier = [{"id": str(id_), "role": "assistant", "parts": []} for id_ in before]
    question = {"id": str(id or uuid4()), "role": "user", "parts": [{"type": "text", "text": text}]}
    body = {"id": str(conversation), "trigger": "submit-message", "messages": [*earlier, question]}
    return body | ({"messageId": str(edited)} if edited else {})


def regeneration(conversation: UUID | str, message_id: object = None) -> dict[str, Any]:
    body = {"id": str(conversation), "trigger": "regenerate-message", "messages": []}
    return body | ({"messageId": str(message_id)} if message_id else {})


class Chat:
    """One person's client of one function in this process."""

    def __init__(self, browser: Browser) -> None:
        self.browser = browser

    def post(self, body: dict[str, Any]) -> Answer:
        response = self.browser.post("/api/messages", json=body)
        return _whole(response.status_code, dict(response.headers), response.iter_encoded(), lambda: response.json)

    def ask(self, text: str, conversation: UUID | str | None = None, **options: Any) -> Answer:
        return self.post(submission(text, conversation or uuid4(), **options))

    def regenerate(self, conversation: UUID | str, message_id: object = None) -> Answer:
        return self.post(regeneration(conversation, message_id))

    def resume(self, conversation: UUID | str) -> Answer:
        response = self.browser.get(f"/api/messages/{conversation}/stream")
        return _whole(response.status_code, dict(response.headers), response.iter_encoded(), lambda: response.json)

    def stop(self, conversation: UUID | str) -> int:
        return self.browser.post(f"/api/messages/{conversation}/stop").status_code


class RemoteChat(Chat):
    """One person's client of a function in a process of its own, over HTTP."""

    def __init__(self, address: str, person: Person, seconds: float = 60) -> None:
        headers = {"Origin": ORIGIN, "Cookie": f"{sessions.COOKIE}={person.token}"}
        self.client = httpx.Client(base_url=address, headers=headers, timeout=seconds)

    def close(self) -> None:
        self.client.close()

    def post(self, body: dict[str, Any], seen: Callable[[Answer], object] = lambda _: None) -> Answer:
        """Read a stream to its end; `seen` is called after each event, and ends the reading by returning True."""
        with self.client.stream("POST", "/api/messages", json=body) as response:
            return self._read(response, seen)

    def resume(self, conversation: UUID | str, seen: Callable[[Answer], object] = lambda _: None) -> Answer:
        with self.client.stream("GET", f"/api/messages/{conversation}/stream") as response:
            return self._read(response, seen)

    def stop(self, conversation: UUID | str) -> int:
        return self.client.post(f"/api/messages/{conversation}/stop").status_code

    @staticmethod
    def _read(response: httpx.Response, seen: Callable[[Answer], object]) -> Answer:
        answer = Answer(response.status_code, dict(response.headers))
        if response.status_code != 200:
            response.read()
            answer.problem = response.json() if response.content else {}
            return answer
        for event in read(response.iter_raw()):
            answer.add(event)
            if seen(answer) is True:
                break
        return answer


def _whole(status: int, headers: dict[str, str], chunks: Iterable[bytes], body: Callable[[], Any]) -> Answer:
    answer = Answer(status, headers)
    if status != 200:
        answer.problem = (body() or {}) if status not in (202, 204) else {}
        return answer
    for event in read(chunks):
        answer.add(event)
    return answer


def until(condition: Callable[[], object], seconds: float = 10.0, message: str = "it did not happen in time") -> None:
    """Wait until `condition()` is true."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, message
        time.sleep(0.02)
