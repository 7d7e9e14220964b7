"""`nox -s cluster -- --context NAME` on a cluster that it did not raise: this one, by somebody else's kubeconfig."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cluster import images, node
from tests.cluster.nanoka import Nanoka
from tests.cluster.render import ROOT

NOBODY = "https://127.0.0.1:9"


@pytest.fixture
def kubeconfig(nanoka: Nanoka, tmp_path: Path) -> Path:
    """A kubeconfig whose current context leads nowhere, and whose context `ours` is this cluster."""
    config = json.loads((nanoka.folder / "pki" / "admin.kubeconfig").read_text())
    config["clusters"].append({"name": "elsewhere", "cluster": {"server": NOBODY}})
    config["contexts"] = [
        {"name": "elsewhere", "context": {"cluster": "elsewhere", "user": "nanoka"}},
        {"name": "ours", "context": {"cluster": "nanoka", "user": "nanoka"}},
    ]
    config["current-context"] = "elsewhere"
    file = tmp_path / "config"
    file.write_text(json.dumps(config))
    return file


def run(kubeconfig: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tests.cluster", "run", *arguments, "-p", "no:cacheprovider"],
        cwd=ROOT,
        env=os.environ | {"KUBECONFIG": str(kubeconfig), "KUBECACHEDIR": str(kubeconfig.with_name("cache"))},
        text=True,
        capture_output=True,
        check=False,
    )


def everything(nanoka: Nanoka) -> set[str]:
    """What is not the product's or the cluster's own coming and going."""
    found = nanoka.kubectl("get", "namespaces,crd,clusterroles,clusterrolebindings,pv", "--output=name")
    return set(found.split())


@pytest.mark.timeout(900)
def test_a_named_cluster_is_used_and_left_as_it_was(nanoka: Nanoka, kubeconfig: Path) -> None:
    nanoka.clear("send-message", "list-history")  # the node is too small for the product twice
    before = everything(nanoka)
    done = run(kubeconfig, "--context=ours", f"--images={images.REGISTRY}", f"--machine={node.MACHINE}",
               "-k", "goes_on_without_its_reader or when_it_is_said")  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 passed" in done.stdout
    assert "NOT SEEN on ours: " in done.stdout
    assert everything(nanoka) == before


@pytest.mark.quiet
def test_an_unknown_context_is_refused(kubeconfig: Path) -> None:
    done = run(kubeconfig, "--context=theirs", f"--images={images.REGISTRY}")
    assert done.returncode == 2
    assert "The context theirs is not in the kubeconfig" in done.stdout


@pytest.mark.quiet
def test_a_second_cluster_is_refused(nanoka: Nanoka, kubeconfig: Path) -> None:
    """And the first does not notice."""
    before = everything(nanoka)
    done = run(kubeconfig)
    assert done.returncode == 2
    assert f"Another cluster runs on this machine (process {os.getpid()})" in done.stdout
    assert everything(nanoka) == before
