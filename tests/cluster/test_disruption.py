"""What a person sees when the cluster does something in the middle of their answer."""

import contextlib
import threading
import time
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.cluster import ingress, measure, node
from tests.cluster.figures import Figures
from tests.cluster.nanoka import SPACE, Nanoka
from tests.cluster.person import ORIGIN, Person
from tests.cluster.run import wait_for
from tests.functions.chat import Answer, submission

SLOW = "[[rate=5 words=100]]"  # twenty seconds


def ask_in_background(person: Person, text: str, conversation: Any) -> tuple[threading.Thread, list[Answer]]:
    """Ask, and return when the first words have come; the thread ends with the answer, which is none if it breaks."""
    begun, answers = threading.Event(), list[Answer]()

    def note(answer: Answer) -> None:
        if len(answer.all("text-delta")) >= 3:
            begun.set()

    def ask() -> None:
        with contextlib.suppress(httpx.HTTPError):
            answers.append(person.ask(text, conversation, note))

    thread = threading.Thread(target=ask)
    thread.start()
    assert begun.wait(60), "the answer did not begin"
    return thread, answers


def wake_one_pod(nanoka: Nanoka, person: Person) -> None:
    """Have send-message awake in one pod, with room on the node for another: two cores have none for a third, while
    those of a crowd or of the release before are still there."""
    person.ask("Wake up.")

    def one() -> bool:
        awake = person.request("GET", "/api/messages/ready").status_code == 204
        return awake and len(nanoka.pods("send-message")) == 1

    wait_for("one pod to be left", one, 240, every=1)
    nanoka.bury()


@pytest.mark.timeout(600)
def test_a_deleted_pod_ends_its_answer(nanoka: Nanoka, person: Person, figures: Figures) -> None:
    """A drained node or an update takes its pod away: the answer that it writes is whole all the same."""
    wake_one_pod(nanoka, person)
    conversation = uuid4()
    thread, answers = ask_in_background(person, f"While your pod is deleted. {SLOW}", conversation)
    nanoka.kubectl("delete", "pod", SPACE, "--wait=false", "--selector=serving.knative.dev/service=send-message")
    told = time.monotonic()
    # Meanwhile others are served: by a new pod.
    assert person.ask("Are you there?").ending == "complete"
    figures.add("another person's whole answer while the only pod goes away", f"{time.monotonic() - told:.2f} s")
    thread.join(120)
    (answer,) = answers
    assert answer.ending == "complete"
    assert person.messages(conversation)[-1]["text"] == answer.text
    figures.add("an answer of 20 s whose pod is deleted after its first words", "ends whole")


@pytest.mark.timeout(600)
def test_a_killed_pod_loses_no_word_that_was_saved(nanoka: Nanoka, person: Person) -> None:
    """Without any grace the answer breaks off: it is shown as interrupted, what was saved stays, retry works."""
    conversation = uuid4()
    started = time.monotonic()
    thread, answers = ask_in_background(person, f"While your pod is killed. {SLOW}", conversation)
    wait_for("a second's saving", lambda: time.monotonic() - started > 3, 10)
    nanoka.kubectl("delete", "pod", SPACE, "--wait=false", "--grace-period=0", "--force",
                   "--selector=serving.knative.dev/service=send-message")  # fmt: skip
    thread.join(60)
    assert not answers or answers[0].ending is None

    def interrupted() -> bool:
        return bool(person.messages(conversation)[-1]["status"] == "interrupted")

    wait_for("every reader to notice", interrupted, 60, every=0.5)
    saved = person.messages(conversation)[-1]["text"]
    assert saved
    again = person.again(conversation)
    assert again.ending == "complete"
    statuses = sorted(m["status"] for m in person.messages(conversation) if m["role"] == "assistant")
    assert statuses == ["complete", "interrupted"]


