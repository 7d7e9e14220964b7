"""The chat model that CHAT_MODEL names, loaded by LangChain's `init_chat_model` off the path of requests.

Its libraries take most of a second to import, so a thread does that soon after the fork, or as soon as a question
comes; who needs the model waits for it. No client retries by itself: theirs would keep a person waiting for half a
minute.
"""

import asyncio
import functools
import gc
import importlib.util
import os
import sys
import threading
import warnings
from collections.abc import AsyncGenerator, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

from nanoka import lifecycle, logs
from nanoka.failures import BLOCKED, CUT, EMPTY, AnswerError, Failure, classify
from nanoka.settings import is_loopback

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import AIMessageChunk, BaseMessage

SOON = 0.3
"""Seconds that a request which needs no model has for itself after the fork."""
PATIENCE = 6.0
"""Seconds within which a request that failed before its first token is made again."""
PAUSES = (0.5, 1.5)
"""Seconds before each next try, unless the model's Retry-After says more."""
_FILTERED = ("SAFETY", "PROHIBITED_CONTENT", "BLOCKLIST", "SPII", "RECITATION", "IMAGE_SAFETY", "CONTENT_FILTER")


@dataclass
class Usage:
    """Tokens as the model counted them, if it did, and why it ended: `stop`, `length` or `other`.

    `parts` counts the pieces of text; `ended` is whether the model gave a reason for its end.
    """

    input_tokens: int | None = None
    output_tokens: int | None = None
    reason: str = "stop"
    parts: int = 0
    ended: bool = False


