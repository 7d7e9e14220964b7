"""The whole cluster on this machine: Kubernetes, Knative by its operator, an ingress, Argo CD, and the product."""

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.cluster import (
    archives,
    containerd,
    images,
    ingress,
    machine,
    node,
    operator,
    product,
    programs,
    standins,
    upstreams,
)
from tests.cluster.argocd import ArgoCD
from tests.cluster.controlplane import ControlPlane
from tests.cluster.nanoka import Nanoka
from tests.cluster.person import Door
from tests.cluster.run import Run, step
from tests.cluster.running import STATE


def build() -> None:
    """Build every program that is absent: twenty minutes on two cores the first time, nothing later."""
    for module in ("kubernetes", "etcd", "node", "knative", "operator", "kustomize", "argocd"):
        with step(f"programs of {module}"):
            for name in programs.tools(module):
                programs.program(module, name)


@contextlib.contextmanager
def kubernetes(loaded: Sequence[Path]) -> Iterator[ControlPlane]:
    """A control plane and its one node, ready, with some images; all of it is gone afterwards."""
    with Run("cluster") as run, node.namespaces(run):
        plane = ControlPlane(run, node.ADDRESS)
        with step("etcd and API server ready"):
            plane.start()
        with step("containerd ready, with the images"):
            containerd.start(run, loaded)
        with step("node ready"):
            plane.start_controllers()
            node.start_kubelet(plane)
        yield plane


def install_knative(plane: ControlPlane) -> None:
    """What makes a KnativeServing true: Knative's operator, and the ingress that stands in for Kourier."""
    with step("Knative's operator ready"):
        operator.install(plane)
        plane.kubectl.define(*(t for t in upstreams.types() if "knative" not in t["spec"]["group"]))
    with step("ingress ready (a stand-in: Kourier's images cannot be had here)"):
        ingress.start(plane)


@contextlib.contextmanager
def nanoka() -> Iterator[Nanoka]:
    """The cluster with the product on it, healthy. Raises UnfitError before anything is made if it cannot be."""
    machine.check()
    with machine.alone():
        build()
        with step("images of the product"):
            built = images.build_all()
        with step("images of Knative and its operator"):
            built += [archives.of_program("node", "pause", containerd.PAUSE), *operator.images()]
        with kubernetes(built) as plane:
            install_knative(plane)
            with standins.running(plane) as found:
                argocd = ArgoCD(plane)
                with step("Argo CD: everything synced and healthy"):
                    product.sync(argocd)
                nanoka = Nanoka(
                    plane.kubectl, plane.run.folder, plane.url, Door(images.trusting()), plane, found, argocd
                )
                nanoka.tell()
                try:
                    yield nanoka
                finally:
                    STATE.unlink()
