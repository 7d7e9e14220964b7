"""However many pods Knative starts, they never ask the database for more connections than it has."""

import re

from tests.cluster import render
from tests.cluster.kubectl import Thing
from tests.knative.workloads import environment, functions, of_kind, template
from tests.terraform.workspace import COMMITTED

TERRAFORM = render.ROOT / "terraform"
OWN = r"^[^#\n]*\bmax_connections\s*=\s*(\d+)"
MIGRATION = 1  # connections of the migration Job, which may run beside everything else


def number(file: str, pattern: str) -> int:
    """The number that a pattern finds in one of Terraform's files."""
    found = re.search(pattern, (TERRAFORM / file).read_text())
    assert found, f"terraform/{file} says no {pattern}"
    return int(found[1])


def connection_limit() -> int:
    """What Cloud SQL gives its users: its limit less what it and Google's agents keep for themselves."""
    return max_connections() - number("database.tf", r"reserved_connections\s*=\s*(\d+)")


def max_connections() -> int:
    """An installation's own choice, which it commits, or else the one that it is delivered with."""
    own = re.search(OWN, COMMITTED.read_text(), re.MULTILINE) if COMMITTED.exists() else None
    return int(own[1]) if own else number("variables.tf", r"max_connections\s*=\s*optional\(number,\s*(\d+)\)")


def connections(function: Thing) -> int:
    """The most that a function's pods can hold together."""
    pod = template(function) or {}
    scale = int(pod["metadata"]["annotations"]["autoscaling.knative.dev/max-scale"])
    (container,) = pod["spec"]["containers"]
    return scale * int(environment(container)["DATABASE_POOL_SIZE"])


def test_the_database_has_enough_connections(production: list[Thing]) -> None:
    needed = {function["metadata"]["name"]: connections(function) for function in functions(production)}
    assert set(needed) == {"login", "send-message", "list-history", "purge"}
    assert sum(needed.values()) + MIGRATION <= connection_limit(), needed


def test_the_migrations_are_one_job(production: list[Thing]) -> None:
    """The sum above counts them once."""
    (job,) = of_kind(production, "Job")
    assert job["spec"].get("parallelism", 1) == 1
