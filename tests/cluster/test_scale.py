"""More streams than one pod takes."""

import concurrent.futures
import time
from uuid import uuid4

import pytest

from tests.cluster.figures import Figures
from tests.cluster.nanoka import Nanoka
from tests.cluster.person import Person
from tests.functions.chat import Answer
from tests.knative import test_capacity
from tests.knative.workloads import functions

STREAMS = 160  # send-message's target is 100 a pod
SECONDS = 40


@pytest.mark.timeout(600)
def test_knative_adds_pods_and_loses_no_stream(nanoka: Nanoka, person: Person, figures: Figures) -> None:
    """And with two pods a reader resumes and stops its answer, whichever pod is asked."""
    words, rate = SECONDS * 2, 2
    most = 0
    with concurrent.futures.ThreadPoolExecutor(STREAMS) as pool:
        running = [pool.submit(person.ask, f"One of many. [[rate={rate} words={words}]]") for _ in range(STREAMS)]
        deadline = time.monotonic() + SECONDS + 60
        while len(nanoka.ready_pods("send-message")) < 2 and time.monotonic() < deadline:
            most = max(most, nanoka.connections())
            time.sleep(0.5)
        pods = len(nanoka.ready_pods("send-message"))
        stopped = [stop_from_anywhere(person) for _ in range(6)]
        while not all(future.done() for future in running):
            most = max(most, nanoka.connections())
            time.sleep(0.5)
        answers = [future.result() for future in running]
    assert pods >= 2, "Knative added no pod"
    assert [answer.ending for answer in answers] == ["complete"] * STREAMS
    limit = sum(test_capacity.connections(function) for function in deployed(nanoka))
    assert most <= limit
    figures.add(f"{STREAMS} streams at once, one pod at first", f"all whole, by {pods} pods")
    figures.add("database connections at the most, and computed", f"{most} of {limit}")
    figures.seconds("stop until the answer ends, whichever pod is asked", stopped)


def stop_from_anywhere(person: Person) -> float:
    """Begin an answer, leave, come back by another request, stop it by a third; seconds from stop to its end."""
    conversation = uuid4()
    left = person.ask("Stop me. [[rate=5 words=200]]", conversation, lambda a: len(a.all("text-delta")) >= 2)
    started = 0.0

    def stop(answer: Answer) -> None:
        nonlocal started
        if not started and len(answer.all("text-delta")) >= 3:
            started = time.monotonic()
            assert person.stop(conversation) == 202

    answer = person.resume(conversation, stop)
    assert answer.text.startswith(left.text)
    assert answer.ending == "stopped"
    return time.monotonic() - started


def deployed(nanoka: Nanoka) -> list[dict[str, object]]:
    return functions(nanoka.kubectl.get("ksvc", "--namespace=nanoka")["items"])
