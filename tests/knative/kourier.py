"""Kourier's release as Knative's operator installs it, before it is given our settings."""

from typing import Any

import pytest
import yaml

from tests.cluster import knative, programs
from tests.cluster.kubectl import Thing
from tests.knative.workloads import identity, of_kind, template

GATEWAY = "3scale-kourier-gateway"
DRAIN = "DRAIN_TIME_SECONDS"


def settings(production: list[Thing]) -> dict[str, Any]:
    """What our KnativeServing asks for."""
    (serving,) = of_kind(production, "KnativeServing")
    found: dict[str, Any] = serving["spec"]
    return found


def drain(production: list[Thing]) -> int:
    """Seconds for which a gateway that was told to end lets running answers pass."""
    (workload,) = [w for w in settings(production)["workloads"] if w["name"] == GATEWAY]
    (container,) = workload["env"]
    assert container["container"] == "kourier-gateway"
    (variable,) = container["envVars"]
    assert variable["name"] == DRAIN
    return int(variable["value"])


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
    found = template(release(production)[f"Deployment/{GATEWAY}"])
    assert found
    spec: dict[str, Any] = found["spec"]
    return spec
