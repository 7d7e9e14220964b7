"""Reading rendered objects: which pods they make, and what those pods name."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.cluster.kubectl import Thing


@dataclass(frozen=True)
class Workload:
    """A pod as some object asks for it."""

    owner: str  # kind/name of the object that makes it
    namespace: str
    labels: dict[str, str]
    spec: dict[str, Any]  # the PodSpec, or Knative's subset of it

    @property
    def containers(self) -> list[dict[str, Any]]:
        return [*self.spec.get("initContainers", []), *self.spec["containers"]]


def identity(thing: Thing) -> str:
    """kind/name, as kubectl writes it."""
    return f"{thing['kind']}/{thing['metadata']['name']}"


def namespace(thing: Thing) -> str:
    found: str = thing["metadata"].get("namespace", "")
    return found


def of_kind(things: list[Thing], *kinds: str) -> list[Thing]:
    return [thing for thing in things if thing["kind"] in kinds]


def is_function(thing: Thing) -> bool:
    """Whether it is a Knative Service (Kubernetes has a Service of its own)."""
    return (thing["kind"], thing["apiVersion"]) == ("Service", "serving.knative.dev/v1")


def functions(things: list[Thing]) -> list[Thing]:
    return [thing for thing in things if is_function(thing)]


def template(thing: Thing) -> dict[str, Any] | None:
    """The pod template of an object that has one."""
    found: dict[str, Any] | None = None
    if thing["kind"] == "CronJob":
        found = thing["spec"]["jobTemplate"]["spec"]["template"]
    elif thing["kind"] in {"Deployment", "StatefulSet", "DaemonSet", "Job"} or is_function(thing):
        found = thing["spec"]["template"]
    return found


def workloads(things: list[Thing]) -> Iterator[Workload]:
    """Every pod that the objects ask for."""
    for thing in things:
        if (pod := template(thing)) is not None:
            labels = pod.get("metadata", {}).get("labels", {})
            if is_function(thing):
                # Knative labels a Service's pods so, whatever the template says.
                labels = labels | {"serving.knative.dev/service": thing["metadata"]["name"]}
            yield Workload(identity(thing), namespace(thing), labels, pod["spec"])


def environment(container: dict[str, Any]) -> dict[str, str]:
    """The variables that a container is given as plain values."""
    return {entry["name"]: entry["value"] for entry in container.get("env", []) if "value" in entry}
