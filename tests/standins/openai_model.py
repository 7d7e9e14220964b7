"""A chat model behind OpenAI's interface (`POST /v1/chat/completions`, streamed or whole), scriptable.

`python -m tests.standins.openai_model --port N [--rate TOKENS_PER_SECOND]` serves it; so does, in a test,
`with OpenAIModel() as model:`. What a question makes it do is written in `behaviour`. Beside the interface:

- `GET /requests` lists what was asked since the start, newest last: `[{title, system, messages, body}]`;
  `DELETE /requests` empties the list.
- `PUT /behaviour` with an object of directive keys (all values strings) changes the default for what follows.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import sys
from typing import Any

from tests.standins.behaviour import Behaviour, chosen
from tests.standins.http import Reply, Request, Server

KEPT = 2000
"""Requests that `GET /requests` remembers at most."""
STREAM = {"id": "chatcmpl-standin", "object": "chat.completion.chunk", "created": 1}
FILTERED = {
    "message": "The response was filtered due to the prompt triggering the content management policy.",
    "type": "invalid_request_error",
    "param": "prompt",
    "code": "content_filter",
}


class OpenAIModel(Server):
    """The stand-in. `requests` holds what it was asked, `behaviour` is what it does without a directive."""

    def __init__(self, port: int = 0, behaviour: Behaviour | None = None) -> None:
        super().__init__(self._handle, port)
        self.behaviour = behaviour or Behaviour()
        self.requests: list[dict[str, Any]] = []

    async def _handle(self, request: Request, reply: Reply) -> None:
        match (request.method, request.path.partition("?")[0]):
            case ("POST", "/v1/chat/completions"):
                await self._complete(request.json(), reply)
            case ("GET", "/v1/models"):
                await reply.whole(200, {"object": "list", "data": [{"id": "standin", "object": "model"}]})
            case ("GET", "/health" | "/"):
                await reply.whole(200, {"status": "ok"})
            case ("GET", "/requests"):
                await reply.whole(200, self.requests)
            case ("DELETE", "/requests"):
                self.requests.clear()
                await reply.whole(200, [])
            case ("PUT", "/behaviour"):
                self.behaviour = Behaviour().changed(request.json())
                await reply.whole(200, {})
            case _:
                await reply.whole(404, {"error": {"message": f"no route {request.path}", "type": "not_found"}})

    async def _complete(self, body: dict[str, Any], reply: Reply) -> None:
        messages = [(message["role"], _text(message["content"])) for message in body["messages"]]
        system = "\n".join(text for role, text in messages if role in ("system", "developer"))
        question = next((text for role, text in reversed(messages) if role == "user"), "")
        behaviour, title = chosen(self.behaviour, system, question)
        self.requests.append({"title": title, "system": system, "messages": messages, "body": body})
        del self.requests[:-KEPT]
        if behaviour.status != 200 or behaviour.block == "prompt":
            await self._refuse(behaviour, reply)
            return
        tokens = behaviour.tokens(question)
        if limit := body.get("max_completion_tokens") or body.get("max_tokens"):
            tokens = tokens[:limit]
        usage = {"prompt_tokens": sum(len(text.split()) for _, text in messages), "completion_tokens": len(tokens)}
        usage["total_tokens"] = sum(usage.values())
        reason = "content_filter" if behaviour.block else behaviour.finish
        await asyncio.sleep(behaviour.first)
        if body.get("stream"):
            last = [_frame(body["model"], [_choice({}, reason)])]
            if (body.get("stream_options") or {}).get("include_usage"):
                last.append(_frame(body["model"], [], usage=usage))
            await self._stream(behaviour, body["model"], tokens, last, reply)
        else:
            await asyncio.sleep(len(tokens) / behaviour.rate if behaviour.rate else 0)
            message = {"role": "assistant", "content": "".join(tokens)}
            choice = {"index": 0, "message": message, "finish_reason": reason, "logprobs": None}
            whole = STREAM | {"object": "chat.completion", "model": body["model"], "choices": [choice], "usage": usage}
            await reply.whole(200, whole)

    async def _refuse(self, behaviour: Behaviour, reply: Reply) -> None:
        headers = {"retry-after": behaviour.retry} if behaviour.retry else {}
        if behaviour.block == "prompt":
            await reply.whole(400, {"error": FILTERED})
            return
        error = {"message": f"status {behaviour.status} as told", "type": "standin", "code": None}
        await reply.whole(behaviour.status, {"error": error}, headers)

    async def _stream(
        self, behaviour: Behaviour, model: str, tokens: list[str], last: list[bytes], reply: Reply
    ) -> None:
        reply.begin("text/event-stream")
        # A chunk is its token between two texts that are the same for all of them: the stand-in must stay light.
        marked = json.dumps(STREAM | {"model": model, "choices": [_choice({"content": "TOKEN"}, None)]})
        before, after = (f"data: {marked}\n\n").split('"TOKEN"')
        await reply.piece(_frame(model, [_choice({"role": "assistant", "content": ""}, None)]))
        loop = asyncio.get_running_loop()
        due = loop.time()
        for index, token in enumerate(tokens):
            if behaviour.cut == index:
                reply.break_off()
                return
            if behaviour.stall and behaviour.stall_after == index:
                await asyncio.sleep(behaviour.stall)
                due = loop.time()
            if behaviour.rate and (wait := due - loop.time()) > 0:
                await asyncio.sleep(wait)
            due += 1 / behaviour.rate if behaviour.rate else 0
            await reply.piece(f"{before}{json.dumps(token)}{after}".encode())
        if behaviour.cut is not None:
            reply.break_off()
            return
        for frame in [*last, b"data: [DONE]\n\n"]:
            await reply.piece(frame)
        reply.end()


def _choice(delta: dict[str, str], reason: str | None) -> dict[str, Any]:
    return {"index": 0, "delta": delta, "finish_reason": reason}


def _frame(model: str, choices: list[dict[str, Any]], **more: object) -> bytes:
    return f"data: {json.dumps(STREAM | {'model': model, 'choices': choices} | more)}\n\n".encode()


def _text(content: Any) -> str:
    """The text of a message, which is a string or a list of parts."""
    if isinstance(content, str):
        return content
    return "".join(part.get("text", "") for part in content or [])


def main() -> None:
    parser = argparse.ArgumentParser(description="A scriptable chat model behind OpenAI's interface.")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--rate", type=float, default=0.0, help="tokens a second without a directive; 0: all at once")
    arguments = parser.parse_args()
    model = OpenAIModel(arguments.port, Behaviour(rate=arguments.rate))
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(model.forever(lambda: print(f"listening on {model.address}/v1", flush=True)))
    sys.exit(0)


if __name__ == "__main__":
    main()
