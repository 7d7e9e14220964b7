"""Chat models by name: both Google clients against a stand-in of Vertex AI's REST interface, and what cannot be had."""

import asyncio
import gc
import sys
import threading
import time
import warnings
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import pytest
from langchain_openai.chat_models import _client_utils

from nanoka import chat_model
from nanoka.chat_model import ChatModel, Usage, build
from nanoka.chat_model import _genai as genai_options
from nanoka.failures import CUT, AnswerError, Failure, classify
from tests.standins.openai_model import OpenAIModel
from tests.standins.vertex import Vertex

T = TypeVar("T")

pytestmark = [
    # google-genai forgets to await the body of an error over aiohttp
    pytest.mark.filterwarnings("ignore:coroutine 'ClientResponse.json' was never awaited:RuntimeWarning"),
    pytest.mark.filterwarnings("ignore:.*was never awaited:pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore:Inheritance class AiohttpClientSession:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # neither client closes its sessions
    pytest.mark.filterwarnings("ignore:Exception ignored in:pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(scope="module", autouse=True)
def left_sessions() -> Iterator[None]:
    """Has what the clients leave open found here, and not in the middle of somebody else's test."""
    yield
    gc.unfreeze()  # loading a model freezes what is there
    gc.collect()


@pytest.fixture
def vertex(monkeypatch: pytest.MonkeyPatch) -> Iterator[Vertex]:
    with Vertex() as vertex:
        for name in ("GOOGLE_API_KEY", "GEMINI_API_KEY", "GOOGLE_GENAI_USE_VERTEXAI", "GOOGLE_APPLICATION_CREDENTIALS"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "project")
        monkeypatch.setenv("GOOGLE_CLOUD_LOCATION", "us-central1")
        monkeypatch.setenv("GOOGLE_VERTEX_BASE_URL", vertex.address)
        yield vertex


@pytest.fixture(params=["google_genai", "google_vertexai"])
def model(request: pytest.FixtureRequest, vertex: Vertex) -> ChatModel:
    assert vertex.address
    return ChatModel(f"{request.param}:gemini-2.5-flash")


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """What a coroutine returns. On a thread of its own: a browser that was opened before keeps a loop on this one."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, coroutine).result()


def ask(model: ChatModel, question: str) -> tuple[list[str], Usage, Failure | None]:
    """The pieces of an answer, what was counted, and why it failed."""
    usage, pieces = Usage(), list[str]()

    async def read() -> None:
        async for piece in model.stream(
            "Be brief.", [("user", "Before"), ("assistant", "Yes"), ("user", question)], usage
        ):
            pieces.append(piece)

    try:
        run(read())
    except Exception as error:  # noqa: BLE001 - as the producer does
        return pieces, usage, classify(error, begun=bool(pieces))
    return pieces, usage, None


def test_an_answer_comes_piece_by_piece(model: ChatModel, vertex: Vertex) -> None:
    pieces, usage, failure = ask(model, "Hi [[words=5 rate=100]]")
    assert failure is None
    assert pieces == ["You", " said:", " Hi", " –", " A"]
    assert (usage.input_tokens, usage.output_tokens, usage.reason) == (3, 5, "stop")
    (asked,) = vertex.requests
    assert asked["system"] == "Be brief."
    assert asked["messages"][:2] == [("user", "Before"), ("model", "Yes")]
    assert asked["headers"]["authorization"] == "Bearer none"


@pytest.mark.parametrize(
    ("fault", "cause", "begun"),
    [
        ("status=429", "rate_limited", False),
        ("status=503", "unavailable", False),
        ("status=401", "credentials", False),
        ("status=403", "credentials", False),
        ("status=404", "model_name", False),
        ("status=400", "refused", False),
        ("cut=0", "unavailable", False),
        ("cut=3", "cut", True),
        ("block=prompt", "safety", False),
        ("block=answer", "safety", True),
        ("empty", "empty", False),
    ],
)
def test_each_fault_has_its_cause(model: ChatModel, fault: str, cause: str, begun: bool) -> None:
    run(_loaded(model))
    started = time.monotonic()
    pieces, _, failure = ask(model, f"Hi [[{fault}]]")
    assert failure is not None
    assert (failure.cause, bool(pieces)) == (cause, begun)
    assert time.monotonic() - started < 10


def test_an_answer_that_reached_its_length_says_so(model: ChatModel) -> None:
    assert ask(model, "Hi [[finish=length]]")[1].reason == "length"


def test_an_end_without_a_reason_is_a_cut_from_who_gives_reasons(monkeypatch: pytest.MonkeyPatch) -> None:
    async def read(*questions: str) -> list[Failure | None]:
        model, failures = ChatModel("openai:any"), list[Failure | None]()
        for question in questions:
            try:
                pieces = [piece async for piece in model.stream("", [("user", question)], Usage())]
                failures.append(None)
                assert pieces
            except AnswerError as error:
                failures.append(error.failure)
        built: Any = await model.model()
        await built.root_async_client.close()
        return failures

    with OpenAIModel() as standin:
        monkeypatch.setenv("OPENAI_BASE_URL", f"{standin.address}/v1")
        monkeypatch.setenv("OPENAI_API_KEY", "key")
        forget_client = _client_utils._cached_async_httpx_client.cache_clear  # noqa: SLF001 - it is bound to a loop
        forget_client()
        silent, usual = "Hi [[words=3 finish=]]", "Hi [[words=3]]"
        assert run(read(silent, silent, usual, silent, usual)) == [None, None, None, CUT, None]
        forget_client()


def test_a_stalled_model_can_be_left(model: ChatModel) -> None:
    async def leave() -> None:
        async with asyncio.timeout(1):
            async for _ in model.stream("", [("user", "Hi [[stall=3@2]]")], Usage()):
                pass

    run(_loaded(model))
    started = time.monotonic()
    with pytest.raises(TimeoutError):
        run(leave())
    assert time.monotonic() - started < 5  # over REST a thread stays behind until its read ends


async def _loaded(model: ChatModel) -> None:
    await model.model()


def test_a_long_retry_after_is_not_waited_for(vertex: Vertex) -> None:
    assert vertex.address
    model = ChatModel("google_genai:gemini-2.5-flash")
    run(_loaded(model))
    started = time.monotonic()
    assert ask(model, "Hi [[status=429 retry=40]]")[2] is not None
    assert time.monotonic() - started < 10


def test_an_api_key_alone_means_the_developer_api(vertex: Vertex, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GOOGLE_CLOUD_PROJECT")
    monkeypatch.delenv("GOOGLE_VERTEX_BASE_URL")
    monkeypatch.setenv("GOOGLE_API_KEY", "key")
    monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", vertex.address)
    assert ask(ChatModel("google_genai:gemini-2.5-flash"), "Hi [[words=3]]")[0] == ["You", " said:", " Hi"]
    assert vertex.requests[0]["headers"]["x-goog-api-key"] == "key"


def test_genuine_credentials_are_kept_from_stand_ins_alone() -> None:
    local = genai_options({"GOOGLE_CLOUD_PROJECT": "p", "GOOGLE_VERTEX_BASE_URL": "http://127.0.0.1:9"})
    remote = genai_options({"GOOGLE_CLOUD_PROJECT": "p", "GOOGLE_VERTEX_BASE_URL": "https://proxy.example"})
    assert local["credentials"].token == "none"
    assert "credentials" not in remote
    assert remote["base_url"] == "https://proxy.example"


def test_the_sdks_own_switch_is_honoured() -> None:
    assert genai_options({"GOOGLE_API_KEY": "k", "GOOGLE_GENAI_USE_VERTEXAI": "true"})["vertexai"]
    assert not genai_options({"GOOGLE_CLOUD_PROJECT": "p", "GOOGLE_GENAI_USE_VERTEXAI": "0"})["vertexai"]


def test_no_warning_reaches_the_logs(vertex: Vertex) -> None:
    assert vertex.address
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert build("google_vertexai:gemini-2.5-flash", {"GOOGLE_CLOUD_PROJECT": "p"})


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("groq:any", "langchain-groq"),
        ("nonsense:any", "does not know: nonsense"),
    ],
)
def test_what_cannot_be_loaded_is_told(name: str, words: str) -> None:
    failure = ask(ChatModel(name), "Hi")[2]
    assert failure is not None
    assert words in failure.text
    assert "operator" in failure.text


def test_missing_credentials_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_ADMIN_KEY", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    failure = ask(ChatModel("openai:any"), "Hi")[2]
    assert failure is not None
    assert "credentials" in failure.text


def test_any_other_reason_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(name: str, environ: Any) -> Any:
        raise RuntimeError(name, environ)

    monkeypatch.setattr(chat_model, "build", broken)
    failure = ask(ChatModel("openai:any"), "Hi")[2]
    assert failure is not None
    assert "could not be set up" in failure.text


def test_it_is_loaded_once_and_again_after_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    loads: list[str] = []
    slow = threading.Event()

    def built(name: str, environ: Any) -> str:
        loads.append(name)
        slow.wait(5)
        if len(loads) == 1:
            raise OSError("the metadata server is not there yet")
        return "model"

    monkeypatch.setattr(chat_model, "build", built)
    model = ChatModel("openai:any")

    async def both() -> list[Any]:
        waiting = [asyncio.ensure_future(model.model()) for _ in range(3)]
        await asyncio.sleep(0)
        waiting[2].cancel()  # who gives up takes nothing from the others
        slow.set()
        return await asyncio.gather(*waiting, return_exceptions=True)

    model.preload()
    model.preload()
    first, second, third = run(both())
    assert isinstance(first, AnswerError)
    assert isinstance(second, AnswerError)
    assert isinstance(third, asyncio.CancelledError)
    assert len(loads) == 1
    assert str(run(model.model())) == "model"
    assert len(loads) == 2


def test_nothing_is_imported_before_it_is_needed() -> None:
    code = "import sys; from nanoka import chat_model, producer; sys.exit('langchain_core' in sys.modules)"
    import subprocess

    assert subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": "functions"}, check=False).returncode == 0


def test_a_pod_that_is_only_woken_loads_it_a_moment_later(monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = threading.Event()

    def built(name: str, environ: Any) -> str:
        loaded.set()
        return name

    monkeypatch.setattr(chat_model, "build", built)
    ChatModel("openai:any").preload_soon()
    assert not loaded.is_set()
    assert loaded.wait(5)
