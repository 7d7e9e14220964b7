"""A genuine API server and Knative's genuine webhook judge every object that we ever send them."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from tests.cluster import render
from tests.cluster.controlplane import ControlPlane
from tests.cluster.kubectl import KubectlError, Thing
from tests.knative import kourier
from tests.knative.conftest import production_folders
from tests.knative.workloads import functions, identity, namespace, of_kind, template, workloads

# Types of GKE's Secret Manager add-on, of which Google publishes no definition: nothing but GKE can judge them.
UNPUBLISHED = {"secrets-store-gke.csi.x-k8s.io", "secret-sync.gke.io"}


def group(thing: Thing) -> str:
    """The API group of an object's type."""
    version: str = thing["apiVersion"]
    return version.rpartition("/")[0]


@pytest.fixture(scope="module", autouse=True)
def prepared(plane: ControlPlane) -> None:
    """The namespaces and accounts that objects are made in and pods run as: a dry run stores none of its own."""
    things = [thing for folder in render.folders() for thing in render.objects(folder)]
    unique = {(identity(t), namespace(t)): t for t in reversed(things)}.values()
    # Each namespace once as production has it; folders that only name one get it made plain.
    named = {namespace(t) for t in things} - {""} - {t["metadata"]["name"] for t in of_kind(things, "Namespace")}
    plain: list[Thing] = [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}} for name in named]
    plane.kubectl.apply(*plain, *of_kind(list(unique), "Namespace"))
    plane.kubectl.apply(*of_kind(list(unique), "ServiceAccount"))


def test_everything_is_admitted(plane: ControlPlane, objects: list[Thing]) -> None:
    """Strictly: an unknown or doubled field is an error, and what is stored says all that we said."""
    refused = {}
    for thing in objects:
        if group(thing) in UNPUBLISHED:
            continue
        try:
            plane.kubectl.dry_run(thing)
        except KubectlError as error:
            refused[identity(thing)] = str(error)
    assert not refused


def test_only_the_add_ons_types_are_not_judged(plane: ControlPlane) -> None:
    """Every other type is known to the API server, so that nothing slips by unseen."""
    served = {version.rpartition("/")[0] for version in plane.kubectl("api-versions").split()}
    used = {group(thing) for folder in render.folders() for thing in render.objects(folder)}
    assert used - served <= UNPUBLISHED


def test_pods_pass_at_level_restricted(plane: ControlPlane, folder: Path, objects: list[Thing]) -> None:
    """Pod security looks at pods alone, so that each is offered as its controller would make it."""
    if folder not in production_folders():
        pytest.skip("the same pods as production's, under other names")
    spaces = {t["metadata"]["name"]: t for t in of_kind(objects, "Namespace")}
    for workload in workloads(objects):
        if workload.namespace in spaces:
            labels = spaces[workload.namespace]["metadata"].get("labels", {})
            assert labels.get("pod-security.kubernetes.io/enforce") == "restricted", workload.namespace
        meta = {"generateName": "probe-", "namespace": workload.namespace, "labels": workload.labels}
        pod: Thing = {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": pod_spec(workload.spec)}
        plane.kubectl("create", "--dry-run=server", "-f", "-", text=json.dumps(pod))


def pod_spec(spec: dict[str, Any]) -> dict[str, Any]:
    """A PodSpec from Knative's, which has fields of its own and names no container."""
    own = {"containerConcurrency", "timeoutSeconds", "idleTimeoutSeconds", "responseStartTimeoutSeconds"}
    pod = {key: value for key, value in spec.items() if key not in own}
    pod["containers"] = [{"name": "user-container"} | container for container in copy.deepcopy(spec["containers"])]
    return pod


def test_knative_takes_its_settings(plane: ControlPlane, production: list[Thing]) -> None:
    """Knative's webhook judges each ConfigMap as the operator will write it; the KnativeServing it only stores."""
    config = kourier.settings(production)["config"]
    del config["kourier"]  # Kourier's own controller reads that one, and no webhook before it (test_logs.py)
    for name, data in config.items():
        patch = json.dumps({"data": data})
        plane.kubectl(
            "patch", "configmap", f"config-{name}", "--namespace=knative-serving", "--dry-run=server",
            f"--patch={patch}",
        )  # fmt: skip


def a_function() -> Thing:
    """One Knative Service of production."""
    for folder in production_folders():
        if found := functions(render.objects(folder)):
            return found[0]
    pytest.fail("no folder has a Knative Service")


def misspell(function: Thing) -> None:
    spec = (template(function) or {})["spec"]
    spec["containerConcurency"] = spec.pop("containerConcurrency")


def overdraw(function: Thing) -> None:
    (template(function) or {})["spec"]["timeoutSeconds"] = 601


def scale_below_zero(function: Thing) -> None:
    (template(function) or {})["metadata"]["annotations"]["autoscaling.knative.dev/min-scale"] = "-1"


@pytest.mark.parametrize(
    ("spoil", "verdict"),
    [
        (misspell, ".spec.template.spec.containerConcurency: field not declared in schema"),
        (overdraw, "expected 0 <= 601 <= 600: spec.template.spec.timeoutSeconds"),
        (scale_below_zero, "autoscaling.knative.dev/min-scale"),
    ],
)
def test_a_wrong_function_is_refused(plane: ControlPlane, spoil: Any, verdict: str) -> None:
    """The judges are awake: what is wrong in one place is refused in words that name it."""
    function = a_function()
    plane.kubectl.dry_run(function)
    spoil(function)
    with pytest.raises(KubectlError) as refusal:
        plane.kubectl.dry_run(function)
    assert verdict in str(refusal.value)


def test_a_pod_that_may_be_root_is_refused(plane: ControlPlane) -> None:
    """Pod security is in force where the functions run."""
    function = a_function()
    spec = pod_spec((template(function) or {})["spec"])
    spec["containers"][0]["securityContext"]["allowPrivilegeEscalation"] = True
    meta = {"name": "probe", "namespace": namespace(function)}
    pod: Thing = {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec}
    with pytest.raises(KubectlError, match='violates PodSecurity "restricted'):
        plane.kubectl("create", "--dry-run=server", "-f", "-", text=json.dumps(pod))