class ChatModel:
    """The model `name`, e.g. `google_genai:gemini-2.5-flash`; loaded once, in a thread of its own."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._lock = threading.Lock()
        self._loading: Future[BaseChatModel] | None = None
        self._gives_reasons = False

    def preload(self) -> None:
        """Begin to load the model and return at once."""
        self._load()

    def preload_soon(self) -> None:
        """Begin to load the model once the process has had time to answer what woke it, and return at once."""
        timer = threading.Timer(SOON, self.preload)
        timer.daemon = True
        timer.start()

    def _load(self) -> "Future[BaseChatModel]":
        with self._lock:
            if self._loading is None or (self._loading.done() and self._loading.exception() is not None):
                self._loading = Future()
                threading.Thread(target=_load, args=(self.name, self._loading), daemon=True).start()
            return self._loading

    async def model(self) -> "BaseChatModel":
        """The model, as soon as it is loaded. Raises AnswerError with the reason if it cannot be."""
        # Shielded: who gives up waiting must not cancel what others wait for.
        return await asyncio.shield(asyncio.wrap_future(self._load()))

    async def stream(self, system: str, history: list[tuple[str, str]], usage: Usage) -> AsyncGenerator[str]:
        """The answer to `history`'s last question, piece by piece; `usage` is filled in on the way.

        Raises:
            AnswerError: filtered or empty; anything else is an exception of the provider's client.
        """
        model = await self.model()
        messages = _messages(system, history)
        pauses = iter(PAUSES)
        give_up = asyncio.get_running_loop().time() + PATIENCE
        while True:
            try:
                async for chunk in chunks(model, messages):
                    _account(chunk, usage)
                    # `text` joins the text of content blocks, for providers that send these.
                    if text := chunk.content if isinstance(chunk.content, str) else str(chunk.text):
                        usage.parts += 1
                        yield text
                break
            except Exception as error:
                failure = classify(error, begun=usage.parts > 0)
                pause = max(next(pauses, PATIENCE), failure.retry_after or 0)
                if usage.parts or not failure.transient or asyncio.get_running_loop().time() + pause > give_up:
                    raise
                await asyncio.sleep(pause)
        if usage.parts == 0:
            # langchain-google-vertexai drops what is said of a filtered prompt, and all that is left is nothing.
            filtered = self.name.startswith("google_vertexai:") and not usage.ended
            raise AnswerError(BLOCKED if filtered else EMPTY)
        # Some connections close in the middle as they do at the end (HTTP/1.0, some proxies). Whether a model says why
        # it ended is the provider's habit: only from one that does is silence a sign.
        if self._gives_reasons and not usage.ended:
            raise AnswerError(CUT)
        self._gives_reasons = usage.ended


async def chunks(model: "BaseChatModel", messages: "list[BaseMessage]") -> AsyncGenerator["AIMessageChunk"]:
    """What the model says, as it comes."""
    from langchain_core.language_models import BaseChatModel  # noqa: PLC0415 - loaded with the model

    if getattr(model, "api_transport", None) == "rest":
        # Google's REST transport has no asynchronous side: langchain-google-vertexai's `astream` fails on it.
        stream = model.stream(messages)

        def following() -> "AIMessageChunk | None":
            return next(stream, None)

        while (piece := await asyncio.get_running_loop().run_in_executor(_blocking(), following)) is not None:
            yield piece
    elif type(model)._astream is BaseChatModel._astream:  # noqa: SLF001
        async for piece in model.astream(messages):
            yield piece
    else:
        # What `astream` is made of, without its callbacks, and without keeping every piece to merge them all at the
        # end: a sixth of the CPU time of the whole function.
        async for generation in model._astream(messages):  # noqa: SLF001
            message = cast("AIMessageChunk", generation.message)
            if generation.generation_info:
                message.response_metadata = generation.generation_info | message.response_metadata
            yield message


@functools.cache
def _blocking() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=64, thread_name_prefix="model")


def _load(name: str, loading: "Future[BaseChatModel]") -> None:
    try:
        # Nothing that is imported is ever garbage: not looking for it saves a fifth of the time.
        gc.disable()
        try:
            with lifecycle.importing:
                model = build(name, os.environ)
        finally:
            gc.freeze()
            gc.enable()
    except AnswerError as error:
        logs.exception("model.not_loaded", cause=error.failure.cause)
        loading.set_exception(error)
    except Exception as error:  # noqa: BLE001 - whatever a provider's package raises must reach the person
        logs.exception("model.not_loaded", cause=type(error).__name__)
        loading.set_exception(AnswerError(_not_loaded(name, error)))
    else:
        loading.set_result(model)


def build(name: str, environ: Mapping[str, str]) -> "BaseChatModel":
    """The model `provider:model`, with what the provider's own variables say."""
    provider, _, model = name.partition(":")
    with warnings.catch_warnings(), _without("langsmith", "types"):
        from langchain.chat_models import init_chat_model  # noqa: PLC0415 - most of a second

        options = _OPTIONS[provider](environ) if provider in _OPTIONS else {}
        # ChatVertexAI's own, about itself: that it is asked for by name is somebody's decision.
        warnings.filterwarnings("ignore", message=".*ChatGoogleGenerativeAI", category=DeprecationWarning)
        built: BaseChatModel = init_chat_model(model, model_provider=provider, **options)
    return built


@contextmanager
def _without(package: str, part: str) -> Iterator[None]:
    """Import what imports `package.part` without running that, though with what lies in it.

    langchain_core imports one literal of langsmith.types, and with it hundreds of classes of an API that nothing
    here calls: a quarter of the whole import.
    """
    name, spec = f"{package}.{part}", importlib.util.find_spec(package)
    hollow = ModuleType(name)
    hollow.__path__ = [str(Path(place) / part) for place in (spec and spec.submodule_search_locations) or []]
    if name in sys.modules:
        yield
        return
    sys.modules[name] = hollow
    try:
        yield
    finally:
        del sys.modules[name]  # whoever asks for it from now on gets all of it


def _genai(environ: Mapping[str, str]) -> dict[str, Any]:
    """Vertex AI, unless only an API key of the Gemini Developer API is there or the SDK's own switch says so."""
    switch = environ.get("GOOGLE_GENAI_USE_VERTEXAI", "").lower()
    project = environ.get("GOOGLE_CLOUD_PROJECT")
    key = environ.get("GOOGLE_API_KEY") or environ.get("GEMINI_API_KEY")
    vertex = switch in ("true", "1", "yes") or (switch not in ("false", "0", "no") and bool(project or not key))
    options: dict[str, Any] = {"vertexai": vertex, "max_retries": 1}  # 1 is none here, and 0 is Google's default
    if not vertex:
        return options | _given(base_url=environ.get("GOOGLE_GEMINI_BASE_URL"))
    options |= _given(project=project, location=environ.get("GOOGLE_CLOUD_LOCATION") or "global")
    return options | _endpoint(environ, "base_url")


