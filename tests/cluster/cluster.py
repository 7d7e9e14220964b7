"""The whole cluster on this machine: Kubernetes, Knative by its operator, an ingress, Argo CD, and the product."""

import contextlib
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
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


def build() -> list[Path]:
    """Make the programs and images that are absent, and return the archives of the images: a quarter to half
    an hour on two cores the first time, seconds later.

    The product's images are made by a process beside: it waits for packages to come while compilers want the CPU, and
    these start and end one by one while it computes. Raises subprocess.CalledProcessError.
    """
    with beside(sys.executable, "-m", "tests.cluster", "images") as check:
        for module in ("kubernetes", "etcd", "node", "knative", "operator", "kustomize", "argocd"):
            with step(f"programs of {module}"):
                programs.build(module, *programs.tools(module))
            check()
        with step("images of Knative and its operator"):
            archived = [archives.of_program("node", "pause", containerd.PAUSE), *operator.images()]
    return [*images.build_all(), *archived]


@contextlib.contextmanager
def beside(*command: str) -> Iterator[Callable[[], None]]:
    """Run a command of ours while the block runs, and wait for it, or end it if the block raises.

    Raises subprocess.CalledProcessError when it has failed, at the latest in the end; before that, whenever what is
    yielded is called.
    """
    process = subprocess.Popen(command, start_new_session=True)  # Ctrl-C is for the runner, which tells it

    def check(code: int | None) -> None:
        if code:
            raise subprocess.CalledProcessError(code, command)

    try:
        yield lambda: check(process.poll())
        check(process.wait())
    finally:
        process.terminate()
        process.wait()


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
    with machine.alone(), kubernetes(build()) as plane:
        install_knative(plane)
        with standins.running(plane) as found:
            argocd = ArgoCD(plane)
            with step("Argo CD: everything synced and healthy"):
                product.sync(argocd)
            nanoka = Nanoka(plane.kubectl, plane.run.folder, plane.url, Door(images.trusting()), plane, found, argocd)
            nanoka.tell()
            try:
                yield nanoka
            finally:
                STATE.unlink()
