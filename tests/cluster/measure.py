"""How long Nanoka takes on a running cluster, and where the time goes."""

import contextlib
import copy
import datetime as dt
import json
import re
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import uuid4

import httpx
import yaml

from tests.cluster import argocd, ingress, node
from tests.cluster.kubectl import Thing
from tests.cluster.person import ORIGIN, Person
from tests.cluster.run import wait_for
from tests.cluster.running import NAMESPACE, SPACE, Running
from tests.functions.chat import submission

QUICK = {"autoscaling.knative.dev/window": "6s", "autoscaling.knative.dev/scale-to-zero-pod-retention-period": "0s"}
EMPTY = "import functions_framework\n\n\n@functions_framework.http\ndef empty(request):\n    return 'ok'\n"
COMMAND = ["/usr/bin/python3", "-m", "functions_framework", "--target=empty", "--source=/empty/main.py"]
GATEWAY = f"http://{node.ADDRESS}:{ingress.PORT}"
FUNCTIONS = ("login", "send-message", "list-history", "purge")
VARIANTS = ("cold-empty", "cold-list", "cold-send")


@dataclass(frozen=True)
class ColdStart:
    """One request that found no pod: seconds until there was one, until it had a node, until its containers ran,
    until the function had the request, and until the first byte (or token) of the answer."""

    activator: float
    scheduling: float
    sandbox: float
    imports: float
    answer: float

    @property
    def total(self) -> float:
        return self.activator + self.scheduling + self.sandbox + self.imports + self.answer


def variant(function: Thing, name: str) -> Thing:
    """The same function under another name, which goes to zero as soon as Knative lets it."""
    template = copy.deepcopy(function["spec"]["template"])
    template["metadata"].pop("name", None)
    template["metadata"]["annotations"] |= QUICK
    labels = {"networking.knative.dev/visibility": "cluster-local"}
    meta = {"name": name, "namespace": NAMESPACE, "labels": labels}
    return {"apiVersion": "serving.knative.dev/v1", "kind": "Service", "metadata": meta, "spec": {"template": template}}


def empty(function: Thing) -> Thing:
    """functions-framework with a function that does nothing, in the same image and with the same resources."""
    found = variant(function, "cold-empty")
    spec: Thing = found["spec"]["template"]["spec"]
    (container,) = spec["containers"]
    container["command"] = COMMAND
    container.pop("args", None)
    container["volumeMounts"].append({"name": "empty", "mountPath": "/empty"})
    spec["volumes"].append({"name": "empty", "configMap": {"name": "cold-empty"}})
    return found


@contextlib.contextmanager
def variants(running: Running) -> Iterator[None]:
    """Three functions that only a measurement asks: an empty one, the list, and an answer."""
    running.clear("send-message", "list-history", "purge")  # a node may be too small for those beside these
    listing, sending = (running.kubectl.get(f"ksvc/{name}", SPACE) for name in ("list-history", "send-message"))
    meta = {"name": "cold-empty", "namespace": NAMESPACE}
    source: Thing = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": {"main.py": EMPTY}}
    names = [f"ksvc/{name}" for name in VARIANTS]
    running.kubectl.apply(source, empty(listing), variant(listing, "cold-list"), variant(sending, "cold-send"))
    try:
        running.kubectl("wait", "--for=condition=Ready", *names, SPACE, "--timeout=120s")
        yield
    finally:
        running.kubectl("delete", "configmap/cold-empty", *names, SPACE, "--cascade=foreground")


def first_byte(client: httpx.Client, method: str, address: str, until: bytes = b"", **options: object) -> float:
    """Seconds until the body's first byte, or until some bytes were in it."""
    started, seen, found = time.monotonic(), b"", 0.0
    with client.stream(method, address, **options) as response:  # type: ignore[arg-type]
        assert response.status_code == 200, response.read()
        for chunk in response.iter_raw():
            seen += chunk
            if not found and until in seen:
                found = time.monotonic() - started
    assert found
    return found


def as_person(person: Person, host: str, **headers: str) -> httpx.Client:
    """A client of one function by the Host that Knative knows it by, with the person's session."""
    cookie = "; ".join(f"{c.name}={c.value}" for c in person.client.cookies.jar)
    return httpx.Client(headers={"Host": host, "Cookie": cookie, "Origin": ORIGIN} | headers, timeout=120)


