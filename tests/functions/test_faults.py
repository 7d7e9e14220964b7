"""What people see when parts die, in processes of their own: nothing that was acknowledged is lost."""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import UUID, uuid4

import httpx
import pytest

from nanoka.database import Database
from nanoka.settings import DatabaseSettings
from tests.functions.chat import Answer, RemoteChat, submission, until
from tests.functions.conftest import ORIGIN, Person, Rows
from tests.functions.pods import Pod
from tests.stack.postgres import Postgres
from tests.standins.openai_model import OpenAIModel

StartPod = Callable[..., Pod]
Remote = Callable[[Pod, Person], RemoteChat]


@pytest.fixture
def model() -> Iterator[OpenAIModel]:
    with OpenAIModel() as model:
        yield model


@pytest.fixture
def start(environment: dict[str, str], model: OpenAIModel, tmp_path: Path) -> Iterator[StartPod]:
    pods: list[Pod] = []

    def start(**settings: str) -> Pod:
        pods.append(Pod("send_message", environment | {"OPENAI_BASE_URL": f"{model.address}/v1"} | settings, tmp_path))
        return pods[-1].wait_until_ready()

    yield start
    for pod in pods:
        pod.close()


@pytest.fixture
def remote() -> Iterator[Remote]:
    """Makes clients of pods."""
    clients: list[RemoteChat] = []

    def remote(pod: Pod, person: Person) -> RemoteChat:
        clients.append(RemoteChat(pod.address, person))
        return clients[-1]

    yield remote
    for client in clients:
        client.close()


def in_background(work: Callable[[], Answer]) -> tuple[list[Answer], threading.Thread]:
    """Do `work` in a thread; its answer, once the thread has ended, unless the connection broke."""
    answers: list[Answer] = []

    def run() -> None:
        answers.append(work())

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return answers, thread


def saved(rows: Rows) -> str:
    found = rows("SELECT text FROM messages WHERE role = 'assistant'")
    return str(found[0][0]) if found else ""


def numbers(count: int) -> str:
    """An answer whose every piece tells its place."""
    return "_".join(str(number) for number in range(count))


def test_kill_9_in_mid_answer(start: StartPod, remote: Remote, rows: Rows, alice: Person) -> None:
    pod, conversation, question = start(), uuid4(), uuid4()
    seen: list[tuple[float, str]] = []

    def note(answer: Answer) -> None:
        seen.append((time.monotonic(), answer.text))

    body = submission(f"One [[rate=20 text={numbers(400)}]]", conversation, id=question)

    def ask() -> None:
        with pytest.raises(httpx.RemoteProtocolError):
            remote(pod, alice).post(body, note)

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    until(lambda: len(saved(rows)) > 100, 15)
    pod.kill()
    killed = time.monotonic()
    thread.join(5)
    a_second_before = next((text for moment, text in reversed(seen) if moment <= killed - 1), "")
    assert saved(rows).startswith(a_second_before)
    assert len(a_second_before) > 20

    second = remote(start(), alice)
    # Fifteen seconds without a sign of life; the test need not wait for them.
    rows("UPDATE messages SET saved_at = saved_at - interval '15 seconds' WHERE status = 'streaming'")
    until(lambda: second.resume(conversation).status == 204, 5)
    retried = second.post(body)
    assert retried.text == saved(rows)
    assert retried.error
    assert retried.ending is None
    again = second.regenerate(conversation)
    assert again.ending == "complete"
    assert rows("SELECT text FROM messages WHERE id = :id", id=question) == [[body["messages"][0]["parts"][0]["text"]]]
    assert sorted(status for (status,) in rows("SELECT status FROM messages WHERE role = 'assistant'")) == [
        "complete",
        "interrupted",
    ]


def test_sigterm_lets_an_answer_end(start: StartPod, remote: Remote, rows: Rows, alice: Person) -> None:
    pod = start()
    answers, thread = in_background(lambda: remote(pod, alice).ask("One [[rate=20 words=80]]"))
    until(lambda: saved(rows), 15)
    pod.terminate()
    thread.join(15)
    assert answers[0].ending == "complete"
    assert answers[0].text == saved(rows)
    assert len(answers[0].text.split()) == 80
    assert pod.program.wait(15) == 0


def test_sigterm_saves_what_does_not_end_in_time(start: StartPod, remote: Remote, rows: Rows, alice: Person) -> None:
    pod = start(GRACE_SECONDS="1")
    answers, thread = in_background(lambda: remote(pod, alice).ask("One [[rate=20 words=2000]]"))
    until(lambda: saved(rows), 15)
    pod.terminate()
    thread.join(15)
    assert answers[0].error
    assert answers[0].done
    assert rows("SELECT text, status FROM messages WHERE role = 'assistant'") == [[answers[0].text, "interrupted"]]
    assert pod.program.wait(15) == 0


def test_an_answer_without_reader_survives_sigterm(start: StartPod, remote: Remote, rows: Rows, alice: Person) -> None:
    pod = start()
    remote(pod, alice).post(submission("One [[rate=20 words=60]]", uuid4()), lambda answer: bool(answer.text))
    pod.terminate()
    assert pod.program.wait(15) == 0
    assert rows("SELECT status FROM messages WHERE role = 'assistant'") == [["complete"]]
    assert len(saved(rows).split()) == 60


