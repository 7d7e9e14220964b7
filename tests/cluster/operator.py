"""Knative by its genuine operator, on the node."""

import re
from pathlib import Path

import yaml

from tests.cluster import archives, knative, programs
from tests.cluster.controlplane import ControlPlane
from tests.cluster.kubectl import Thing
from tests.cluster.run import wait_for

REGISTRY = "dev.local"  # one of those whose tags Knative leaves unresolved
NAMESPACE = "knative-operator"
SERVING = ("activator", "autoscaler", "autoscaler-hpa", "controller", "webhook", "queue", "migrate", "cleanup")


def version() -> str:
    """The version of Knative's modules, which is also the tag of the images."""
    return programs.version("operator", knative.OPERATOR)


def images() -> list[Path]:
    """The images of Knative and of its operator, as OCI archives."""
    serving = [archives.of_program("knative", program, f"{REGISTRY}/{program}:{version()}") for program in SERVING]
    # The operator brings every release's manifests along.
    kodata = programs.source("operator", knative.OPERATOR) / "cmd" / "operator" / "kodata"
    data = {f"kodata/{f.relative_to(kodata)}": f for f in kodata.rglob("*") if f.is_file()}
    own = [
        archives.of_program(
            "operator", program, f"{REGISTRY}/operator-{program}:{version()}", files, Env=["KO_DATA_PATH=/kodata"]
        )
        for program, files in (("operator", data), ("webhook", {}))
    ]
    return [*serving, *own]


def manifests() -> list[Thing]:
    """The operator's own manifests, with the names of our images."""
    config = programs.source("operator", knative.OPERATOR) / "config"
    files = [file for folder in ("crd/bases", "rbac", "manager", "webhook") for file in config.glob(f"{folder}/*.yaml")]
    # The "fake" ones are for a tool that may not grant what it does not hold.
    chosen = [file for file in files if file.stem != "kustomization" and not file.stem.startswith("fake_")]
    text = "\n---\n".join(file.read_text() for file in [config / "000-namespace.yaml", *sorted(chosen)])
    text = re.sub(r"ko://knative\.dev/operator/cmd/(\w+)", rf"{REGISTRY}/operator-\1:{version()}", text)
    return [thing for thing in yaml.safe_load_all(text) if thing]


def install(plane: ControlPlane) -> None:
    """Run the operator; return when it takes a KnativeServing. It asks for no CPU: two cores have none to spare."""
    things = manifests()
    for thing in things:
        if thing["kind"] == "Deployment":
            for container in thing["spec"]["template"]["spec"]["containers"]:
                container["resources"]["requests"]["cpu"] = "10m"
    plane.kubectl.apply(*things)
    plane.kubectl("wait", "--for=condition=Available", "deployment", "--all", f"--namespace={NAMESPACE}",
                  "--timeout=120s")  # fmt: skip


def wait_until_serving(plane: ControlPlane) -> None:
    """Return when the operator says that Knative Serving is ready."""

    def ready() -> bool:
        plane.run.check()
        return plane.kubectl.says(
            "wait", "--for=condition=Ready", "knativeserving/knative-serving", f"--namespace={knative.NAMESPACE}",
            "--timeout=2s",
        )  # fmt: skip

    wait_for("Knative Serving", ready, 240)
