"""Vertex AI's REST interface for Gemini models (`…:streamGenerateContent`, `…:generateContent`), scriptable.

google-genai asks for server-sent events (`?alt=sse`), langchain-google-vertexai for a JSON array; both meet the same
behaviour, which a question chooses as written in `behaviour`. A filtered prompt answers with `promptFeedback` and no
candidate, a filtered answer ends with the finish reason SAFETY; neither is an HTTP error. The Gemini Developer API's
paths (`/v1beta/models/…`) are served too.
"""

from __future__ import annotations

import asyncio
import json
import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.standins.behaviour import Behaviour, chosen
from tests.standins.http import Reply, Request, Server

METHOD = re.compile(r"/models/(?P<model>[^/:]+):(?P<method>streamGenerateContent|generateContent)$")
STATUS = {400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED", 404: "NOT_FOUND"}
STATUS |= {429: "RESOURCE_EXHAUSTED", 500: "INTERNAL", 503: "UNAVAILABLE", 504: "DEADLINE_EXCEEDED"}


class Vertex(Server):
    """The stand-in. `requests` holds what it was asked, `behaviour` is what it does without a directive."""

    def __init__(self, port: int = 0, behaviour: Behaviour | None = None) -> None:
        super().__init__(self._handle, port)
        self.behaviour = behaviour or Behaviour()
        self.requests: list[dict[str, Any]] = []

    async def _handle(self, request: Request, reply: Reply) -> None:
        address = urlsplit(request.path)
        found = METHOD.search(address.path)
        if found is None or request.method != "POST":
            await reply.whole(404, _error(404))
            return
        body = request.json()
        contents = [(content.get("role", "user"), _text(content)) for content in body["contents"]]
        system = _text(body.get("systemInstruction") or {})
        question = next((text for role, text in reversed(contents) if role == "user"), "")
        behaviour, title = chosen(self.behaviour, system, question)
        self.requests.append(
            {"title": title, "system": system, "messages": contents, "body": body, "headers": request.headers}
        )
        if behaviour.status != 200:
            headers = {"retry-after": behaviour.retry} if behaviour.retry else {}
            await reply.whole(behaviour.status, _error(behaviour.status), headers)
            return
        await asyncio.sleep(behaviour.first)
        chunks = _chunks(behaviour, question, found["model"])
        if found["method"] == "generateContent":
            await reply.whole(
                200, chunks[-1] | {"candidates": [_candidate("".join(behaviour.tokens(question)), "STOP")]}
            )
        else:
            await _stream(behaviour, chunks, "sse" in parse_qs(address.query).get("alt", []), reply)


async def _stream(behaviour: Behaviour, chunks: list[dict[str, Any]], events: bool, reply: Reply) -> None:
    reply.begin("text/event-stream" if events else "application/json")
    loop = asyncio.get_running_loop()
    due = loop.time()
    for index, chunk in enumerate(chunks):
        if behaviour.cut == index:
            reply.break_off()
            return
        if behaviour.stall and behaviour.stall_after == index:
            await asyncio.sleep(behaviour.stall)
            due = loop.time()
        if behaviour.rate and (wait := due - loop.time()) > 0:
            await asyncio.sleep(wait)
        due += 1 / behaviour.rate if behaviour.rate else 0
        encoded = json.dumps(chunk)
        await reply.piece(
            f"data: {encoded}\r\n\r\n".encode() if events else f"{',' if index else '['}{encoded}".encode()
        )
    if not events:
        await reply.piece(b"]")
    reply.end()


def _chunks(behaviour: Behaviour, question: str, model: str) -> list[dict[str, Any]]:
    """The responses of a stream: one for each token, the last with the reason for the end and the counts."""
    asked = len(question.split())
    if behaviour.block == "prompt":
        feedback = {"blockReason": "PROHIBITED_CONTENT", "blockReasonMessage": "The prompt was blocked."}
        return [{"promptFeedback": feedback, "usageMetadata": {"promptTokenCount": asked}}]
    tokens = behaviour.tokens(question)
    chunks: list[dict[str, Any]] = [
        {"candidates": [_candidate(token)], "modelVersion": model, "responseId": "standin"} for token in tokens
    ]
    reason = "SAFETY" if behaviour.block else {"length": "MAX_TOKENS"}.get(behaviour.finish, "STOP")
    counts = {"promptTokenCount": asked, "candidatesTokenCount": len(tokens), "totalTokenCount": asked + len(tokens)}
    last = {"candidates": [_candidate("", reason)], "usageMetadata": counts, "modelVersion": model}
    return [*chunks, last]


def _candidate(text: str, reason: str | None = None) -> dict[str, Any]:
    candidate: dict[str, Any] = {"index": 0, "content": {"role": "model", "parts": [{"text": text}] if text else []}}
    return candidate | ({"finishReason": reason} if reason else {})


def _error(status: int) -> dict[str, Any]:
    """An error as Google's APIs send it (google.rpc.Status in JSON)."""
    return {"error": {"code": status, "message": f"status {status} as told", "status": STATUS.get(status, "UNKNOWN")}}


def _text(content: dict[str, Any]) -> str:
    return "".join(part.get("text", "") for part in content.get("parts", []))
