"""What an object names that another object has to be."""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from tests.cluster.kubectl import Thing
from tests.knative.workloads import identity, is_function, namespace, template

HOST = re.compile(r"\b([a-z0-9-]+)\.([a-z0-9-]+)\.svc(?:\.cluster\.local)?(?::(\d+))?\b")

KINDS = {
    "secret": "Secret", "secretKeyRef": "Secret", "secretRef": "Secret",
    "configMap": "ConfigMap", "configMapKeyRef": "ConfigMap", "configMapRef": "ConfigMap",
}  # fmt: skip


class Reference(NamedTuple):
    """That an object needs another: of this kind and name, in this namespace, and with this key in its data."""

    owner: str
    kind: str
    namespace: str
    name: str
    key: str | None = None


def references(thing: Thing) -> Iterator[Reference]:
    """Everything that must exist for the object to do its work (what is marked optional need not)."""
    owner, space = identity(thing), namespace(thing)
    if (pod := template(thing)) is not None:
        yield from of_pod(owner, space, pod["spec"])
    if thing["kind"] in {"RoleBinding", "ClusterRoleBinding"}:
        yield Reference(owner, thing["roleRef"]["kind"], space, thing["roleRef"]["name"])
        for subject in thing.get("subjects", []):
            if subject["kind"] == "ServiceAccount":
                yield Reference(owner, "ServiceAccount", subject["namespace"], subject["name"])
    if thing["kind"] == "Certificate":
        issuer = thing["spec"]["issuerRef"]
        yield Reference(owner, issuer.get("kind", "Issuer"), space, issuer["name"])
    if thing["kind"] == "HorizontalPodAutoscaler":
        target = thing["spec"]["scaleTargetRef"]
        yield Reference(owner, target["kind"], space, target["name"])
    if thing["kind"] == "Application":
        yield Reference(owner, "AppProject", space, thing["spec"]["project"])
    for text in strings(thing):
        for name, where, _port in HOST.findall(text):
            yield Reference(owner, "Service", where, name)


def of_pod(owner: str, space: str, spec: dict[str, Any]) -> Iterator[Reference]:
    """What a pod names: its account, its volumes' sources, its environment's sources."""
    yield Reference(owner, "ServiceAccount", space, spec.get("serviceAccountName", "default"))
    sources = [of_volumes(spec.get("volumes", [])), of_environment(spec)]
    for kind, source in (pair for pairs in sources for pair in pairs):
        if not source.get("optional"):
            yield Reference(owner, kind, space, source.get("secretName") or source["name"], source.get("key"))


def of_volumes(volumes: list[dict[str, Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
    """(kind, the field that names an object of it) for each source of a volume."""
    for volume in volumes:
        for source in [volume, *volume.get("projected", {}).get("sources", [])]:
            yield from ((kind, source[field]) for field, kind in KINDS.items() if field in source)
        if attributes := volume.get("csi", {}).get("volumeAttributes"):
            yield "SecretProviderClass", {"name": attributes["secretProviderClass"]}


def of_environment(spec: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """(kind, the field that names an object of it) for each variable that is not a plain value."""
    for container in [*spec.get("initContainers", []), *spec["containers"]]:
        for entry in [*(e.get("valueFrom", {}) for e in container.get("env", [])), *container.get("envFrom", [])]:
            yield from ((kind, entry[field]) for field, kind in KINDS.items() if field in entry)


def strings(value: Any) -> Iterator[str]:
    """Every text in an object, however deep."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from strings(inner)


def provides(thing: Thing) -> Iterator[tuple[str, str, str]]:
    """(kind, namespace, name) of the object itself and of what its controller makes of it."""
    space, name = namespace(thing), thing["metadata"]["name"]
    yield thing["kind"], space, name
    if is_function(thing):
        # A Knative Service's route is reached by a Kubernetes Service of its name.
        yield "Service", space, name
    if thing["kind"] == "Certificate":
        yield "Secret", space, thing["spec"]["secretName"]
    if thing["kind"] == "SecretSync":
        yield "Secret", space, name