@pytest.mark.timeout(600)
def test_a_release_that_cannot_start_takes_nobodys_requests(nanoka: Nanoka, person: Person) -> None:
    """Production starts a pod of each release before it gets traffic (`initial-scale: 1`): so the one before it goes on
    serving. Seen on a function like list-history, with that setting of its own."""
    function = measure.variant(nanoka.kubectl.get("ksvc/list-history", SPACE), "list-history-broken")
    template = function["spec"]["template"]
    template["metadata"]["annotations"]["autoscaling.knative.dev/initial-scale"] = "1"
    nanoka.kubectl.apply(function)
    try:
        name = f"ksvc/{function['metadata']['name']}"
        nanoka.kubectl("wait", "--for=condition=Ready", name, SPACE, "--timeout=120s")
        good = nanoka.kubectl.get(name, SPACE)["status"]["latestReadyRevisionName"]
        (container,) = template["spec"]["containers"]
        container["command"], container["args"] = ["/usr/bin/python3"], ["-c", "raise SystemExit('broken')"]
        nanoka.kubectl.apply(function)

        def crashed() -> bool:
            pods = nanoka.pods(function["metadata"]["name"])
            states = [state for pod in pods for state in pod["status"].get("containerStatuses", [])]
            return any(state["name"] == "function" and state["restartCount"] >= 2 for state in states)

        wait_for("its pod to have died three times", crashed, 180, every=0.5)
        (traffic,) = nanoka.kubectl.get(name, SPACE)["status"]["traffic"]
        assert (traffic["revisionName"], traffic["percent"]) == (good, 100)
        with measure.as_person(person, f"{function['metadata']['name']}.nanoka.svc.cluster.local") as client:
            assert client.get(f"{measure.GATEWAY}/api/conversations").status_code == 200
    finally:
        nanoka.kubectl("delete", f"ksvc/{function['metadata']['name']}", SPACE, "--cascade=foreground", "--wait=false")


@pytest.mark.timeout(600)
def test_a_timeout_does_not_look_like_an_end(nanoka: Nanoka, person: Person) -> None:
    """Knative ends a request that takes too long with status 200 and a whole body: only `finish` proves an answer
    whole. A function like send-message with ten seconds shows it; the answer itself goes on."""
    wake_one_pod(nanoka, person)
    function = nanoka.kubectl.get("ksvc/send-message", SPACE)
    name = "send-message-short"
    template = function["spec"]["template"]
    template["metadata"].pop("name", None)
    template["spec"]["timeoutSeconds"] = 10
    meta = {"name": name, "namespace": "nanoka", "labels": function["metadata"]["labels"]}
    short = {"apiVersion": function["apiVersion"], "kind": "Service", "metadata": meta, "spec": {"template": template}}
    short["metadata"]["labels"] = {"networking.knative.dev/visibility": "cluster-local"}
    nanoka.kubectl.apply(short)
    try:
        nanoka.kubectl("wait", "--for=condition=Ready", f"ksvc/{name}", SPACE, "--timeout=120s")
        conversation = uuid4()
        cookie = "; ".join(f"{c.name}={c.value}" for c in person.client.cookies.jar)
        headers = {"Host": f"{name}.nanoka.svc.cluster.local", "Cookie": cookie, "Origin": ORIGIN}
        body = submission("Longer than you may. [[rate=5 words=100]]", conversation)
        address = f"http://{node.ADDRESS}:{ingress.PORT}/api/messages"

        def awake() -> bool:
            """A cold start counts towards the timeout, too; and that of whoever resumes would outlast the answer."""
            short = httpx.get(f"{address}/ready", headers=headers, timeout=60)
            return short.status_code == person.request("GET", "/api/messages/ready").status_code == 204

        wait_for("the function, and send-message itself, to wake up", awake, 120)
        with httpx.stream("POST", address, json=body, headers=headers, timeout=60) as response:
            assert response.status_code == 200
            text = "".join(response.iter_text())
        assert "request timeout" in text
        assert '"finish"' not in text
        # By its own name the answer is still there, and comes to its end.
        assert person.resume(conversation).ending == "complete"
    finally:
        nanoka.kubectl("delete", f"ksvc/{name}", SPACE, "--cascade=foreground", "--wait=false")
