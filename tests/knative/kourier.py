"""Kourier's release as Knative's operator installs it, before it is given our settings."""

from typing import Any

import pytest
import yaml

from tests.cluster import knative, programs
from tests.cluster.kubectl import Thing
from tests.knative.workloads import identity, of_kind, template


def settings(production: list[Thing]) -> dict[str, Any]:
    """What our KnativeServing asks for."""
    (serving,) = of_kind(production, "KnativeServing")
    found: dict[str, Any] = serving["spec"]
    return found


def release(production: list[Thing]) -> dict[str, Thing]:
    """The objects of the version that production asks for, by kind/name; the test is skipped where there is no Go."""
    try:
        kodata = programs.source("operator", knative.OPERATOR) / "cmd" / "operator" / "kodata"
    except programs.GoMissingError as error:
        pytest.skip(f"NOT RUN: {error}")
    text = (kodata / "ingress" / settings(production)["version"] / "kourier" / "kourier.yaml").read_text()
    return {identity(thing): thing for thing in yaml.safe_load_all(text) if thing}


def gateway(production: list[Thing]) -> dict[str, Any]:
    """The pod through which every request to a function goes."""
    found = template(release(production)["Deployment/3scale-kourier-gateway"])
    assert found
    spec: dict[str, Any] = found["spec"]
    return spec
