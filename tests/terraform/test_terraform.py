"""Terraform accepts what we wrote, and would make what we mean, in an empty project."""

import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.terraform import workspace
from tests.terraform.workspace import EXAMPLE, HERE, ROOT, TerraformMissingError, Workspace

MODULES = HERE / "modules"

# In place of the charts, which lie in a registry on the internet: the plan reads a chart's name and version only.
CHARTS = """
resource "helm_release" "argocd" {
  repository = null
  chart      = "./chart"
  version    = null
}
resource "helm_release" "root" {
  repository = null
  chart      = "./chart"
  version    = null
}
"""


def test_the_format_is_terraforms_own() -> None:
    try:
        done = workspace.terraform(ROOT, "fmt", "-check", "-diff", "-recursive", "terraform", check=False)
        tests = workspace.terraform(ROOT, "fmt", "-check", "-diff", "-recursive", "tests/terraform", check=False)
    except TerraformMissingError as error:
        pytest.skip(f"NOT RUN: {error}")
    assert (done.returncode, tests.returncode) == (0, 0), done.stdout + tests.stdout


def test_nothing_is_made_before_its_api_is_on() -> None:
    """Else the first `apply` in an empty project fails or not, as it happens; no plan shows it."""
    text = "\n".join(file.read_text() for file in (ROOT / "terraform").glob("*.tf"))
    found = re.findall(r'^resource "(\w+)" "(\w+)" \{\n(.*?)^\}', text, re.DOTALL | re.MULTILINE)
    bodies = {f"{kind}.{name}": body for kind, name, body in found}
    waiting, before = {"google_project_service.services"}, 0
    while len(waiting) > before:
        before = len(waiting)
        names = re.compile(rf"\b({'|'.join(map(re.escape, waiting))})\b")
        waiting |= {name for name, body in bodies.items() if names.search(body)}
    assert bodies.keys() <= waiting, bodies.keys() - waiting


def test_the_cloud_is_valid(cloud: Workspace) -> None:
    cloud.run("validate")


def test_the_argocd_step_is_valid(argocd: Workspace) -> None:
    argocd.run("validate")


def test_the_clouds_promises_hold(cloud: Workspace) -> None:
    """`terraform test` with a mocked provider: refused variables, rights, names (modules/root/*.tftest.hcl)."""
    cloud.run("test")


def test_the_argocd_steps_promises_hold(argocd: Workspace) -> None:
    argocd.run("test")


def test_the_plan_makes_what_is_listed(cloud: Workspace) -> None:
    """A resource more or less than modules/root/inventory.yaml says is a change that somebody must have meant."""
    plan = cloud.plan(EXAMPLE)
    assert counts(plan) == yaml.safe_load((MODULES / "root" / "inventory.yaml").read_text())
    assert {change["change"]["actions"][0] for change in plan["resource_changes"]} == {"create"}


def test_without_what_is_optional_the_plan_is_smaller(cloud: Workspace, tmp_path: Path) -> None:
    lines = EXAMPLE.read_text().splitlines(keepends=True)
    (tmp_path / "least.tfvars").write_text(
        "".join(line for line in lines if not line.startswith(("budget", "github_repository")))
    )
    found = counts(cloud.plan(tmp_path / "least.tfvars"))
    assert "google_billing_budget" not in found
    assert "google_iam_workload_identity_pool" not in found
    assert found["google_container_cluster"] == 1


def test_the_argocd_plan_makes_two_releases(argocd: Workspace) -> None:
    chart = argocd.folder / "chart"
    chart.mkdir()
    (chart / "Chart.yaml").write_text("apiVersion: v2\nname: stand-in\nversion: 1.0.0\n")
    (argocd.folder / "charts_override.tf").write_text(CHARTS)
    plan = argocd.plan(MODULES / "argocd" / "example.tfvars")
    assert counts(plan) == {"helm_release": 2}


def counts(plan: dict[str, Any]) -> dict[str, int]:
    """How many resources of each type a plan makes."""
    return dict(Counter(change["type"] for change in plan["resource_changes"] if change["mode"] == "managed"))
