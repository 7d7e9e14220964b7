"""What the tests of the manifests share: the rendered objects, and a genuine control plane to judge them."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster import admission, render
from tests.cluster.controlplane import ControlPlane
from tests.cluster.kubectl import Thing

KNATIVE = render.ROOT / "knative"
CLUSTER = KNATIVE / "overlays" / "cluster"  # one machine's own cluster; every other overlay is Google Cloud's


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test that asks for `folder` once for each folder that somebody deploys."""
    if "folder" in metafunc.fixturenames:
        folders = deployed_folders()
        metafunc.parametrize("folder", folders, ids=[str(f.relative_to(render.ROOT)) for f in folders])


def of_cluster(folder: Path) -> bool:
    """Whether it is a part of the machine's own cluster's overlay."""
    return CLUSTER in folder.parents


def deployed_folders() -> list[Path]:
    """The folders that Argo CD reads: in production no other folder is built from them."""
    used = {
        (folder / resource).resolve()
        for folder in render.folders()
        for resource in render.kustomization(folder).get("resources", [])
        if not of_cluster(folder)
    }
    return [folder for folder in render.folders() if folder not in used]


def production_folders() -> list[Path]:
    """Those that Argo CD reads in production."""
    return [folder for folder in deployed_folders() if not of_cluster(folder)]


@pytest.fixture(scope="session", autouse=True)
def kustomize() -> None:
    """Skip what needs rendering where nothing can render."""
    try:
        render.kustomize()
    except render.KustomizeMissingError as error:
        pytest.skip(f"NOT RUN: {error}")


@pytest.fixture
def objects(folder: Path) -> list[Thing]:
    """What the folder is rendered to."""
    return render.objects(folder)


@pytest.fixture
def production() -> list[Thing]:
    """All that runs in production, whatever folder it comes from."""
    return [thing for folder in production_folders() for thing in render.objects(folder)]


@pytest.fixture(scope="session")
def plane() -> Iterator[ControlPlane]:
    """A genuine API server and Knative's webhook; skipped where they are not built (`nox -s manifests` does)."""
    if not admission.built():
        pytest.skip("NOT RUN: kube-apiserver and Knative's webhook are not built (`nox -s manifests` builds them)")
    if shutil.which("go") is None:
        pytest.skip("NOT RUN: Go is not installed, with which the types of Knative and cert-manager are found")
    with admission.control_plane() as control_plane:
        yield control_plane
