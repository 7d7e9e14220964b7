"""send-message: asks the chat model, and streams its answer to whoever wants to read it."""

import time
from collections.abc import Iterator

from flask import Request, Response

from nanoka import answers, context, lifecycle, questions, readers, stream, titles
from nanoka.chat_model import ChatModel
from nanoka.database import Database
from nanoka.gate import ClosedError
from nanoka.problems import Problem
from nanoka.producer import Producer
from nanoka.questions import Submit
from nanoka.routing import Router, identifier, json_object, no_content, origin_of
from nanoka.sessions import require_user
from nanoka.settings import ChatSettings, DatabaseSettings, WebSettings

LARGEST_REQUEST = 8 * 1024 * 1024
"""Bytes: AI SDK clients send the whole conversation, of which only the last question is read."""

settings = ChatSettings.read()
database = Database(DatabaseSettings.read(), name="send-message")
router = Router(origin_of(WebSettings.read().public_url))
model = ChatModel(settings.model)
producer = Producer(database, model, settings)
lifecycle.after_fork(model.preload_soon)
lifecycle.before_exit(producer.finish)


def send_message(request: Request) -> Response:
    return router(request)


@router.route("GET", "/api/messages/ready")
def ready(_: Request) -> Response:
    """Nothing but a sign of life: whoever asks has woken this pod, and that is all they want."""
    response = no_content()
    response.call_on_close(model.preload)  # as soon as it is on its way: a question will follow
    return response


@router.route("POST", "/api/messages", body_limit=LARGEST_REQUEST)
def send(request: Request) -> Response:
    """Store a question and stream its answer; a retry gets the stream of the answer that exists."""
    received = time.monotonic()
    model.preload()  # a pod that was woken by this very question has not begun to yet
    user = require_user(database, request)
    ask = questions.parse(json_object(request))
    try:
        with producer.beginning.enter():
            begun = answers.begin(
                database,
                user.id,
                ask,
                model=settings.model,
                title=titles.from_words(ask.text) if isinstance(ask, Submit) else "",
                budget=context.budget(settings.context_tokens, [settings.system_prompt]),
            )
            if isinstance(begun, answers.Begun):
                answer = producer.start(begun, received)
                return _response(readers.live(answer, readers.Client(request.environ)))
    except ClosedError:
        raise Problem(503, "This server is about to stop. Please try again.", headers={"Retry-After": "1"}) from None
    return _stream(begun, request)


@router.route("GET", "/api/messages/<conversation_id>/stream")
def resume(request: Request, conversation_id: str) -> Response:
    """The answer that is being written, from its start, then live."""
    user = require_user(database, request)
    key = answers.running(database, user.id, identifier(conversation_id, "conversation_id"))
    return no_content() if key is None else _stream(key, request)


@router.route("POST", "/api/messages/<conversation_id>/stop")
def stop(request: Request, conversation_id: str) -> Response:
    """End the answer that is being written, by whichever process."""
    user = require_user(database, request)
    key = answers.request_stop(database, user.id, identifier(conversation_id, "conversation_id"))
    answer = key and producer.find(key)
    if answer:
        producer.stop(answer)
    response = no_content()
    response.status_code = 202
    return response


def _stream(key: answers.Key, request: Request) -> Response:
    client = readers.Client(request.environ)
    answer = producer.find(key)
    if answer is not None:
        return _response(readers.live(answer, client))
    return _response(readers.follow(database, key, client, producer.following, producer.closed))


def _response(frames: Iterator[bytes]) -> Response:
    return Response(frames, headers=stream.HEADERS)
