"""A control plane without a node, to judge manifests by: no root, no container, all of it on loopback."""

import contextlib
from collections.abc import Iterator

from tests.cluster import knative, programs, upstreams
from tests.cluster.controlplane import ControlPlane
from tests.cluster.run import Run, step

PROGRAMS = {
    "kubernetes": ("kube-apiserver", "kubectl"),
    "etcd": ("server",),
    "knative": ("webhook", "queue"),
    "operator": ("operator",),
    "kustomize": ("kustomize",),
    "helm": ("helm",),
}


def build() -> None:
    """Build what is absent: six to twelve minutes on two cores the first time. Raises GoMissingError."""
    for module, names in PROGRAMS.items():
        programs.build(module, *names)
    upstreams.files()


def built() -> bool:
    """Whether all of it can be had without building."""
    return all((programs.folder(module) / name).exists() for module, names in PROGRAMS.items() for name in names)


@contextlib.contextmanager
def control_plane() -> Iterator[ControlPlane]:
    """An API server with the upstreams' types, and Knative's webhook admitting."""
    with Run("manifests") as run:
        plane = ControlPlane(run)
        with step("etcd and API server ready"):
            plane.start()
        with step("types of Knative, its operator, cert-manager and Argo CD"):
            knative.install_types(plane)
            plane.kubectl.define(*upstreams.types())
        with step("Knative's webhook admits"):
            knative.start_webhook(plane)
        yield plane
