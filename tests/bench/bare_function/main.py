"""What the bench compares with: a function that does nothing, and one that only streams LangChain."""

from collections.abc import Iterator
from functools import cache
from typing import Any

from flask import Request, Response


def empty(_: Request) -> str:
    return "ok"


@cache
def model() -> Any:
    from langchain.chat_models import init_chat_model

    return init_chat_model("openai:any")


def bare(request: Request) -> Response:
    """The model's answer to the request's text, each token as it comes."""
    question = request.get_data(as_text=True)

    def tokens() -> Iterator[str]:
        for chunk in model().stream(question):
            yield chunk.text

    return Response(tokens(), content_type="text/plain; charset=utf-8")
