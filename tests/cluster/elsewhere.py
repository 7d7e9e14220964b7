"""Nanoka on a cluster that somebody else raised and named: in a namespace of its own, which goes with all in it.

The cluster must have what nobody may install in passing, Knative Serving behind Kourier, and must find the images
under the prefix that is given. Database, sign-in and chat model are stand-ins on this machine, so its pods must reach
one of this machine's addresses. The front door is forwarded here by the API server, so no node is needed.
"""

import contextlib
import json
import secrets
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from tests.cluster import images, render, standins
from tests.cluster.controlplane import LOOPBACK, kubernetes
from tests.cluster.kubectl import Kubectl, Thing
from tests.cluster.machine import UnfitError
from tests.cluster.person import Door
from tests.cluster.relay import relay
from tests.cluster.run import Run, step, wait_for
from tests.stack.ports import free_port
from tests.stack.postgres import Postgres
from tests.standins.openai_model import OpenAIModel

OVERLAYS = render.ROOT / "knative" / "overlays" / "cluster"
# What cannot be had there: the schedule's pod gets no Google identity, and the policies know of no stand-in.
LEFT_OUT = {"CronJob", "NetworkPolicy"}
NOT_SEEN = "purge by schedule, Argo CD, network policies, and whatever needs hands on a node"


@dataclass(frozen=True)
class Place:
    """Which cluster (a context of the user's kubeconfig), where its images come from, and which of this machine's
    addresses its pods reach."""

    context: str
    images: str
    machine: str | None = None


@contextlib.contextmanager
def nanoka(place: Place) -> Iterator[Door]:
    """Nanoka's front door there. Raises UnfitError when the cluster lacks something."""
    kubectl = Kubectl(kubernetes("kubectl"), f"--context={place.context}")
    check(kubectl, place)
    address = place.machine or own_address(kubectl)
    space = f"nanoka-{secrets.token_hex(3)}"
    with Run("elsewhere") as run, stand_ins(run, address) as (settings, made):
        try:
            with step(f"Nanoka in the namespace {space} of {place.context}"):
                deploy(kubectl, space, place, settings, made)
            with forwarded(run, kubectl, space) as port:
                yield Door(images.trusting(), f"https://{LOOPBACK}:{port}")
        finally:
            with step(f"the namespace {space} removed"):
                remove(kubectl, space)


def remove(kubectl: Kubectl, space: str) -> None:
    """Remove the namespace with all that is in it. Raises NotReadyError, KubectlError."""
    here = f"--namespace={space}"
    kubectl.says("delete", "ksvc,deployments", "--all", here, "--cascade=foreground", "--wait=false")

    def empty() -> bool:
        """Pods leave in minutes where somebody may still be reading; here nobody is."""
        kubectl.says("delete", "pods", "--all", here, "--grace-period=5", "--wait=false")
        return not any(kubectl.get(kind, here)["items"] for kind in ("pods", "replicasets"))

    try:
        # First the pods: with one in it, the namespace's controller would look again after half of that pod's grace.
        wait_for("the pods' end", empty, 180, every=1)
    finally:
        kubectl("delete", "namespace", space, "--ignore-not-found", "--timeout=120s")


def check(kubectl: Kubectl, place: Place) -> None:
    """Raise UnfitError unless the cluster answers and has what Nanoka stands on."""
    if not kubectl.says("get", "--raw", "/readyz", "--request-timeout=20s"):
        raise UnfitError(f"The context {place.context} is not in the kubeconfig, or its cluster does not answer.")
    if not kubectl.says("get", "crd/services.serving.knative.dev"):
        raise UnfitError(f"{place.context} has no Knative Serving, and this installs nothing for a whole cluster.")
    if not kubectl.says("get", "service/kourier-internal", "--namespace=knative-serving"):
        raise UnfitError(f"{place.context} has no Kourier: there is no Service kourier-internal in knative-serving.")


