"""Every pod of ours is as locked up, bounded and pinned as it can be."""

import re

from tests.cluster.kubectl import Thing
from tests.knative.workloads import Workload, functions, identity, template, workloads

DIGEST = re.compile(r"@sha256:[0-9a-f]{64}$")
RESOURCES = ("cpu", "memory", "ephemeral-storage")


def named(workload: Workload, container: dict[str, object]) -> str:
    return f"{workload.owner}: container {container.get('name', 'the function')}"


def test_every_container_is_restricted(objects: list[Thing]) -> None:
    """Kubernetes' level `restricted`, and a root file system that nothing can be written to."""
    for workload in workloads(objects):
        pod = workload.spec.get("securityContext", {})
        for container in workload.containers:
            own, where = container.get("securityContext", {}), named(workload, container)
            assert own.get("readOnlyRootFilesystem") is True, where
            assert own.get("allowPrivilegeEscalation") is False, where
            assert own.get("capabilities", {}).get("drop") == ["ALL"], where
            assert not own["capabilities"].get("add"), where
            assert not own.get("privileged"), where
            assert (own.get("runAsNonRoot") or pod.get("runAsNonRoot")) is True, where
            assert (own.get("runAsUser") or pod.get("runAsUser") or 1) > 0, where
            seccomp = own.get("seccompProfile") or pod.get("seccompProfile") or {}
            assert seccomp.get("type") == "RuntimeDefault", where


def test_whoever_connects_to_cloud_sql_has_a_place_for_files(objects: list[Thing]) -> None:
    """Its connector hands key and certificates to TLS as files in a temporary folder: on a root file system that
    nothing can be written to it never connects."""
    found = set()
    for workload in workloads(objects):
        volumes = workload.spec.get("volumes", [])
        memory = {volume["name"] for volume in volumes if volume.get("emptyDir", {}).get("medium") == "Memory"}
        for container in workload.containers:
            if "INSTANCE_CONNECTION_NAME" in {entry["name"] for entry in container.get("env", [])}:
                mounts = container.get("volumeMounts", [])
                writable = {m["mountPath"] for m in mounts if m["name"] in memory and not m.get("readOnly")}
                assert "/tmp" in writable, named(workload, container)
                found.add(workload.owner)
    if any(functions(objects)):
        assert found == {identity(function) for function in functions(objects)} | {"Job/migrate"}


def test_every_container_is_bounded(objects: list[Thing]) -> None:
    """What it gets at least and what it may take at most is said, or it may starve its neighbours."""
    for workload in workloads(objects):
        for container in workload.containers:
            resources, where = container.get("resources", {}), named(workload, container)
            for name in RESOURCES:
                assert resources.get("requests", {}).get(name), f"{where} requests no {name}"
            for name in ("memory", "ephemeral-storage"):
                assert resources.get("limits", {}).get(name), f"{where} has no limit for {name}"


def test_production_images_are_digests(production: list[Thing]) -> None:
    """A tag may be moved; what was tested is what runs."""
    for workload in workloads(production):
        for container in workload.containers:
            assert DIGEST.search(container["image"]), f"{named(workload, container)}: {container['image']}"


def test_no_default_service_account(objects: list[Thing]) -> None:
    """A pod has an identity of its own, and holds a token for the API server only if it says so."""
    for workload in workloads(objects):
        account = workload.spec.get("serviceAccountName", "default")
        assert account != "default", workload.owner


def test_no_host_namespace(objects: list[Thing]) -> None:
    for workload in workloads(objects):
        for name in ("hostNetwork", "hostPID", "hostIPC"):
            assert not workload.spec.get(name), f"{workload.owner}: {name}"
        for volume in workload.spec.get("volumes", []):
            assert "hostPath" not in volume, f"{workload.owner}: {volume['name']}"


def test_threads_are_the_concurrency(objects: list[Thing]) -> None:
    """functions-framework takes its threads from the node's cores unless told, and what is over them waits
    inside the pod, where Knative sees it as served."""
    for function in functions(objects):
        spec = (template(function) or {})["spec"]
        (container,) = spec["containers"]
        threads = {e["name"]: e.get("value") for e in container["env"]}["THREADS"]
        assert threads == str(spec["containerConcurrency"]), function["metadata"]["name"]


def test_grace_fits_into_the_timeout(objects: list[Thing]) -> None:
    """A pod that is told to end gets `timeoutSeconds`, the first 30 of which queue-proxy waits: what is still
    running after `GRACE_SECONDS` is saved before the rest is over."""
    for function in functions(objects):
        spec = (template(function) or {})["spec"]
        (container,) = spec["containers"]
        grace = {e["name"]: e.get("value") for e in container["env"]}.get("GRACE_SECONDS")
        if grace is not None:
            assert int(grace) + 30 <= spec["timeoutSeconds"], function["metadata"]["name"]


def test_probes_neither_wake_the_model_nor_delay_a_cold_start(objects: list[Thing]) -> None:
    """A request would load what send-message loads, and with periodSeconds Knative leaves probing to the kubelet."""
    for function in functions(objects):
        (container,) = (template(function) or {})["spec"]["containers"]
        name = function["metadata"]["name"]
        assert container["readinessProbe"] == {"tcpSocket": {"port": 8080}}, name
        assert container["livenessProbe"].keys() == {"tcpSocket", "periodSeconds", "failureThreshold"}, name
        assert "startupProbe" not in container, name
