"""Argo CD's applications read folders that exist, and its project allows what lies in them."""

from collections.abc import Iterator
from pathlib import Path

import yaml

from tests.cluster import render
from tests.cluster.kubectl import Thing
from tests.knative.workloads import identity, namespace, of_kind

CLUSTER_SCOPED = {"Namespace", "ClusterRole", "ClusterRoleBinding", "ClusterIssuer", "CustomResourceDefinition"}
ARGOCD = render.ROOT / "argocd"


def applications() -> list[Thing]:
    return of_kind([*render.objects(ARGOCD), *render.objects(ARGOCD / "apps")], "Application")


def folders() -> Iterator[tuple[Thing, Path]]:
    """Each application that reads this repository, with the folder that it reads."""
    for application in applications():
        if path := application["spec"]["source"].get("path"):
            yield application, render.ROOT / path


def test_applications_read_folders_that_exist() -> None:
    read = {folder for _, folder in folders()}
    assert read
    assert read <= set(render.folders()), read - set(render.folders())


def test_the_project_allows_what_they_make() -> None:
    """Argo CD refuses a whole sync for one object that the project does not name."""
    (project,) = of_kind(render.objects(ARGOCD), "AppProject")
    places = {destination["namespace"] for destination in project["spec"]["destinations"]}
    allowed = {
        scope: {(entry["group"], entry["kind"]) for entry in project["spec"][f"{scope}ResourceWhitelist"]}
        for scope in ("cluster", "namespace")
    }
    for application, folder in folders():
        assert application["spec"]["source"]["repoURL"] in project["spec"]["sourceRepos"], identity(application)
        for thing in render.objects(folder):
            scope = "cluster" if thing["kind"] in CLUSTER_SCOPED else "namespace"
            group = thing["apiVersion"].rpartition("/")[0]
            assert (group, thing["kind"]) in allowed[scope], f"{identity(application)}: {identity(thing)}"
            if scope == "namespace":
                target = namespace(thing) or application["spec"]["destination"]["namespace"]
                assert target in places, f"{identity(application)}: {identity(thing)} in {target}"


def test_a_commit_repairs_whatever_a_commit_broke(production: list[Thing]) -> None:
    """Argo CD begins no sync while another one waits or retries: each must look at newer commits, or come to an end."""
    for application in applications():
        assert application["spec"]["syncPolicy"]["retry"]["refresh"] is True, identity(application)
    (root,) = [application for application in applications() if application["metadata"]["name"] == "root"]
    assert root["spec"]["syncPolicy"]["retry"]["limit"] < 0
    (migrations,) = of_kind(production, "Job")
    values = yaml.safe_load((render.ROOT / "terraform" / "argocd" / "values.yaml").read_text())
    timeout = int(values["configs"]["params"]["controller.sync.timeout.seconds"])
    assert migrations["spec"]["activeDeadlineSeconds"] < timeout <= 3600


def test_functions_are_applied_client_side() -> None:
    """Applied on the server's side, `serving.knative.dev/creator` becomes Argo CD's own field, and Knative's
    webhook, to which it is immutable, refuses every later sync."""
    for application, folder in folders():
        if any(thing["apiVersion"].startswith("serving.knative.dev/") for thing in render.objects(folder)):
            assert "ServerSideApply=true" not in application["spec"]["syncPolicy"]["syncOptions"]
