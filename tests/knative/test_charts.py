"""Other people's charts do with our values what we mean, and the genuine API server takes what they make."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cluster import knative, programs, render
from tests.cluster.controlplane import ControlPlane
from tests.cluster.kubectl import KubectlError, Thing
from tests.cluster.programs import GoMissingError
from tests.knative import charts
from tests.knative.autopilot import changes
from tests.knative.charts import Chart, ChartMissingError
from tests.knative.conftest import production_folders
from tests.knative.test_argocd import CLUSTER_SCOPED
from tests.knative.workloads import identity, namespace, of_kind, template
from tests.terraform import costs

APPLICATIONS = charts.of_applications()
((ARGOCD, _),) = charts.of_terraform()


@pytest.fixture(params=[*APPLICATIONS, ARGOCD], ids=lambda chart: chart.name)
def chart(request: pytest.FixtureRequest) -> Chart:
    found: Chart = request.param
    return found


@pytest.fixture
def made(chart: Chart, tmp_path: Path) -> list[Thing]:
    """What installing the chart makes; our values are judged by its own schema where it has one."""
    try:
        return chart.render(tmp_path)
    except (ChartMissingError, GoMissingError) as error:
        pytest.skip(f"NOT RUN: {error} (`nox -s manifests` fetches it where it can be reached)")


def containers(things: list[Thing]) -> Iterator[tuple[str, dict[str, Any]]]:
    """(who makes it, container) of every pod that stays."""
    for thing in of_kind(things, "Deployment", "StatefulSet", "DaemonSet"):
        if thing["spec"].get("replicas", 1):
            for container in (template(thing) or {})["spec"]["containers"]:
                yield identity(thing), container


def test_everything_is_admitted(plane: ControlPlane, chart: Chart, made: list[Thing]) -> None:
    names = {chart.namespace} | {space for thing in made if (space := namespace(thing))}
    spaces: list[Thing] = [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}} for name in names]
    plane.kubectl.apply(*spaces)
    refused = {}
    for thing in made:
        if thing["kind"] not in CLUSTER_SCOPED and not namespace(thing):
            thing["metadata"]["namespace"] = chart.namespace
        try:
            plane.kubectl.dry_run(thing)
        except KubectlError as error:
            refused[identity(thing)] = str(error)
    assert not refused


@pytest.mark.parametrize("chart", APPLICATIONS, ids=lambda chart: chart.name, indirect=True)
def test_the_project_allows_what_they_make(chart: Chart, made: list[Thing]) -> None:
    """Argo CD refuses a whole sync for one object that the project does not name."""
    (project,) = of_kind(render.objects(charts.APPS.parent), "AppProject")
    places = {destination["namespace"] for destination in project["spec"]["destinations"]}
    allowed = {
        scope: {(entry["group"], entry["kind"]) for entry in project["spec"][f"{scope}ResourceWhitelist"]}
        for scope in ("cluster", "namespace")
    }
    for thing in made:
        scope = "cluster" if thing["kind"] in CLUSTER_SCOPED or "Webhook" in thing["kind"] else "namespace"
        group = thing["apiVersion"].rpartition("/")[0]
        assert (group, thing["kind"]) in allowed[scope], identity(thing)
        assert (namespace(thing) or chart.namespace) in places, identity(thing)


def test_the_project_allows_nothing_else(tmp_path: Path) -> None:
    """What is allowed and not used is a door that somebody forgot to close."""
    (project,) = of_kind(render.objects(charts.APPS.parent), "AppProject")
    try:
        things = [(chart.namespace, thing) for chart in APPLICATIONS for thing in chart.render(tmp_path)]
    except GoMissingError as error:
        pytest.skip(f"NOT RUN: {error}")
    things += [(namespace(thing), thing) for folder in production_folders() for thing in render.objects(folder)]
    things = [(target, thing) for target, thing in things if thing["kind"] != "AppProject"]  # made by Terraform
    kinds = {(thing["apiVersion"].rpartition("/")[0], thing["kind"]) for _, thing in things}
    spec = project["spec"]
    allowed = [*spec["clusterResourceWhitelist"], *spec["namespaceResourceWhitelist"]]
    assert {(entry["group"], entry["kind"]) for entry in allowed} == kinds
    used = {namespace(thing) or target for target, thing in things} - {""}
    assert {destination["namespace"] for destination in spec["destinations"]} == used


def test_nothing_goes_where_autopilot_lets_nobody(made: list[Thing]) -> None:
    assert not [identity(thing) for thing in made if namespace(thing) == "kube-system"]


def test_every_pod_that_stays_says_what_it_needs(made: list[Thing]) -> None:
    """Autopilot gives a container that asks for nothing half a core and 2 GiB, and has it paid for."""
    found = dict(containers(made))
    assert found
    for owner, container in found.items():
        assert {"cpu", "memory"} <= container.get("resources", {}).get("requests", {}).keys(), owner
        assert not list(changes([container["resources"]])), owner


def test_what_is_rendered_is_what_is_installed() -> None:
    """The source that is rendered here is of the version that the application names."""
    modules = {"cert-manager": ("types", "github.com/cert-manager/cert-manager")}
    for chart in APPLICATIONS:
        if chart.name in modules:
            assert chart.version == programs.version(*modules[chart.name])
    # Knative counts its Go modules differently: 0.50 is 1.23.
    (operator,) = (chart for chart in APPLICATIONS if chart.name == "knative-operator")
    _, minor, patch = programs.version("operator", knative.OPERATOR).split(".")
    assert operator.version == f"v1.{int(minor) - 27}.{patch}"


@pytest.mark.parametrize("chart", [c for c in APPLICATIONS if c.name == "knative-operator"], indirect=True)
def test_the_costs_know_the_operators_pods(made: list[Thing]) -> None:
    for owner, container in containers(made):
        name = owner.rpartition("/")[2].removeprefix("knative-")
        pod = costs.asked(container["resources"]["requests"])
        assert costs.FOREIGN[name] == (pod.cpu, pod.mib), owner


@pytest.mark.parametrize("chart", [c for c in APPLICATIONS if c.name == "cert-manager"], indirect=True)
def test_cert_managers_pod_is_the_account_with_the_zone(chart: Chart, made: list[Thing]) -> None:
    (controller,) = [t for t in of_kind(made, "Deployment") if t["metadata"]["name"] == chart.name]
    assert (template(controller) or {})["spec"]["serviceAccountName"] == "cert-manager"


def test_cert_managers_settings_are_fields_that_it_has() -> None:
    """The chart passes `config` on as it is, and nothing judges it before the controller's start."""
    (chart,) = (chart for chart in APPLICATIONS if chart.name == "cert-manager")
    try:
        source = programs.source("types", "github.com/cert-manager/cert-manager")
    except GoMissingError as error:
        pytest.skip(f"NOT RUN: {error}")
    types = (source / "pkg" / "apis" / "config" / "controller" / "v1alpha1" / "types.go").read_text()
    known = {"apiVersion", "kind", *re.findall(r'json:"(\w+)[,"]', types)}
    config = chart.values["config"]
    assert {*config, *(key for part in config.values() if isinstance(part, dict) for key in part)} <= known


