"""Nobody may do more than what it does."""

from tests.cluster.kubectl import Thing
from tests.knative.workloads import identity, of_kind


def test_no_wildcard_permission(objects: list[Thing]) -> None:
    for role in of_kind(objects, "Role", "ClusterRole"):
        for rule in role.get("rules", []):
            for field in ("apiGroups", "resources", "verbs"):
                assert "*" not in rule.get(field, []), f"{identity(role)}: {field}"


def test_nobody_is_an_administrator(objects: list[Thing]) -> None:
    for binding in of_kind(objects, "RoleBinding", "ClusterRoleBinding"):
        assert binding["roleRef"]["name"] not in {"admin", "cluster-admin", "edit"}, identity(binding)


def test_projects_name_what_they_allow(objects: list[Thing]) -> None:
    """An Argo CD project that allows every repository, place or cluster-wide kind allows anything."""
    for project in of_kind(objects, "AppProject"):
        spec = project["spec"]
        assert "*" not in spec.get("sourceRepos", []), identity(project)
        for destination in spec.get("destinations", []):
            assert "*" not in (destination.get("namespace"), destination.get("server")), identity(project)
        for allowed in spec.get("clusterResourceWhitelist", []):
            assert "*" not in (allowed["group"], allowed["kind"]), identity(project)
