"""Knative's webhook lets a misspelt annotation or label through, and nothing then does what it was to do."""

from collections.abc import Iterator
from typing import Any

from tests.cluster.kubectl import Thing
from tests.knative.workloads import functions, identity, template

# As Knative 1.23 reads them, those that we have a use for (knative.dev/docs, "Configuring autoscaling" and
# "Networking"). On the template: they are a revision's. On the Service: they are a route's.
OF_REVISION = {
    "autoscaling.knative.dev/activation-scale",
    "autoscaling.knative.dev/class",
    "autoscaling.knative.dev/initial-scale",
    "autoscaling.knative.dev/max-scale",
    "autoscaling.knative.dev/metric",
    "autoscaling.knative.dev/min-scale",
    "autoscaling.knative.dev/panic-threshold-percentage",
    "autoscaling.knative.dev/panic-window-percentage",
    "autoscaling.knative.dev/scale-down-delay",
    "autoscaling.knative.dev/scale-to-zero-pod-retention-period",
    "autoscaling.knative.dev/target",
    "autoscaling.knative.dev/target-burst-capacity",
    "autoscaling.knative.dev/target-utilization-percentage",
    "autoscaling.knative.dev/window",
    "features.knative.dev/http-full-duplex",
    "queue.sidecar.serving.knative.dev/cpu-resource-limit",
    "queue.sidecar.serving.knative.dev/cpu-resource-request",
    "queue.sidecar.serving.knative.dev/ephemeral-storage-resource-limit",
    "queue.sidecar.serving.knative.dev/ephemeral-storage-resource-request",
    "queue.sidecar.serving.knative.dev/memory-resource-limit",
    "queue.sidecar.serving.knative.dev/memory-resource-request",
    "serving.knative.dev/progress-deadline",
}
OF_SERVICE = {"networking.knative.dev/visibility", "serving.knative.dev/rollout-duration"}
OF_ANYTHING = {"networking.knative.dev/ingress-provider", "serving.knative.dev/service"}


def keys(meta: dict[str, Any]) -> set[str]:
    """The annotations and labels that Knative would read."""
    named = {**meta.get("annotations", {}), **meta.get("labels", {})}
    return {key for key in named if "knative" in key}


def misspelt(thing: Thing) -> Iterator[str]:
    """The names in an object's metadata and its template's that Knative does not know in that place."""
    yield from sorted(keys(thing["metadata"]) - OF_SERVICE - OF_ANYTHING)
    yield from sorted(keys((template(thing) or {}).get("metadata", {})) - OF_REVISION - OF_ANYTHING)


def test_no_annotation_is_misspelt(objects: list[Thing]) -> None:
    assert not {identity(thing): found for thing in objects if (found := list(misspelt(thing)))}


def test_functions_that_read_and_write_at_once_say_so(production: list[Thing]) -> None:
    """Without it an answer is broken off now and then, too seldom for a test that asks to be relied on."""
    asking = {
        function["metadata"]["name"]
        for function in functions(production)
        if function["spec"]["template"]["metadata"]["annotations"].get("features.knative.dev/http-full-duplex")
        == "Enabled"
    }
    assert {"send-message", "list-history"} <= asking


def test_a_misspelt_annotation_is_seen() -> None:
    metadata = {"name": "login", "annotations": {"autoscaling.knative.dev/max-scale": "3"}}
    wrong = {"autoscaling.knative.dev/maxx-scale": "3", "autoscaling.knative.dev/max-scale": "3"}
    service = {
        "apiVersion": "serving.knative.dev/v1",
        "kind": "Service",
        "metadata": metadata,
        "spec": {"template": {"metadata": {"annotations": wrong}}},
    }
    # A scale on the Service itself is read by nobody, either.
    assert list(misspelt(service)) == ["autoscaling.knative.dev/max-scale", "autoscaling.knative.dev/maxx-scale"]
