"""Nobody may do more than what it does."""

import copy
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster import knative, programs, render
from tests.cluster.kubectl import Thing
from tests.knative import charts, kourier
from tests.knative.charts import Chart, ChartMissingError
from tests.knative.workloads import identity, of_kind

ROLES = ("Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding")
LISTS = ("sourceRepos", "destinations", "clusterResourceWhitelist", "namespaceResourceWhitelist")
ADMINISTRATORS = {"admin", "cluster-admin", "edit"}
OPERATOR = "it installs what may be anything, and is given the rights on its own kinds and on its leases whole"
PEOPLE = "for people whom a cluster's administrator gives it to, on Knative's own kinds; bound to nobody"
EXCEPTIONS = {
    "knative-operator": {
        "ClusterRole/knative-serving-operator": OPERATOR,
        "ClusterRole/knative-eventing-operator": "the chart brings both halves; " + OPERATOR,
    },
    "argo-cd": {
        "ClusterRole/argocd-application-controller": "it applies whatever Git says; the project names what that may be",
        "ClusterRole/argocd-server": "its page shows and prunes what was applied; it has no address",
    },
    "Knative Serving": {
        "ClusterRole/knative-serving-core": "all that can be done with its own kinds, which its controllers do",
        "ClusterRole/knative-serving-namespaced-admin": PEOPLE,
        "ClusterRole/knative-serving-namespaced-edit": PEOPLE,
        "ClusterRole/knative-serving-namespaced-view": PEOPLE,
    },
}
"""What other people's programs are given beyond what can be named, with the reason that we live with it."""


def wildcards(things: list[Thing]) -> Iterator[str]:
    """The roles that allow everything of a sort, and the bindings to those that Kubernetes brings along."""
    for thing in of_kind(things, "Role", "ClusterRole"):
        rules = thing.get("rules") or []
        if any("*" in rule.get(field, []) for rule in rules for field in ("apiGroups", "resources", "verbs")):
            yield identity(thing)
    for thing in of_kind(things, "RoleBinding", "ClusterRoleBinding"):
        if thing["roleRef"]["name"] in ADMINISTRATORS:
            yield identity(thing)


def too_wide(project: Thing) -> Iterator[str]:
    """Where an Argo CD project allows whatever there is: a repository, a place, a kind."""
    lists = {"namespaceResourceWhitelist": ["*"]}  # which is what leaving this one out means
    for field, entries in (lists | project["spec"]).items():
        for entry in entries if field in LISTS else []:
            if any("*" in value for value in ([entry] if isinstance(entry, str) else entry.values())):
                yield field


def test_nothing_of_ours_asks_the_api_server(production: list[Thing]) -> None:
    """So that no pod has a right there, nor a token to use one."""
    assert not of_kind(production, *ROLES)
    for account in of_kind(production, "ServiceAccount"):
        assert account["automountServiceAccountToken"] is False, identity(account)


@pytest.mark.parametrize(
    "chart", [*charts.of_applications(), *(c for c, _ in charts.of_terraform())], ids=lambda c: c.name
)
def test_what_others_may_is_known_and_has_a_reason(chart: Chart, tmp_path: Path) -> None:
    try:
        made = chart.render(tmp_path)
    except (ChartMissingError, programs.GoMissingError) as error:
        pytest.skip(f"NOT RUN: {error}")
    assert of_kind(made, *ROLES)
    assert set(wildcards(made)) == EXCEPTIONS.get(chart.name, {}).keys()


def test_what_knative_and_kourier_may_is_known_too(production: list[Thing]) -> None:
    try:
        made = [*knative.release(), *kourier.release(production).values()]
    except programs.GoMissingError as error:
        pytest.skip(f"NOT RUN: {error}")
    assert of_kind(made, *ROLES)
    assert set(wildcards(made)) == EXCEPTIONS["Knative Serving"].keys()


@pytest.mark.parametrize("field", ["apiGroups", "resources", "verbs"])
def test_a_wildcard_is_seen(field: str) -> None:
    rule = {"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["get"]}
    role: Thing = {"kind": "Role", "metadata": {"name": "planted"}, "rules": [rule]}
    assert not list(wildcards([role]))
    rule[field] = ["*"]
    assert list(wildcards([role])) == ["Role/planted"]


def test_an_administrator_is_seen() -> None:
    binding: Thing = {"kind": "ClusterRoleBinding", "metadata": {"name": "planted"}, "roleRef": {"name": "edit"}}
    assert list(wildcards([binding])) == ["ClusterRoleBinding/planted"]


def project() -> Thing:
    (found,) = of_kind(render.objects(charts.APPS.parent), "AppProject")
    return copy.deepcopy(found)


def test_the_project_names_what_it_allows() -> None:
    """One that allows every repository, place or kind allows anything."""
    assert not list(too_wide(project()))


@pytest.mark.parametrize(
    ("field", "planted"),
    [
        ("sourceRepos", "*"),
        ("sourceRepos", "https://github.com/*"),
        ("destinations", {"server": "*", "namespace": "nanoka"}),
        ("clusterResourceWhitelist", {"group": "*", "kind": "ClusterRole"}),
        ("namespaceResourceWhitelist", {"group": "apps", "kind": "*"}),
    ],
)
def test_a_project_that_is_too_wide_is_seen(field: str, planted: str | dict[str, str]) -> None:
    wide = project()
    wide["spec"][field].append(planted)
    assert list(too_wide(wide)) == [field]


def test_a_project_that_allows_every_kind_by_silence_is_seen() -> None:
    silent = project()
    del silent["spec"]["namespaceResourceWhitelist"]
    assert list(too_wide(silent)) == ["namespaceResourceWhitelist"]