def own_address(kubectl: Kubectl) -> str:
    """The address by which this machine reaches the cluster. Raises UnfitError where that is of no use to a pod."""
    config = json.loads(kubectl("config", "view", "--minify", "--output=json"))
    host = urlsplit(config["clusters"][0]["cluster"]["server"])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect((host.hostname, host.port or 443))  # sends nothing: only asks for a route
        found: str = probe.getsockname()[0]
    if found.startswith("127."):
        raise UnfitError("Name an address of this machine that the cluster's pods reach: --machine ADDRESS.")
    return found


@contextlib.contextmanager
def stand_ins(run: Run, address: str) -> Iterator[tuple[dict[str, str], list[Thing]]]:
    """The stand-ins while they run: the settings that name them, and the Secrets with their keys."""
    ports = {name: free_port() for name in ("database", "model", "sign_in")}
    tls = standins.certificate(address)
    with (
        Postgres(run.path("postgres"), durable=False) as postgres,
        OpenAIModel() as model,
        standins.sign_in(f"https://{address}:{ports['sign_in']}") as sign_in,
        relay(address, ports["database"], postgres.port),
        relay(address, ports["model"], model.port),
        relay(address, ports["sign_in"], sign_in.port, tls),
    ):
        found = standins.StandIns(postgres, sign_in, address, ports["database"])
        settings = {
            "CHAT_MODEL": "openai:stand-in",
            "OPENAI_BASE_URL": f"http://{address}:{ports['model']}/v1",
            "OIDC_ISSUER": sign_in.issuer,
        }
        key = standins.secret("chat-model", {"OPENAI_API_KEY": "stand-in"})
        yield settings, [*standins.secrets_of(found), key]


def deploy(kubectl: Kubectl, space: str, place: Place, settings: dict[str, str], made: list[Thing]) -> None:
    """What Argo CD would sync, in its order: settings and accounts, the migrations, the functions, the edge."""
    (namespace,) = (
        thing
        for thing in render.objects(OVERLAYS / "platform")
        if thing["kind"] == "Namespace" and thing["metadata"]["name"] == standins.NAMESPACE
    )
    namespace["metadata"]["name"] = space
    kubectl.apply(namespace)
    things = [
        moved(thing, space, place.images)
        for thing in [*made, *render.objects(OVERLAYS / "nanoka"), *render.objects(OVERLAYS / "edge")]
        if thing["kind"] not in LEFT_OUT
    ]
    for thing in things:
        if thing["kind"] == "ConfigMap" and "OIDC_ISSUER" in thing["data"]:
            thing["data"] |= settings
    waves = sorted({wave(thing) for thing in things})
    for number in waves:
        kubectl.apply(*(thing for thing in things if wave(thing) == number))
        if any(thing["kind"] == "Job" for thing in things if wave(thing) == number):
            kubectl("wait", "--for=condition=Complete", "job", "--all", f"--namespace={space}", "--timeout=300s")
    kubectl("wait", "--for=condition=Ready", "ksvc", "--all", f"--namespace={space}", "--timeout=300s")
    kubectl("rollout", "status", "deployment/edge", f"--namespace={space}", "--timeout=300s")


def wave(thing: Thing) -> int:
    return int(thing["metadata"].get("annotations", {}).get("argocd.argoproj.io/sync-wave", 0))


def moved(thing: Thing, space: str, prefix: str) -> Thing:
    """The same in another namespace, with images from another place, and with no address outside the cluster."""
    text = json.dumps(thing)
    text = text.replace(f".{standins.NAMESPACE}.svc", f".{space}.svc").replace(f"{images.REGISTRY}/", f"{prefix}/")
    found: Thing = json.loads(text)
    found["metadata"]["namespace"] = space
    if found["kind"] == "Service" and found["spec"].get("type") == "LoadBalancer":
        found["spec"] = {key: found["spec"][key] for key in ("selector", "ports")}
    return found


@contextlib.contextmanager
def forwarded(run: Run, kubectl: Kubectl, space: str) -> Iterator[int]:
    """The port of loopback that the front door is forwarded to."""
    port = free_port()
    run.start("front", *kubectl.command, "port-forward", "service/edge", f"{port}:443", f"--namespace={space}")

    def open_() -> bool:
        run.check()
        with contextlib.suppress(OSError):
            socket.create_connection((LOOPBACK, port), timeout=1).close()
            return True
        return False

    wait_for("the front door", open_, 30)
    yield port