class Witness:
    """Notes when a function's first pod is made, and when it is given a node (time.time())."""

    def __init__(self, running: Running, function: str) -> None:
        self.name, self.made, self.bound = "", 0.0, 0.0
        path = f"/api/v1/namespaces/{NAMESPACE}/pods?labelSelector=serving.knative.dev/service={function}"
        api = running.api
        since = api.get(path)["metadata"]["resourceVersion"]
        self._events = api.open(f"{path}&watch=1&timeoutSeconds=60&resourceVersion={since}")
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def _look(self) -> None:
        with self._events as events:
            for line in events:
                now, event = time.time(), json.loads(line)
                if event["type"] == "ADDED" and not self.name:
                    self.name, self.made = event["object"]["metadata"]["name"], now
                if event["object"]["metadata"]["name"] == self.name and event["object"]["spec"].get("nodeName"):
                    self.bound = now
                    return

    def wait(self) -> None:
        self._thread.join(60)


def started(log: str, pod: str) -> float:
    """When containerd had started a pod's function, from its log (time.time())."""

    def match(pattern: str) -> re.Match[str]:
        found = re.search(pattern, log)
        assert found, f"containerd's log has no {pattern}"
        return found

    escaped = r'\\"'
    sandbox = match(rf"RunPodSandbox for &PodSandboxMetadata{{Name:{pod},[^}}]*}} returns sandbox id {escaped}(\w+)")[1]
    container = match(
        rf"CreateContainer within sandbox {escaped}{sandbox}{escaped} for &ContainerMetadata{{Name:function,[^}}]*}} "
        rf"returns container id {escaped}(\w+)"
    )[1]
    when = match(rf'time="([^"]+)" level=info msg="StartContainer for {escaped}{container}{escaped} returns')[1]
    return dt.datetime.fromisoformat(re.sub(r"(\.\d{6})\d*", r"\1", when)).timestamp()


def cold_start(running: Running, person: Person, name: str) -> ColdStart:
    """Ask a variant that has no pod, and see what the answer waits for."""
    witness = Witness(running, name)
    with as_person(person, f"{name}.{NAMESPACE}.svc.cluster.local") as client:
        begun = time.time()
        if name == "cold-send":
            body = submission("Good morning.", uuid4())
            total = first_byte(client, "POST", f"{GATEWAY}/api/messages", b"text-delta", json=body)
        else:
            total = first_byte(client, "GET", f"{GATEWAY}/api/conversations")
    witness.wait()
    answering = 0.0
    if name == "cold-send":  # it tells itself how long it took from the request to the first token
        answering = answered(running, witness.name)
    runs = started(running.log("containerd"), witness.name)
    return ColdStart(
        activator=witness.made - begun,
        scheduling=witness.bound - witness.made,
        sandbox=runs - witness.bound,
        imports=begun + total - answering - runs,
        answer=answering,
    )


def answered(running: Running, pod: str) -> float:
    """Seconds from a question to its first token, by the log of the pod that was asked."""
    found: list[float] = []

    def logged() -> bool:
        lines = running.kubectl("logs", pod, SPACE, "--container=function").splitlines()
        for line in lines:
            with contextlib.suppress(ValueError):
                entry = json.loads(line)
                if entry.get("ttft_ms"):
                    found.append(entry["ttft_ms"] / 1000)
        return bool(found)

    wait_for("the pod's word about its answer", logged, 30)
    return found[0]


def cold_starts(running: Running, person: Person, repeats: int) -> dict[str, list[ColdStart]]:
    """Cold starts of an empty function, the list and an answer, by turns, each as often first as the others."""
    found: dict[str, list[ColdStart]] = {name: [] for name in VARIANTS}
    with variants(running):
        for number in range(repeats):
            running.clear(*VARIANTS)
            for name in (*VARIANTS[number % 3 :], *VARIANTS[: number % 3]):
                found[name].append(cold_start(running, person, name))
    return found


