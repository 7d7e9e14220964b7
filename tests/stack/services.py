"""The four functions as `knative/base/` declares them, so that cluster and local stack cannot drift apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml

from tests.stack.errors import StackError
from tests.stack.process import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping

BASE = ROOT / "knative" / "base"
NAMES = ("login", "send_message", "list_history", "purge")


@dataclass(frozen=True)
class Service:
    """What a Knative Service says about its one container."""

    target: str
    command: tuple[str, ...]
    concurrency: int
    values: Mapping[str, str]
    """Environment variables that have their value in the manifest."""
    required: frozenset[str]
    """Those that the cluster takes from a ConfigMap or Secret and cannot do without."""


def load(target: str) -> Service:
    """Read a function's manifest. Raises StackError when it is not what this understands."""
    file = BASE / f"{target.replace('_', '-')}.yaml"
    try:
        spec: dict[str, Any] = yaml.safe_load(file.read_text())["spec"]["template"]["spec"]
        (container,) = spec["containers"]
        environment = container["env"]
        return Service(
            target=target,
            command=(*container["command"], *container.get("args", [])),
            concurrency=spec["containerConcurrency"],
            values={entry["name"]: entry["value"] for entry in environment if "value" in entry},
            required=frozenset(
                entry["name"]
                for entry in environment
                for source in entry.get("valueFrom", {}).values()
                if not source.get("optional", False)
            ),
        )
    except (OSError, yaml.YAMLError, KeyError, TypeError, ValueError) as error:
        raise StackError(f"{file} does not declare a function as expected: {error!r}") from error
