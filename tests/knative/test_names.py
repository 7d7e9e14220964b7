"""Every name that an object gives is the name of another, whichever folder that one lies in."""

from collections import Counter
from typing import Any

import pytest

from tests.cluster.kubectl import Thing
from tests.knative.references import Reference, provides, references
from tests.knative.workloads import Workload, identity, namespace, of_kind, template, workloads

# Made by what we install, not by us: (kind, namespace, name).
OF_UPSTREAMS = {
    ("Service", "default", "kubernetes"),  # the API server itself
    ("Service", "knative-serving", "kourier-internal"),  # Knative's operator, with Kourier enabled
    ("Service", "kube-system", "kube-dns"),  # GKE
    ("AppProject", "argocd", "default"),  # Argo CD
}
# Pods that Knative's operator installs, by the label that all of them have (test_network.py).
OF_KNATIVE = ("3scale-kourier-gateway", "activator")
CLUSTER_WIDE = {"ClusterRole", "ClusterIssuer", "PriorityClass", "StorageClass"}


def unresolved(things: list[Thing]) -> list[Reference]:
    """The references of the objects that no object of them meets."""
    known = OF_UPSTREAMS | {provided for thing in things for provided in provides(thing)}
    data = {(t["kind"], namespace(t), t["metadata"]["name"]): t.get("data") for t in of_kind(things, "ConfigMap")}

    def missing(reference: Reference) -> bool:
        kind, space, name, key = reference[1:]
        place = (kind, "" if kind in CLUSTER_WIDE else space, name)
        return place not in known or (key is not None and place in data and key not in (data[place] or {}))

    return [reference for thing in things for reference in references(thing) if missing(reference)]


def test_every_name_resolves(production: list[Thing]) -> None:
    assert not unresolved(production)


def test_no_two_objects_have_one_name(production: list[Thing]) -> None:
    """The second would overwrite the first, and Argo CD each of them for the other's sake, for ever."""
    names = Counter((t["apiVersion"], t["kind"], namespace(t), t["metadata"]["name"]) for t in production)
    assert not {name for name, count in names.items() if count > 1}


@pytest.mark.parametrize("kind", ["ServiceAccount", "ConfigMap"])
def test_a_name_that_is_nobodys_is_seen(production: list[Thing], kind: str) -> None:
    """Without the objects of one kind, those that name them are found."""
    rest = [thing for thing in production if thing["kind"] != kind]
    assert {reference.kind for reference in unresolved(rest)} == {kind}


def test_every_service_finds_its_pods_and_port(production: list[Thing]) -> None:
    """A selector that fits no pod, or a port that no container has, is a Service that answers nobody."""
    pods = list(workloads(production))
    for service in of_kind(production, "Service"):
        if service["apiVersion"] != "v1" or not (selector := service["spec"].get("selector")):
            continue
        fitting = [p for p in pods if p.namespace == namespace(service) and selector.items() <= p.labels.items()]
        assert fitting, f"{identity(service)} selects no pod of ours"
        ports = {
            port
            for pod in fitting
            for container in pod.containers
            for entry in container.get("ports", [])
            for port in (entry["containerPort"], entry.get("name"))
        }
        for port in service["spec"]["ports"]:
            assert port.get("targetPort", port["port"]) in ports, f"{identity(service)}: {port}"


def test_every_policy_and_budget_finds_its_pods(production: list[Thing]) -> None:
    """A NetworkPolicy or a disruption budget whose selector fits nothing protects nothing."""
    pods = [*workloads(production)]
    pods += [Workload(f"Deployment/{name}", "knative-serving", {"app": name}, {}) for name in OF_KNATIVE]
    for thing in of_kind(production, "NetworkPolicy", "PodDisruptionBudget"):
        field = "podSelector" if thing["kind"] == "NetworkPolicy" else "selector"
        wanted = thing["spec"].get(field, {})
        assert any(pod.namespace == namespace(thing) and fits(wanted, pod.labels) for pod in pods), (
            f"{identity(thing)} fits no pod of ours"
        )


def fits(selector: dict[str, Any], labels: dict[str, str]) -> bool:
    """Whether a label selector takes these labels (kubernetes.io, "Labels and Selectors")."""
    for requirement in selector.get("matchExpressions", []):
        value, values = labels.get(requirement["key"]), requirement.get("values", [])
        holds = {
            "In": value in values,
            "NotIn": value not in values,
            "Exists": value is not None,
            "DoesNotExist": value is None,
        }
        if not holds[requirement["operator"]]:
            return False
    wanted: dict[str, str] = selector.get("matchLabels", {})
    return wanted.items() <= labels.items()


def test_mounts_name_volumes(production: list[Thing]) -> None:
    for thing in production:
        if (pod := template(thing)) is None:
            continue
        volumes = {volume["name"] for volume in pod["spec"].get("volumes", [])}
        for container in [*pod["spec"].get("initContainers", []), *pod["spec"]["containers"]]:
            mounted = {mount["name"] for mount in container.get("volumeMounts", [])}
            assert mounted <= volumes, f"{identity(thing)}: {mounted - volumes}"
