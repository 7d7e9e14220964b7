"""GKE Autopilot has nothing to change of what we ask for."""

import pytest

from tests.cluster.kubectl import Thing
from tests.knative.autopilot import STORAGE, changes
from tests.knative.workloads import functions, of_kind, template, workloads


def test_pods_are_left_as_they_are(production: list[Thing]) -> None:
    names = {f"Service/{function['metadata']['name']}" for function in functions(production)}
    for workload in workloads(production):
        if workload.owner not in names:
            assert not list(changes([container["resources"] for container in workload.containers])), workload.owner


def test_functions_are_left_as_they_are_beside_their_queue_proxy(production: list[Thing]) -> None:
    (serving,) = of_kind(production, "KnativeServing")
    said = serving["spec"]["config"]["deployment"]
    proxy = {
        "requests": {part: said[f"queue-sidecar-{part}-request"] for part in ("cpu", "memory", STORAGE)},
        "limits": {part: said[f"queue-sidecar-{part}-limit"] for part in ("memory", STORAGE)},
    }
    for function in functions(production):
        (container,) = (template(function) or {})["spec"]["containers"]
        assert not list(changes([container["resources"], proxy])), function["metadata"]["name"]


def test_knatives_pods_are_left_as_they_are(production: list[Thing]) -> None:
    (serving,) = of_kind(production, "KnativeServing")
    for workload in serving["spec"]["workloads"]:
        assert not list(changes(workload["resources"])), workload["name"]


@pytest.mark.parametrize(
    ("requests", "limits", "verdict"),
    [
        ({"cpu": "100m", "memory": "64Mi"}, {}, "do not fit"),
        ({"cpu": "50m", "memory": "1Gi"}, {}, "do not fit"),
        ({"cpu": "10m", "memory": "64Mi"}, {}, "too little"),
        ({"cpu": "100m", "memory": "128Mi", STORAGE: "32Mi"}, {STORAGE: "64Mi"}, "limited to 64Mi"),
    ],
)
def test_what_it_changes_is_seen(requests: dict[str, str], limits: dict[str, str], verdict: str) -> None:
    assert verdict in " ".join(changes([{"requests": requests, "limits": limits}]))