def warm(running: Running, person: Person, repeats: int) -> dict[str, list[float]]:
    """Seconds to the first token by way of ever more parts, one person after another, by turns."""
    person.ask("Wake up.")
    # The newest: one of an older revision may be about to go.
    pod = max(running.pods("send-message"), key=lambda found: str(found["metadata"]["creationTimestamp"]))
    activators = running.kubectl.get("pods", "--namespace=knative-serving", "--selector=app=activator")["items"]
    own, activator = pod["status"]["podIP"], activators[0]["status"]["podIP"]
    revision = {
        "Knative-Serving-Namespace": NAMESPACE,
        "Knative-Serving-Revision": pod["metadata"]["labels"]["serving.knative.dev/revision"],
    }
    host = f"send-message.{NAMESPACE}.svc.cluster.local"
    ways = {
        "the function alone": (f"http://{own}:8080", as_person(person, host)),
        "queue-proxy": (f"http://{own}:8012", as_person(person, host)),
        "activator and queue-proxy": (f"http://{activator}:8012", as_person(person, host, **revision)),
        "ingress, activator and queue-proxy": (GATEWAY, as_person(person, host)),
    }
    seconds: dict[str, list[float]] = {way: [] for way in ways}
    for number in range(repeats + 5):
        turns = list(ways.items())
        for way, (place, client) in turns[number % 4 :] + turns[: number % 4]:  # each is first as often as the others
            body = submission("How do you do? [[words=3]]", uuid4())
            taken = first_byte(client, "POST", f"{place}/api/messages", b"text-delta", json=body)
            if number >= 5:  # connections are made and statements prepared by then
                seconds[way].append(taken)
    for _, client in ways.values():
        client.close()
    return seconds


def memory(running: Running, person: Person) -> dict[str, float]:
    """MiB of each container's working set, as the kubelet tells it, of several alike the largest: with every function
    awake, purge's included."""
    found: dict[str, float] = {}
    job = f"purge-{uuid4().hex[:6]}"
    running.kubectl("create", "job", "--from=cronjob/purge", job, SPACE)

    def seen() -> bool:
        """Whether all have been counted: the kubelet does so every ten seconds."""
        for path in ("/api/auth/me", "/api/conversations", "/api/messages/ready"):
            person.request("GET", path).raise_for_status()
        for name, used in working_sets(running).items():
            found[name] = max(found.get(name, 0), used)
        return all(f"{name}/function" in found for name in FUNCTIONS)

    try:
        person.ask("Wake up.")
        wait_for("every function's memory", seen, 120, every=2)
    finally:
        running.kubectl("delete", "job", job, SPACE, "--wait=false")
    return found


def working_sets(running: Running) -> dict[str, float]:
    """MiB of the containers that run now, by the name of what their pod belongs to and their own."""
    summary = json.loads(running.kubectl("get", "--raw", "/api/v1/nodes/node/proxy/stats/summary"))
    found: dict[str, float] = {}
    for pod in summary["pods"]:
        owner = re.sub(r"(-\d{5}-deployment)?-[0-9a-z]+-[0-9a-z]{5}$", "", pod["podRef"]["name"])
        foreign = pod["podRef"]["namespace"] not in {NAMESPACE, "knative-serving"} or owner in VARIANTS
        for container in [] if foreign else pod["containers"]:
            if used := container.get("memory", {}).get("workingSetBytes"):
                name = f"{owner}/{container['name']}"
                found[name] = max(found.get(name, 0), used / 2**20)
    return found


def serving(running: Running, function: str) -> str:
    """The revision of a function that serves."""
    found: str = running.kubectl.get(f"ksvc/{function}", SPACE)["status"]["traffic"][0]["revisionName"]
    return found


def roll_out(running: Running) -> float:
    """Seconds from a commit that changes send-message until its new revision serves. What it changed is put back."""
    repository = argocd.Repository(running.folder / "git")
    file = repository.work / "knative/overlays/cluster/nanoka/kustomization.yaml"
    before, revision = file.read_text(), serving(running, "send-message")
    patch = (
        "apiVersion: serving.knative.dev/v1\nkind: Service\nmetadata: {name: send-message, namespace: nanoka}\n"
        f"spec: {{template: {{metadata: {{annotations: {{nanoka.test/release: '{uuid4()}'}}}}}}}}\n"
    )
    kustomization = yaml.safe_load(before)
    kustomization["patches"].append({"patch": patch})
    file.write_text(yaml.safe_dump(kustomization, sort_keys=False))
    begun = time.monotonic()
    try:
        repository.commit("Release send-message anew")
        argocd.refresh(running.kubectl, "nanoka")
        wait_for("the new revision", lambda: serving(running, "send-message") != revision, 180)
        seconds = time.monotonic() - begun
        released = serving(running, "send-message")
    finally:
        file.write_text(before)
        repository.commit("Put back what was changed")
        argocd.refresh(running.kubectl, "nanoka")
    # Else the next one would take this for its own.
    wait_for("what was put back", lambda: serving(running, "send-message") != released, 180)
    return seconds
