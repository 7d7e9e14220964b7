"""Terraform's own judgement of `terraform/`, in a copy outside the checkout: no backend, no cloud, no credentials."""

import json
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
EXAMPLE = HERE / "modules" / "root" / "example.tfvars"
COMMITTED = ROOT / "terraform" / "terraform.tfvars"
"""An installation's own variables, which it commits (terraform/README.md); the project itself has none."""
SETTINGS = ROOT / "knative" / "overlays" / "production" / "settings" / "settings.env"

WITH_FACTS = ("main", "network", "database", "identities", "secrets", "settings", "logs")
"""Files of the first step whose locals are plain values: none of them waits for a resource."""

# The state stays in the copy, and a token that opens nothing stands for whoever would apply.
OFFLINE = """
terraform {
  backend "local" {}
}
provider "google" {
  access_token = "opens nothing"
}
"""


class TerraformMissingError(RuntimeError):
    """There is no Terraform, or not the providers that the configuration asks for."""


@dataclass(frozen=True)
class Workspace:
    """A copy of one root module, ready for `terraform validate`, `test` and `plan`."""

    folder: Path

    def run(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        return terraform(self.folder, *arguments, check=check)

    def plan(self, variables: Path) -> dict[str, Any]:
        """What `terraform apply` would do to an empty project (Terraform's JSON output format 1.x)."""
        self.run("plan", "-input=false", f"-var-file={variables}", "-out=plan")
        plan: dict[str, Any] = json.loads(self.run("show", "-json", "plan").stdout)
        return plan


def terraform(
    folder: Path, *arguments: str, check: bool = True, stdin: Path = Path(os.devnull)
) -> subprocess.CompletedProcess[str]:
    """Run Terraform in a folder. Raises TerraformMissingError, and RuntimeError with what it says."""
    program = shutil.which("terraform")
    if program is None:
        raise TerraformMissingError("terraform is not installed")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("TF_VAR_", "GOOGLE_"))}
    # A configuration file that does not exist is only a warning, but one that stands in every output.
    if not Path(environment.get("TF_CLI_CONFIG_FILE", "")).is_file():
        environment.pop("TF_CLI_CONFIG_FILE", None)
    done = subprocess.run(
        [program, arguments[0], *(["-no-color"] if arguments[0] not in {"fmt", "console"} else []), *arguments[1:]],
        cwd=folder,
        input=stdin.read_text(),
        text=True,
        capture_output=True,
        check=False,
        env=environment | {"TF_IN_AUTOMATION": "1", "TF_CLI_ARGS": "", "CHECKPOINT_DISABLE": "1"},
    )
    if check and done.returncode:
        raise RuntimeError(f"terraform {arguments[0]}: {done.stdout}{done.stderr}")
    return done


def prepare(scratch: Path, module: str = "") -> Workspace:
    """Copy what a root module reads and fetch its providers. Raises TerraformMissingError if they cannot be had."""
    for name in ("terraform", "argocd"):
        shutil.copytree(
            ROOT / name, scratch / name, ignore=shutil.ignore_patterns(".terraform*", "*.tfstate*", "*.tfvars")
        )
    folder = scratch / "terraform" / module
    # Terraform looks for tests beside the module; ours mirror the rooms.
    shutil.copytree(HERE / "modules" / (module or "root"), folder / "tests")
    (folder / "offline_override.tf").write_text(OFFLINE)
    done = terraform(folder, "init", "-input=false", check=False)
    if re.search("Failed to (query available provider packages|install provider)", done.stderr):
        raise TerraformMissingError("registry and mirror have no such provider")
    if done.returncode:
        raise RuntimeError(f"terraform init: {done.stdout}{done.stderr}")
    return Workspace(folder)


def settings() -> dict[str, str]:
    """The lines of production's settings file, whoever's installation they are."""
    lines = SETTINGS.read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def installation(scratch: Path) -> Path:
    """The variables of the installation whose settings are checked in: its own file, or one made of the settings."""
    if COMMITTED.exists():
        return COMMITTED
    of = {
        "project_id": "PROJECT_ID",
        "region": "REGION",
        "domain": "DOMAIN",
        "alert_email": "ALERT_EMAIL",
        "model_location": "GOOGLE_CLOUD_LOCATION",
    }
    values = {name: settings()[line] for name, line in of.items()} | {"project_number": "123456789012"}
    file = scratch / "installation.tfvars"
    file.write_text("".join(f"{name} = {json.dumps(value)}\n" for name, value in values.items()))
    return file


def local_values(scratch: Path, *names: str) -> dict[str, Any]:
    """Values of the first step's `locals` for the checked-in installation.

    Needs Terraform but no provider, since only the files' locals and the variables are evaluated. Raises
    TerraformMissingError, and RuntimeError for a name that they do not have.
    """
    shutil.copy(ROOT / "terraform" / "variables.tf", scratch)
    for file in WITH_FACTS:
        text = (ROOT / "terraform" / f"{file}.tf").read_text()
        blocks = re.findall(r"^locals \{\n.*?^\}\n", text, re.DOTALL | re.MULTILINE)
        (scratch / f"{file}.tf").write_text("".join(blocks))
    (scratch / "question").write_text(f"jsonencode({{{', '.join(f'{name} = local.{name}' for name in names)}}})\n")
    done = terraform(scratch, "console", f"-var-file={installation(scratch)}", stdin=scratch / "question")
    # A string as Terraform writes it, whose text is JSON.
    values: dict[str, Any] = json.loads(json.loads(done.stdout))
    return values
