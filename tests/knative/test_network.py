"""What the policies let through is what somebody listens on: a port that nobody has is a door painted on a wall."""

import re
from typing import Any

import pytest
from google.cloud.sql.connector.connector import SERVER_PROXY_PORT

from tests.cluster import knative, programs
from tests.cluster.kubectl import Thing
from tests.knative import kourier
from tests.knative.test_names import fits
from tests.knative.workloads import Workload, identity, namespace, of_kind, workloads

METADATA = {"169.254.169.254/32": {80}, "169.254.169.252/32": {988}}
"""Where a pod asks GKE who it is: the address that it uses, and the one on its node to which that leads."""
QUEUE_PROXY = ("BackendHTTPPort", "BackendHTTP2Port", "QueueAdminPort", "AutoscalingQueueMetricsPort")


def source(module: str, dependency: str, path: str) -> str:
    try:
        return (programs.source(module, dependency) / path).read_text()
    except programs.GoMissingError as error:
        pytest.skip(f"NOT RUN: {error}")


def policies(things: list[Thing]) -> dict[str, dict[str, Any]]:
    return {thing["metadata"]["name"]: thing["spec"] for thing in of_kind(things, "NetworkPolicy")}


def ports(rules: list[dict[str, Any]]) -> set[int]:
    return {entry["port"] for rule in rules for entry in rule.get("ports", [])}


@pytest.fixture
def gateway(production: list[Thing]) -> int:
    """The port of Kourier's pods behind its Service inside the cluster, in the release that the operator installs."""
    service = kourier.release(production)["Service/kourier-internal"]
    (port,) = [port for port in service["spec"]["ports"] if port["port"] == 80]
    found: int = port["targetPort"]
    return found


def test_everything_is_denied_first(production: list[Thing]) -> None:
    deny = policies(production)["deny"]
    assert deny["podSelector"] == {}
    assert set(deny["policyTypes"]) == {"Ingress", "Egress"}
    assert "ingress" not in deny
    assert ports(deny["egress"]) == {53}
    blocks = {peer["ipBlock"]["cidr"] for rule in deny["egress"] for peer in rule["to"] if "ipBlock" in peer}
    assert blocks == {"169.254.20.10/32", "169.254.169.254/32"}


def test_the_front_is_open_where_nginx_listens(production: list[Thing]) -> None:
    (edge,) = [pod for pod in workloads(production) if pod.owner == "Deployment/edge"]
    listening = {port["containerPort"] for container in edge.containers for port in container["ports"]}
    assert ports(policies(production)["edge"]["ingress"]) == listening


@pytest.fixture
def known() -> dict[str, int]:
    """Knative's ports by their names there."""
    constants = source("knative", "knative.dev/serving", "pkg/networking/constants.go")
    return {name: int(number) for name, number in re.findall(r"(\w+Port)\s+= (\d+)", constants)}


@pytest.fixture
def installed(production: list[Thing]) -> dict[str, Workload]:
    """The pods that Knative's operator installs, by name."""
    try:
        things = [*knative.release(), *kourier.release(production).values()]
    except programs.GoMissingError as error:
        pytest.skip(f"NOT RUN: {error}")
    return {pod.owner.removeprefix("Deployment/"): pod for pod in workloads(of_kind(things, "Deployment"))}


def test_functions_are_open_where_queue_proxy_listens(production: list[Thing], known: dict[str, int]) -> None:
    assert ports(policies(production)["functions-ingress"]["ingress"]) == {known[name] for name in QUEUE_PROXY}


def test_the_activator_is_open_to_the_gateway_and_the_autoscaler(
    production: list[Thing], known: dict[str, int], installed: dict[str, Workload]
) -> None:
    """Whoever reaches it may name any function; and without the autoscaler's reaching it none ever goes to zero."""
    policy = policies(production)["activator"]
    assert [name for name, pod in installed.items() if fits(policy["podSelector"], pod.labels)] == ["activator"]
    (rule,) = policy["ingress"]
    assert ports([rule]) == {known["BackendHTTPPort"], known["BackendHTTP2Port"]}
    (peer,) = rule["from"]
    let_in = {name for name, pod in installed.items() if fits(peer["podSelector"], pod.labels)}
    assert let_in == {"3scale-kourier-gateway", "autoscaler"}
    assert "namespaceSelector" not in peer  # its own namespace, in which nothing of ours runs


def test_only_nginx_and_the_schedule_reach_the_gateway(production: list[Thing], gateway: int) -> None:
    found = policies(production)
    ours, _controllers = found["gateway"]["ingress"]
    assert ports([ours]) == {gateway}
    (peer,) = ours["from"]
    let_in = {pod.owner for pod in workloads(production) if fits(peer["podSelector"], pod.labels)}
    assert let_in == {"Deployment/edge", "CronJob/purge"}
    for name in ("edge", "purge-caller"):
        rules = [rule for rule in found[name]["egress"] if any("namespaceSelector" in peer for peer in rule["to"])]
        assert ports(rules) == {gateway}, name


def test_the_database_is_reached_by_its_connector_alone(production: list[Thing]) -> None:
    rules = policies(production)["functions-egress"]["egress"]
    (database,) = [rule for rule in rules if rule["to"][0]["ipBlock"]["cidr"].startswith("10.")]
    assert ports([database]) == {SERVER_PROXY_PORT}
    (internet,) = [rule for rule in rules if rule["to"][0]["ipBlock"]["cidr"] == "0.0.0.0/0"]
    assert ports([internet]) == {443}
    assert {"10.0.0.0/8", "169.254.0.0/16"} <= set(internet["to"][0]["ipBlock"]["except"])


def test_whoever_has_a_google_identity_reaches_the_metadata_server(production: list[Thing]) -> None:
    asking = {
        account["metadata"]["name"]
        for account in of_kind(production, "ServiceAccount")
        if "iam.gke.io/gcp-service-account" in account["metadata"].get("annotations", {})
    }
    for pod in workloads(production):
        opened: dict[str, set[int]] = {}
        for rule in egress(production, pod):
            for peer in rule["to"]:
                if peer.get("ipBlock", {}).get("cidr") in METADATA:
                    opened.setdefault(peer["ipBlock"]["cidr"], set()).update(ports([rule]) - {53})
        opened = {cidr: found for cidr, found in opened.items() if found}
        if pod.spec["serviceAccountName"] in asking:
            assert opened.keys() == METADATA.keys(), pod.owner
            assert all(found >= METADATA[cidr] for cidr, found in opened.items()), pod.owner
        else:
            assert not opened, pod.owner


def egress(things: list[Thing], pod: Workload) -> list[dict[str, Any]]:
    """Every rule by which the pod may go out."""
    return [
        rule
        for policy in of_kind(things, "NetworkPolicy")
        if namespace(policy) == pod.namespace and fits(policy["spec"]["podSelector"], pod.labels)
        for rule in policy["spec"].get("egress", [])
    ]


def test_no_pod_is_left_without_a_way_in_or_out_that_it_needs(production: list[Thing]) -> None:
    """Each function is let into by one policy and out by another, for which its labels decide."""
    ways = {identity(t): t["spec"] for t in of_kind(production, "NetworkPolicy") if t["metadata"]["name"] != "deny"}
    for pod in workloads(production):
        own = [name for name, spec in ways.items() if fits(spec["podSelector"], pod.labels)]
        assert own, f"{pod.owner} may reach nothing and be reached by nobody"
