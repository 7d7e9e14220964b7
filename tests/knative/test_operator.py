"""Knative's genuine operator makes of our KnativeServing what the rest of the manifests counts on."""

from collections.abc import Iterator

import pytest

from tests.cluster import admission, knative, operator, programs, render, upstreams
from tests.cluster.controlplane import ControlPlane
from tests.cluster.kubectl import Thing
from tests.cluster.run import Run, wait_for
from tests.knative import kourier
from tests.knative.conftest import production_folders
from tests.knative.references import HOST
from tests.knative.workloads import environment, of_kind, workloads
from tests.stack import ports

PROBES = 8080
"""HealthCheckDefaultPort in injection/health_check.go of knative.dev/pkg; not to be configured."""
SETTINGS = {
    "SYSTEM_NAMESPACE": operator.NAMESPACE, "POD_NAME": "operator", "METRICS_DOMAIN": "knative.dev/operator",
    "CONFIG_LOGGING_NAME": "config-logging", "CONFIG_OBSERVABILITY_NAME": "config-observability",
    "KUBERNETES_MIN_VERSION": "",
}  # fmt: skip


@pytest.fixture(scope="module")
def installed() -> Iterator[ControlPlane]:
    """A control plane of its own on which the operator has installed production's KnativeServing; no pod runs."""
    if not admission.built():
        pytest.skip("NOT RUN: Knative's operator is not built (`nox -s manifests` builds it)")
    if ports.is_taken(PROBES):
        pytest.skip(f"NOT RUN: Knative's operator answers probes on the port {PROBES}, which is taken")
    things = [thing for folder in production_folders() for thing in render.objects(folder)]
    with Run("operator") as run:
        plane = ControlPlane(run)
        plane.start()
        plane.kubectl.define(*upstreams.types())
        plane.kubectl.apply(*of_kind(operator.manifests(), "Namespace", "ConfigMap"), *of_kind(things, "Namespace"))
        data = programs.source("operator", knative.OPERATOR) / "cmd" / "operator" / "kodata"
        run.start(
            "operator", programs.program("operator", "operator"), f"--kubeconfig={plane.admin}", "--disable-ha",
            env=SETTINGS | {"KO_DATA_PATH": str(data)},
        )  # fmt: skip
        plane.kubectl.apply(*of_kind(things, "KnativeServing"))

        def done() -> bool:
            run.check()
            # Its last words before it waits for pods, which nobody runs here.
            return plane.kubectl.says("get", "service/kourier-internal", f"--namespace={knative.NAMESPACE}")

        wait_for("Kourier's Service", done)
        yield plane


def test_kourier_is_where_nginx_and_the_policies_look_for_it(installed: ControlPlane, production: list[Thing]) -> None:
    (edge,) = [pod for pod in workloads(production) if pod.owner == "Deployment/edge"]
    (container,) = edge.containers
    ((name, space, port),) = HOST.findall(environment(container)["GATEWAY"])
    service = installed.kubectl.get("service", name, f"--namespace={space}")
    assert int(port) in {entry["port"] for entry in service["spec"]["ports"]}
    assert service["spec"]["type"] == "ClusterIP"
    gateway = installed.kubectl.get("deployment", "3scale-kourier-gateway", f"--namespace={space}")
    labels = gateway["spec"]["template"]["metadata"]["labels"]
    (policy,) = [t for t in of_kind(production, "NetworkPolicy") if t["metadata"]["name"] == "gateway"]
    assert policy["metadata"]["namespace"] == space
    assert policy["spec"]["podSelector"]["matchLabels"].items() <= labels.items()


def test_kourier_has_no_address_outside(installed: ControlPlane) -> None:
    services = installed.kubectl.get("services", "--all-namespaces")["items"]
    assert {service["spec"]["type"] for service in services} == {"ClusterIP"}


def test_every_pod_gets_the_requests_that_we_set(installed: ControlPlane, production: list[Thing]) -> None:
    """An override whose name fits nothing is passed over in silence."""
    (serving,) = of_kind(production, "KnativeServing")
    ours = {
        (workload["name"], part["container"]): {"requests": part["requests"], "limits": part["limits"]}
        for workload in serving["spec"]["workloads"]
        for part in workload["resources"]
    }
    deployments = installed.kubectl.get("deployments", f"--namespace={knative.NAMESPACE}")["items"]
    theirs = {
        (deployment["metadata"]["name"], container["name"]): container["resources"]
        for deployment in deployments
        for container in deployment["spec"]["template"]["spec"]["containers"]
    }
    assert theirs == ours


def test_the_gateway_lets_answers_end_for_nearly_all_of_its_grace(production: list[Thing]) -> None:
    """The guide says for how long: the grace is Kourier's, and no setting of the operator's changes it."""
    pod, drain = kourier.gateway(production), kourier.drain(production)
    (container,) = pod["containers"]
    assert int(environment(container)[kourier.DRAIN]) < drain <= pod["terminationGracePeriodSeconds"] - 5
    guide = " ".join((render.ROOT / "terraform" / "README.md").read_text().split())
    assert f"{pod['terminationGracePeriodSeconds']} seconds to end" in guide
    assert f"{drain} of them" in guide


def test_the_gateway_gets_that_time(installed: ControlPlane, production: list[Thing]) -> None:
    made = installed.kubectl.get("deployment", kourier.GATEWAY, f"--namespace={knative.NAMESPACE}")
    (container,) = made["spec"]["template"]["spec"]["containers"]
    assert int(environment(container)[kourier.DRAIN]) == kourier.drain(production)


def test_no_budget_blocks_the_drain_of_a_node(installed: ControlPlane) -> None:
    budgets = installed.kubectl.get("poddisruptionbudgets", "--all-namespaces")["items"]
    assert budgets
    for budget in budgets:
        assert budget["spec"].get("maxUnavailable") == 1, budget["metadata"]["name"]
        assert "minAvailable" not in budget["spec"], budget["metadata"]["name"]


def test_its_settings_are_ours(installed: ControlPlane, production: list[Thing]) -> None:
    (serving,) = of_kind(production, "KnativeServing")
    for name, data in serving["spec"]["config"].items():
        made = installed.kubectl.get("configmap", f"config-{name}", f"--namespace={knative.NAMESPACE}")["data"]
        assert data.items() <= made.items(), name
