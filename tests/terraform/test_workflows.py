"""GitHub's workflows: well-formed, pinned, with no right too many, and able to promote what they build."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.cluster import render
from tests.terraform import tools
from tests.terraform.workspace import ROOT

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
OVERLAYS = Path("knative") / "overlays"
PRODUCTION = OVERLAYS / "production"
PINNED = re.compile(r"[\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+")


def test_actionlint_finds_nothing() -> None:
    done = tools.run("actionlint", "-no-color", "-shellcheck=", "-pyflakes=", *map(str, WORKFLOWS))
    assert done.returncode == 0, done.stdout + done.stderr


def test_zizmor_finds_nothing() -> None:
    done = tools.run("zizmor", "--offline", "--no-progress", "--persona=pedantic", str(ROOT / ".github"))
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda file: file.stem)
def test_actions_are_pinned_by_commit_and_rights_are_given_by_job(workflow: Path) -> None:
    text = workflow.read_text()
    used = re.findall(r"uses: (.+)", text)
    assert used
    for action in used:
        assert action.startswith("./") or PINNED.fullmatch(action), action
    assert text.count("actions/checkout@") == text.count("persist-credentials: false")
    described = yaml.safe_load(text)
    assert described["permissions"] == {}
    assert described["defaults"] == {"run": {"shell": "bash"}}  # a plan that fails into a pipe is a failure
    for name, job in described["jobs"].items():
        assert "permissions" in job, name
        assert "uses" in job or job["timeout-minutes"] <= 60, name


def test_every_image_of_the_overlays_is_built() -> None:
    release = yaml.safe_load((ROOT / ".github" / "workflows" / "release.yml").read_text())
    built = {entry["name"]: entry for entry in release["jobs"]["image"]["strategy"]["matrix"]["include"]}
    named = {
        image["name"]
        for file in (ROOT / PRODUCTION).rglob("kustomization.yaml")
        for image in yaml.safe_load(file.read_text()).get("images", [])
    }
    assert set(built) == named
    for entry in built.values():
        assert (ROOT / entry["file"]).is_file()
        assert not entry["function"] or (ROOT / "functions" / entry["function"]).is_dir()


def test_a_digest_goes_on_only_when_it_is_described_scanned_and_signed() -> None:
    release = yaml.safe_load((ROOT / ".github" / "workflows" / "release.yml").read_text())
    steps = release["jobs"]["image"]["steps"]

    def position(part: str) -> int:
        (found,) = [index for index, step in enumerate(steps) if part in step.get("uses", "") + step.get("run", "")]
        return found

    build = steps[position("docker/build-push-action@")]["with"]
    assert re.fullmatch(r"generator=\S+:[\d.]+@sha256:[0-9a-f]{64}", build["sbom"])
    assert build["provenance"] == "mode=max"
    scan = steps[position("anchore/scan-action@")]["with"]
    assert scan["severity-cutoff"] == "high"
    order = ("build-push-action", "scan-action", "cosign sign", "upload-artifact")
    assert [position(part) for part in order] == sorted(position(part) for part in order)
    assert "cosign verify" in steps[position("cosign sign")]["run"]
    assert release["jobs"]["image"]["needs"] == "tests"
    assert release["jobs"]["promote"]["needs"] == "image"


def promote(folder: Path, digests: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run the release's last step on a copy of the overlays."""
    shutil.copytree(ROOT / OVERLAYS, folder / OVERLAYS, dirs_exist_ok=True)
    shutil.rmtree(folder / "digests", ignore_errors=True)
    (folder / "digests").mkdir()
    for name, digest in digests.items():
        (folder / "digests" / name).write_text(f"{digest}\n")
    return subprocess.run(
        [sys.executable, str(ROOT / ".github" / "promote.py")],
        cwd=folder,
        text=True,
        capture_output=True,
        check=False,
        env=os.environ | {"DIGESTS": "digests", "IMAGES": "region-docker.pkg.dev/project/repository"},
    )


NAMES = ("list-history", "login", "purge", "send-message", "web")


def test_a_release_is_written_into_the_overlays(tmp_path: Path) -> None:
    digests = {name: f"sha256:{index:064x}" for index, name in enumerate(NAMES, start=1)}
    done = promote(tmp_path, digests)
    assert done.returncode == 0, done.stderr
    images = [
        image
        for file in (tmp_path / PRODUCTION).rglob("kustomization.yaml")
        for image in yaml.safe_load(file.read_text()).get("images", [])
    ]
    assert {image["name"]: image["digest"] for image in images} == digests
    assert all(image["newName"] == f"region-docker.pkg.dev/project/repository/{image['name']}" for image in images)


def test_overlays_upon_production_follow_its_images(tmp_path: Path) -> None:
    """They name production's images by their repository, which an installation of one's own is the first to change."""
    digests = {name: f"sha256:{index:064x}" for index, name in enumerate(NAMES, start=1)}
    shutil.copytree(ROOT / "knative", tmp_path / "knative")
    assert promote(tmp_path, digests).returncode == 0
    others = [
        f for f in render.folders() if not f.is_relative_to(ROOT / PRODUCTION) and f.is_relative_to(ROOT / OVERLAYS)
    ]
    assert others
    try:
        render.kustomize()
    except render.KustomizeMissingError as error:
        pytest.skip(f"NOT RUN: {error}")
    for folder in others:
        text = render.rendered(tmp_path / folder.relative_to(ROOT))
        assert "region-docker.pkg.dev" not in text, folder.name


@pytest.mark.parametrize("digests", [dict.fromkeys(NAMES[:-1], f"sha256:{1:064x}"), dict.fromkeys(NAMES, "latest")])
def test_half_a_release_is_not_written(tmp_path: Path, digests: dict[str, str]) -> None:
    assert promote(tmp_path, digests).returncode == 1
    for file in (ROOT / OVERLAYS).rglob("*.yaml"):
        assert (tmp_path / file.relative_to(ROOT)).read_text() == file.read_text()
