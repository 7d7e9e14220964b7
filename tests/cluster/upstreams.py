"""The types that our manifests use and Kubernetes does not have, from their upstreams' Go modules."""

from pathlib import Path

from tests.cluster import knative, programs
from tests.cluster.kubectl import Thing


def files() -> list[Path]:
    """The upstreams' files that define types: Knative's operator, Argo CD and cert-manager."""
    operator = programs.source("operator", knative.OPERATOR) / "config" / "crd" / "bases"
    argocd = programs.source("argocd", "github.com/argoproj/argo-cd/v3") / "manifests" / "crds"
    certmanager = programs.source("types", "github.com/cert-manager/cert-manager") / "deploy" / "crds"
    return [file for folder in (operator, argocd, certmanager) for file in sorted(folder.glob("*.yaml"))]


def types() -> list[Thing]:
    """The definitions of those types, without converters (none of them runs here)."""
    found = [t for file in files() for t in knative.documents(file) if t["kind"] == "CustomResourceDefinition"]
    for definition in found:
        definition["spec"].pop("conversion", None)
    return found