def test_sigterm_lets_an_answer_be_followed_to_its_end(start: StartPod, remote: Remote, alice: Person) -> None:
    writer, follower, conversation = start(), start(), uuid4()
    answers, asking = in_background(lambda: remote(writer, alice).ask("One [[rate=20 words=60]]", conversation))
    reader = remote(follower, alice)
    until(lambda: reader.resume(conversation, lambda answer: bool(answer.text)).status == 200, 15)
    begun = threading.Event()

    def seen(answer: Answer) -> None:
        if answer.text:
            begun.set()

    followed, following = in_background(lambda: reader.resume(conversation, seen))
    assert begun.wait(10)
    follower.terminate()
    asking.join(15)
    following.join(15)
    assert answers[0].ending == "complete"
    assert (followed[0].text, followed[0].ending) == (answers[0].text, "complete")
    assert follower.program.wait(15) == 0


def test_stop_and_resume_at_another_pod(start: StartPod, remote: Remote, alice: Person) -> None:
    writer, other = start(), remote(start(), alice)
    conversation = uuid4()
    body = submission("One [[rate=20 words=600]]", conversation)
    answers, thread = in_background(lambda: remote(writer, alice).post(body))
    until(lambda: other.resume(conversation, lambda answer: bool(answer.text)).status == 200, 15)
    resumed, resuming = in_background(lambda: other.resume(conversation))
    retried, retrying = in_background(lambda: other.post(body))
    stopped = time.monotonic()
    assert other.stop(conversation) == 202
    thread.join(10)
    assert time.monotonic() - stopped < 1.2  # what the writer takes, and the reader's way
    resuming.join(5)
    retrying.join(5)
    for answer in (answers[0], resumed[0], retried[0]):
        assert (answer.id, answer.text, answer.ending) == (answers[0].id, answers[0].text, "stopped")
    assert resumed[0].all("finish") == answers[0].all("finish")


def test_the_same_question_at_two_pods_at_once(
    start: StartPod, remote: Remote, rows: Rows, model: OpenAIModel, alice: Person
) -> None:
    chats = [remote(start(), alice), remote(start(), alice)]
    body = submission("One [[rate=20 words=20]]", uuid4())
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda chat: chat.post(body), chats * 2))
    assert len({answer.id for answer in answers}) == 1
    assert {(answer.text, answer.ending) for answer in answers} == {(answers[0].text, "complete")}
    assert sum(not request["title"] for request in model.requests) == 1
    assert rows("SELECT count(*) FROM messages") == [[2]]


def test_a_client_that_leaves_loses_nothing_and_frees_its_thread(
    start: StartPod, remote: Remote, rows: Rows, alice: Person
) -> None:
    pod = start(THREADS="4")
    chat = remote(pod, alice)
    conversations = [uuid4() for _ in range(6)]

    def leave(conversation: UUID) -> None:
        body = json.dumps(submission("One [[first=5 words=30]]", conversation)).encode()
        head = f"POST /api/messages HTTP/1.1\r\nHost: x\r\nOrigin: {ORIGIN}\r\nContent-Type: application/json\r\n"
        cookie = f"Cookie: __Host-nanoka={alice.token}\r\nContent-Length: {len(body)}\r\n\r\n"
        with socket.create_connection(("127.0.0.1", pod.port)) as client:
            client.sendall((head + cookie).encode() + body)
            client.recv(100)

    for conversation in conversations:  # more than there are threads: each must be free again before its answer
        leave(conversation)
    assert chat.client.get("/api/messages/ready", timeout=4).status_code == 204
    until(lambda: rows("SELECT count(*) FROM messages WHERE status = 'complete' AND text <> ''") == [[6]], 20)


def test_keep_alive_before_the_first_token(start: StartPod, remote: Remote, alice: Person) -> None:
    answer = remote(start(), alice).ask("One [[first=12 words=3]]")
    assert answer.comments >= 1
    assert answer.ending == "complete"


@pytest.fixture
def own_postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """A server of the test's own, to be restarted."""
    with Postgres(tmp_path_factory.mktemp("restarted"), durable=False) as server:
        yield server


def test_the_database_restarts_under_traffic(start: StartPod, remote: Remote, own_postgres: Postgres) -> None:
    with own_postgres.database() as url:
        rows = Rows(Database(DatabaseSettings.read({"DATABASE_URL": url})))
        person = rows.person()
        pod = start(DATABASE_URL=url)
        conversation = uuid4()
        answers, thread = in_background(
            lambda: remote(pod, person).ask(f"One [[rate=20 text={numbers(120)}]]", conversation)
        )
        until(lambda: saved(rows), 15)
        own_postgres.stop()
        time.sleep(1)  # answers go on without it
        during, asking = in_background(lambda: remote(pod, person).ask("Two"))
        own_postgres.start()
        asking.join(20)
        thread.join(20)
        assert during[0].ending == "complete"
        assert answers[0].ending == "complete"
        assert answers[0].text == " ".join(str(number) for number in range(120))
        assert rows("SELECT text, status FROM messages WHERE id = :id", id=answers[0].id) == [
            [answers[0].text, "complete"]
        ]
        rows.database.close()


def test_a_model_that_takes_too_long(start: StartPod, remote: Remote, rows: Rows, alice: Person) -> None:
    pod = start(CHAT_DEADLINE_SECONDS="5")
    started = time.monotonic()
    answer = remote(pod, alice).ask("One [[rate=20 words=2000]]")
    assert 5 <= time.monotonic() - started < 8
    assert answer.error is not None
    assert "too long" in answer.error
    assert rows("SELECT text, status FROM messages WHERE id = :id", id=answer.id) == [[answer.text, "failed"]]
