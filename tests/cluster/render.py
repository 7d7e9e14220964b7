"""What kustomize makes of the folders that Argo CD reads."""

import functools
import shutil
import subprocess
from pathlib import Path
from typing import Any

import yaml

from tests.cluster import programs
from tests.cluster.kubectl import Thing

KUSTOMIZATION = "kustomization.yaml"
ROOT = Path(__file__).parents[2]


class KustomizeMissingError(RuntimeError):
    """There is neither kustomize nor kubectl, and no Go to build one of them."""


@functools.cache
def kustomize() -> tuple[str, ...]:
    """The command that renders a folder: ours if it is built or can be, else one of the machine's."""
    if shutil.which("go"):
        return (str(programs.program("kustomize", "kustomize")), "build")
    for name, subcommand in (("kustomize", "build"), ("kubectl", "kustomize")):
        if found := shutil.which(name):
            return (found, subcommand)
    raise KustomizeMissingError("neither kustomize nor kubectl is installed, and Go is missing to build one")


@functools.cache
def rendered(folder: Path) -> str:
    """The YAML that a folder's kustomization stands for. Raises RuntimeError with kustomize's message."""
    done = subprocess.run([*kustomize(), str(folder)], text=True, capture_output=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{folder.relative_to(ROOT)}: {done.stderr}")
    return done.stdout


def objects(folder: Path) -> list[Thing]:
    """The objects of a folder, fresh copies at each call."""
    if (folder / KUSTOMIZATION).exists():
        return [thing for thing in yaml.safe_load_all(rendered(folder)) if thing]
    return [thing for file in sorted(folder.glob("*.yaml")) for thing in yaml.safe_load_all(file.read_text()) if thing]


def folders() -> list[Path]:
    """Every folder of `knative/` and `argocd/` that stands for objects: by a kustomization, or as plain files.

    Components are left out, since they are a part of other folders'.
    """
    files = [file for top in ("knative", "argocd") for file in ROOT.joinpath(top).rglob("*.yaml")]
    kustomized = {file.parent for file in files if file.name == KUSTOMIZATION}
    plain = {file.parent for file in files if not kustomized.intersection(file.parents)}
    return sorted(plain | {folder for folder in kustomized if kustomization(folder).get("kind") != "Component"})


def kustomization(folder: Path) -> dict[str, Any]:
    """A folder's own kustomization, empty if it has none."""
    file = folder / KUSTOMIZATION
    found: dict[str, Any] = yaml.safe_load(file.read_text()) if file.exists() else {}
    return found