@pytest.mark.parametrize("chart", [ARGOCD], ids=lambda chart: chart.name, indirect=True)
def test_argo_cds_chart_heeds_every_value(made: list[Thing]) -> None:
    """helm passes over a value that no template reads, and nothing then does what it was to do."""
    values = yaml.safe_load((charts.TERRAFORM / "values.yaml").read_text())
    asked = [part["resources"] for part in values.values() if "resources" in part]
    given = [container.get("resources") for _, container in containers(made)]
    given += [
        container.get("resources")
        for job in of_kind(made, "Job")
        for container in (template(job) or {})["spec"]["containers"]
    ]
    assert [resources for resources in asked if resources not in given] == []
    (settings,) = [t["data"] for t in of_kind(made, "ConfigMap") if t["metadata"]["name"] == "argocd-cm"]
    assert settings.items() >= values["configs"]["cm"].items()
    (parameters,) = [t["data"] for t in of_kind(made, "ConfigMap") if t["metadata"]["name"] == "argocd-cmd-params-cm"]
    wanted = {name: str(value).lower() for name, value in values["configs"]["params"].items()}
    assert parameters.items() >= wanted.items()
    assert wanted.keys() <= {
        entry.get("valueFrom", {}).get("configMapKeyRef", {}).get("key")
        for _, container in containers(made)
        for entry in container.get("env", [])
    }
    running = {owner.rpartition("/")[2] for owner, _ in containers(made)}
    assert running == {f"argocd-{name}" for name in ("application-controller", "redis", "repo-server", "server")}