def _vertexai(environ: Mapping[str, str]) -> dict[str, Any]:
    options = _given(project=environ.get("GOOGLE_CLOUD_PROJECT"), location=environ.get("GOOGLE_CLOUD_LOCATION"))
    endpoint = _endpoint(environ, "api_endpoint")
    return {"max_retries": 0} | options | endpoint | ({"api_transport": "rest"} if endpoint else {})


def _openai(_: Mapping[str, str]) -> dict[str, Any]:
    # A time limit of its own around each chunk costs a seventh of all; the producer has one for all.
    return {"max_retries": 0, "stream_usage": True, "stream_chunk_timeout": 0}


_OPTIONS = {"google_genai": _genai, "google_vertexai": _vertexai, "openai": _openai}


def _given(**options: str | None) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value}


def _endpoint(environ: Mapping[str, str], option: str) -> dict[str, Any]:
    """Another address for Vertex AI. One on this machine is a stand-in: it never gets genuine credentials."""
    address = environ.get("GOOGLE_VERTEX_BASE_URL")
    if not address:
        return {}
    options: dict[str, Any] = {option: address}
    if is_loopback(urlsplit(address).hostname):
        from google.oauth2.credentials import Credentials  # noqa: PLC0415 - Google's providers alone need it

        options["credentials"] = Credentials(token="none")  # type: ignore[no-untyped-call] # noqa: S106
    return options


def _not_loaded(name: str, error: Exception) -> Failure:
    """Why a model could not be built, for the person and, through them, for the operator."""
    provider = name.partition(":")[0]
    if isinstance(error, ImportError):
        text = f"The package for {provider} models is not installed: langchain-{provider.replace('_', '-')}."
    elif isinstance(error, ValueError) and "Unsupported provider" in str(error):
        text = f"CHAT_MODEL names a provider that LangChain does not know: {provider}."
    elif "credential" in str(error).lower() or "api_key" in str(error).lower() or "api key" in str(error).lower():
        text = f"The credentials for the {provider} model are missing."
    else:
        text = f"The model {name} could not be set up."
    return Failure("not_loaded", f"{text} Please tell the operator.")


def _messages(system: str, history: list[tuple[str, str]]) -> "list[BaseMessage]":
    from langchain_core.messages import AIMessage, HumanMessage, SystemMessage  # noqa: PLC0415 - loaded with the model

    kinds = {"user": HumanMessage, "assistant": AIMessage}
    return [SystemMessage(system), *(kinds[role](text) for role, text in history)]


def _account(chunk: "AIMessageChunk", usage: Usage) -> None:
    """Take from a piece what it says besides text. Raises AnswerError when a filter ended the answer."""
    if counted := chunk.usage_metadata:
        # Some send them once, some with every piece as an increment, which LangChain sums up; so do we.
        usage.input_tokens = (usage.input_tokens or 0) + counted["input_tokens"]
        usage.output_tokens = (usage.output_tokens or 0) + counted["output_tokens"]
    metadata = chunk.response_metadata
    if not metadata:
        return
    feedback = metadata.get("prompt_feedback")
    reason = str(metadata.get("finish_reason") or "").rpartition(".")[2].upper()
    usage.ended |= bool(reason)
    if reason in _FILTERED or (isinstance(feedback, dict) and feedback.get("block_reason")):
        raise AnswerError(BLOCKED)
    if reason in ("LENGTH", "MAX_TOKENS"):
        usage.reason = "length"
    elif reason not in ("", "STOP", "FINISH_REASON_UNSPECIFIED", "END_TURN"):
        usage.reason = "other"
