"""NGINX → Knative's genuine queue-proxy → send-message → PostgreSQL and a model: what Knative does to an answer."""

from __future__ import annotations

import contextlib
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Protocol
from uuid import UUID, uuid4

import pytest

from tests.functions.chat import Answer, RemoteChat, submission, until
from tests.functions.conftest import Rows, alice, database, environment, rows  # noqa: F401 - fixtures
from tests.functions.pods import Pod
from tests.knative.queue_proxy import DRAIN_SECONDS, QueueProxy, built
from tests.stack import ports
from tests.stack.conftest import make_pages
from tests.stack.nginx import Nginx
from tests.stack.process import Programs
from tests.standins.openai_model import OpenAIModel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.functions.conftest import Person

pytestmark = pytest.mark.skipif(
    not built(), reason="NOT RUN: Knative's queue-proxy is not built (`nox -s manifests` builds it)"
)

UNTITLED = "title.status=500"  # so that the end of a stream waits for no title


class Way:
    """The way of a person's question, from NGINX to the function."""

    def __init__(self, front: str, proxy: QueueProxy, function: Pod, person: Person) -> None:
        self.front = front
        self.proxy = proxy
        self.function = function
        self.person = person

    def ask(
        self, question: str, conversation: UUID | None = None, seen: Callable[[Answer], object] = lambda _: None
    ) -> Answer:
        """Ask and read the stream to its end; `seen` is called after each event."""
        with self.chat() as chat:
            return chat.post(submission(question, conversation or uuid4()), seen)

    @contextlib.contextmanager
    def chat(self) -> Iterator[RemoteChat]:
        with contextlib.closing(RemoteChat(self.front, self.person)) as chat:
            yield chat


class Open(Protocol):
    """Starts all that lies between a person and the model, with settings of queue-proxy's."""

    def __call__(self, *, concurrency: int = 32, timeout: int = 600) -> Way: ...


@pytest.fixture
def open_way(
    environment: dict[str, str],  # noqa: F811 - a fixture's name
    alice: Person,  # noqa: F811
    tmp_path: Path,
) -> Iterator[Open]:
    with contextlib.ExitStack() as stack:
        programs = Programs()
        stack.callback(programs.stop)
        model = stack.enter_context(OpenAIModel())

        def start(*, concurrency: int = 32, timeout: int = 600) -> Way:
            settings = environment | {"OPENAI_BASE_URL": f"{model.address}/v1"}
            pods = {name: Pod(name, settings, tmp_path) for name in ("send_message", "list_history")}
            for pod in pods.values():
                stack.callback(pod.close)
            function = pods["send_message"].wait_until_ready()
            history = pods["list_history"].wait_until_ready()
            proxy = stack.enter_context(QueueProxy(function.port, tmp_path, concurrency=concurrency, timeout=timeout))
            nginx = Nginx(tmp_path / "nginx", ports.free_port(), tmp_path / "nginx.log", tmp_path / "access.log")
            upstreams = {"login": history.port, "send_message": proxy.port, "list_history": history.port}
            nginx.start(make_pages(tmp_path / "pages"), upstreams, programs)
            return Way(f"http://127.0.0.1:{nginx.port}", proxy, function, alice)

        yield start


def test_every_piece_of_an_answer_arrives_when_the_model_says_it(open_way: Open) -> None:
    pace, words = 0.2, 12
    arrived: list[float] = []

    def note(answer: Answer) -> None:
        if answer.events[-1]["type"] == "text-delta":
            arrived.append(time.monotonic())

    answer = open_way().ask(f"Hello [[rate={1 / pace} words={words} {UNTITLED}]]", seen=note)
    assert answer.ending == "complete"
    assert len(arrived) == words
    late = [at - arrived[0] - pace * index for index, at in enumerate(arrived)]
    assert max(map(abs, late)) < 2 * pace, f"seconds off the model's pace: {late}"


def test_over_the_concurrency_people_wait_and_nobody_is_refused(open_way: Open) -> None:
    way, people = open_way(concurrency=2), 8
    lock, writing, most = threading.Lock(), set[int](), 0

    def ask(number: int) -> Answer:
        def seen(answer: Answer) -> None:
            nonlocal most
            with lock:
                writing.add(number)
                most = max(most, len(writing))
                if answer.done:
                    writing.remove(number)

        return way.ask(f"Number {number} [[rate=20 words=8 {UNTITLED}]]", seen=seen)

    with ThreadPoolExecutor(people) as pool:
        answers = list(pool.map(ask, range(people)))
    assert [answer.status for answer in answers] == [200] * people
    assert [answer.ending for answer in answers] == ["complete"] * people
    assert all(f"Number {number} " in answer.text for number, answer in enumerate(answers))
    assert most == 2


def test_an_answer_cut_by_the_timeout_does_not_look_complete_and_is_not_lost(open_way: Open) -> None:
    way, conversation = open_way(timeout=3), uuid4()
    with contextlib.closing(RemoteChat(way.function.address, way.person)) as past_the_proxy:
        past_the_proxy.ask(f"Wake up [[words=1 {UNTITLED}]]")
    with way.chat() as chat:
        body = submission(f"Hello [[rate=10 words=40 {UNTITLED}]]", conversation)
        with chat.client.stream("POST", "/api/messages", json=body) as response:
            received = response.read().decode()  # the body ends whole: a client's library sees no failure
        assert response.status_code == 200
        assert received.count('"text-delta"') > 5
        assert '"finish"' not in received
        assert "[DONE]" not in received
        assert received.endswith("request timeout")  # no event: an AI SDK client ignores it

        resumed = chat.resume(conversation)
        assert resumed.ending == "complete"
        question, answer = chat.client.get(f"/api/conversations/{conversation}").json()["messages"]
    assert question["role"] == "user"
    assert (answer["status"], answer["text"]) == ("complete", resumed.text)
    assert len(answer["text"].split()) == 40
    assert f'"messageId":"{answer["id"]}"' in received.replace(" ", "")


def test_a_pod_that_is_deleted_ends_its_answer_whole(open_way: Open) -> None:
    """Kubernetes ends both containers at once; Knative's preStop hook holds the function's SIGTERM back."""
    way, rate = open_way(), 5
    words = (DRAIN_SECONDS + 4) * rate
    begun = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(way.ask, f"Hello [[rate={rate} words={words} {UNTITLED}]]", seen=lambda _: begun.set())
        assert begun.wait(20)
        way.proxy.terminate()
        way.proxy.wait_for_drain()
        assert not asked.done()
        way.function.terminate()
        answer = asked.result()
    assert answer.ending == "complete"
    assert len(answer.text.split()) == words
    until(lambda: way.proxy.program.returncode == 0, 20, "queue-proxy did not end")
    until(lambda: way.function.program.returncode == 0, 20, "the function did not end")


def test_containers_that_end_at_once_end_their_answer_whole(open_way: Open) -> None:
    """The worst order: the function gets SIGTERM with its proxy, as when no hook ran."""
    way = open_way()
    stop = threading.Event()

    def end(answer: Answer) -> None:
        if answer.text and not stop.is_set():
            stop.set()
            way.proxy.terminate()
            way.function.terminate()

    answer = way.ask(f"Hello [[rate=10 words=25 {UNTITLED}]]", seen=end)
    assert stop.is_set()
    assert answer.ending == "complete"
    assert len(answer.text.split()) == 25
    until(lambda: way.function.program.returncode == 0, 20, "the function did not end")
