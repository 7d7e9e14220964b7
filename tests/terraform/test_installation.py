"""Whoever follows the guide has a repository that passes the tests: its first release is gated by them.

The guide's own commands are run on a copy, with stand-ins for what asks Google or GitHub, and then the very tests that
compare Terraform's names with the manifests'.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cluster import render
from tests.terraform import workspace
from tests.terraform.test_guide import GUIDE
from tests.terraform.workspace import ROOT, TerraformMissingError

COPIED = ("argocd", "functions", "knative", "terraform", "tests", "web/nginx", "pyproject.toml")
COMPARING = (
    "terraform/test_names.py",
    *(f"knative/test_{name}.py" for name in ("argocd", "names", "overlays", "pods")),
)

# What step 1 has exported, and what the commands of the steps get from elsewhere. `terraform output` is what Terraform
# makes of the variables that step 3 has just written.
ELSEWHERE = """
set -euo pipefail
export PROJECT=my-nanoka REGION=europe-west1 DOMAIN=chat.example.com EMAIL=you@example.com BILLING=012345-6789AB-CDEF01
gcloud() { echo 210987654321; }
git() { :; }
gh() { if [ "$1" = repo ]; then echo you/nanoka; else echo 7654321; fi; }
terraform() { if [[ "$*" == *" output -raw settings" ]]; then "$PYTHON" -c "$SETTINGS"; fi; }
"""
SETTINGS = """
from pathlib import Path
from tempfile import mkdtemp
from tests.terraform import workspace
found = workspace.local_values(Path(mkdtemp(dir=".")), "settings")["settings"]
print(*(f"{name}={value}" for name, value in sorted(found.items())), sep="\\n")
"""


def step(number: int) -> str:
    """The commands of a step of the guide."""
    found = re.search(rf"^\*\*{number}\. .*?^```sh\n(.*?)^```", GUIDE, re.DOTALL | re.MULTILINE)
    assert found
    return found[1]


@pytest.fixture
def installation(tmp_path: Path) -> Path:
    """A copy of the repository in which somebody has followed the guide as far as its own settings go."""
    if workspace.COMMITTED.exists():
        pytest.skip("this is somebody's installation, and all that is compared here is compared on itself")
    try:
        render.kustomize()
        workspace.local_values(tmp_path, "name")
    except (render.KustomizeMissingError, TerraformMissingError) as error:
        pytest.skip(f"NOT RUN: {error}")
    copy = tmp_path / "nanoka"
    for name in COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__", ".terraform"))
        else:
            shutil.copy(ROOT / name, copy / name)
    run(copy, "bash", "-c", ELSEWHERE + step(3) + step(6))
    return copy


def run(copy: Path, *command: str) -> str:
    """What a command prints, run in the copy with the copy's own modules."""
    environment = {
        "PYTHONPATH": f"{copy / 'functions'}{os.pathsep}{copy}",
        "PYTHON": sys.executable,
        "SETTINGS": SETTINGS,
    }
    done = subprocess.run(command, cwd=copy, env=os.environ | environment, text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_first_release_passes_its_own_tests(installation: Path) -> None:
    settings = (installation / "knative/overlays/production/settings/settings.env").read_text()
    assert "IMAGES=europe-west1-docker.pkg.dev/my-nanoka/nanoka\n" in settings
    files = [f"tests/{name}" for name in COMPARING]
    # A plan would fetch the providers once more; test_names.py makes one of its own.
    said = run(installation, sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", "not plan", *files)
    assert "skipped" not in said


def test_nothing_is_left_of_whom_it_is_delivered_for(installation: Path) -> None:
    for folder in ("argocd", "knative/overlays/production"):
        for file in (installation / folder).rglob("*.yaml"):
            for former in ("nanoka-project/", "github.com/nanoka/"):
                assert former not in file.read_text(), file.name
