"""Knative Serving's release manifests, and its webhook as a process beside an API server without a node.

The manifests are those that Knative's operator carries, so what the webhook judges by here is what the
operator installs in production.
"""

from pathlib import Path
from typing import Any

import yaml

from tests.cluster import programs
from tests.cluster.controlplane import ControlPlane, free_ports
from tests.cluster.kubectl import KubectlError, Thing
from tests.cluster.run import wait_for

NAMESPACE = "knative-serving"
OPERATOR = "knative.dev/operator"
WEBHOOKS = {"ValidatingWebhookConfiguration", "MutatingWebhookConfiguration"}
# What the webhook reads or is registered by; the rest of the release runs on a node.
KINDS = {
    "Namespace",
    "ServiceAccount",
    "Role",
    "ClusterRole",
    "RoleBinding",
    "ClusterRoleBinding",
    "ConfigMap",
    "Secret",
}


def release() -> list[Thing]:
    """Every object of the newest release of Knative Serving that the operator carries."""
    versions = programs.source("operator", OPERATOR) / "cmd" / "operator" / "kodata" / "knative-serving"
    newest = max(versions.iterdir(), key=lambda folder: tuple(map(int, folder.name.split("."))))
    return [thing for file in ("1-serving-crds.yaml", "2-serving-core.yaml") for thing in documents(newest / file)]


def documents(file: Path) -> list[Thing]:
    """The objects of a YAML file."""
    return [thing for thing in yaml.safe_load_all(file.read_text()) if thing]


def install_types(plane: ControlPlane) -> None:
    """Namespace, roles, types and config maps: all that the webhook needs."""
    things = release()
    types = {t["metadata"]["name"]: t for t in things if t["kind"] == "CustomResourceDefinition"}
    for type_ in types.values():
        # Objects are stored in one version here: nobody has to convert them.
        type_["spec"].pop("conversion", None)
    plane.kubectl.define(*types.values())
    plane.kubectl.apply(*(t for t in things if t["kind"] in KINDS))


def start_webhook(plane: ControlPlane) -> None:
    """Run Knative's webhook beside the API server; return when it admits.

    An ExternalName Service takes the API server to it, since a loopback address may not be an endpoint.
    """
    port, metrics, profiling = free_ports(3)
    service: Thing = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "webhook", "namespace": NAMESPACE},
        "spec": {"type": "ExternalName", "externalName": "localhost"},
    }
    # The webhook tries each Service's pod in a dry run; without a controller manager nobody makes this account.
    account: Thing = {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {"name": "default", "namespace": "default"},
    }
    plane.kubectl.apply(service, account)
    plane.run.start(
        "knative-webhook", programs.program("knative", "webhook"), f"--kubeconfig={plane.admin}",
        env={
            "SYSTEM_NAMESPACE": NAMESPACE, "POD_NAME": "webhook", "WEBHOOK_NAME": "webhook",
            "WEBHOOK_PORT": str(port), "METRICS_PROMETHEUS_PORT": str(metrics), "PROFILING_PORT": str(profiling),
            "CONFIG_LOGGING_NAME": "config-logging", "CONFIG_OBSERVABILITY_NAME": "config-observability",
        },
    )  # fmt: skip
    hooks = [thing for thing in release() if thing["kind"] in WEBHOOKS]
    for hook in hooks:
        for webhook in hook["webhooks"]:
            webhook["clientConfig"]["service"]["port"] = port
    plane.kubectl.apply(*hooks)

    def admits() -> bool:
        plane.run.check()
        try:
            plane.kubectl("create", "--dry-run=server", "-f", "-", text=yaml.safe_dump(probe()))
        except KubectlError:
            return False
        return True

    wait_for("Knative's webhook", admits)


def probe() -> dict[str, Any]:
    """The smallest Service that Knative's webhook admits."""
    return {
        "apiVersion": "serving.knative.dev/v1",
        "kind": "Service",
        "metadata": {"name": "probe", "namespace": "default"},
        "spec": {"template": {"spec": {"containers": [{"image": "dev.local/probe"}]}}},
    }
