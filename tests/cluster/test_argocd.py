"""What Git says is what runs: Argo CD heals, rolls out, prunes, and reports what is broken."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.cluster import measure
from tests.cluster.argocd import NAMESPACE as ARGOCD
from tests.cluster.figures import Figures
from tests.cluster.nanoka import SPACE, Nanoka
from tests.cluster.person import Person
from tests.cluster.run import wait_for
from tests.cluster.test_disruption import SLOW, ask_in_background

OVERLAY = "knative/overlays/cluster/nanoka"
KUSTOMIZATION = f"{OVERLAY}/kustomization.yaml"


@pytest.fixture
def overlay(nanoka: Nanoka) -> Iterator[Path]:
    """The overlay's file in the repository that Argo CD reads; put back afterwards, synced, and rolled out: the next
    test must not meet a release in its midst."""
    file = nanoka.argocd.repository.work / KUSTOMIZATION
    before = file.read_text()
    yield file
    file.write_text(before)
    for left in file.parent.glob("test-*.yaml"):
        left.unlink()
    nanoka.argocd.repository.commit("Put back what a test changed")
    nanoka.argocd.refresh("nanoka")
    nanoka.argocd.wait_until_healthy("nanoka")
    functions = [f"ksvc/{name}" for name in measure.FUNCTIONS]
    nanoka.kubectl("wait", "--for=condition=Ready", *functions, SPACE, "--timeout=120s")


def commit(nanoka: Nanoka, message: str) -> None:
    nanoka.argocd.repository.commit(message)
    nanoka.argocd.refresh("nanoka")


def add_resource(file: Path, name: str, text: str) -> None:
    """Put a file beside the overlay's and name it there."""
    file.with_name(name).write_text(text)
    kustomization = yaml.safe_load(file.read_text())
    kustomization["resources"].append(name)
    file.write_text(yaml.safe_dump(kustomization, sort_keys=False))


@pytest.mark.quiet
def test_the_app_of_apps_is_healthy(nanoka: Nanoka) -> None:
    applications = nanoka.kubectl.get("applications.argoproj.io", f"--namespace={ARGOCD}")["items"]
    assert {a["metadata"]["name"] for a in applications} == {"root", "platform", "nanoka", "edge"}
    for name in ("platform", "nanoka", "edge"):
        nanoka.argocd.wait_until_healthy(name)


@pytest.mark.quiet
def test_what_it_unpacks_goes_with_the_run(nanoka: Nanoka) -> None:
    """The machine's own folder for temporary files is left as it was."""
    kept = {path.name for path in nanoka.argocd.temporary.iterdir()}
    assert {"_argocd-repo", "ask-pass.sock"} <= kept


def test_a_change_by_hand_is_healed(nanoka: Nanoka, figures: Figures) -> None:
    change = [{"op": "replace", "path": "/spec/template/spec/timeoutSeconds", "value": 61}]
    nanoka.kubectl("patch", "ksvc/list-history", SPACE, "--type=json", f"--patch={json.dumps(change)}")
    started = time.monotonic()

    def healed() -> bool:
        return bool(nanoka.kubectl.get("ksvc/list-history", SPACE)["spec"]["template"]["spec"]["timeoutSeconds"] == 60)

    wait_for("Argo CD to heal it", healed, 120)
    figures.add("Argo CD: a change by hand until it is healed", f"{time.monotonic() - started:.1f} s")
    nanoka.argocd.wait_until_healthy("nanoka")


@pytest.mark.timeout(600)
def test_a_commit_rolls_out_in_mid_answer(nanoka: Nanoka, person: Person, overlay: Path, figures: Figures) -> None:
    """A new image's tag: the answer that is being written ends whole on the old pod, the next is the new one's."""
    run = nanoka.plane.run
    images = "dev.local/nanoka/send-message"
    run.do("ctr", "--namespace=k8s.io", "images", "tag", "--force", f"{images}:1", f"{images}:2")
    before = revision(nanoka)
    thread, answers = ask_in_background(person, f"While a release rolls out. {SLOW}", None)
    overlay.write_text(overlay.read_text().replace(f'{images}, newTag: "1"', f'{images}, newTag: "2"'))
    started = time.monotonic()
    commit(nanoka, "Release send-message 2")
    wait_for("the new revision to serve", lambda: revision(nanoka) != before, 180)
    figures.add("from a commit to a rolled-out revision", f"{time.monotonic() - started:.1f} s")
    assert person.ask("Who are you now?").ending == "complete"
    thread.join(120)
    assert [answer.ending for answer in answers] == ["complete"]


def revision(nanoka: Nanoka) -> str:
    """The revision of send-message that serves."""
    status = nanoka.kubectl.get("ksvc/send-message", SPACE)["status"]
    found: str = status["traffic"][0]["revisionName"]
    return found


@pytest.mark.quiet
@pytest.mark.timeout(400)
def test_what_is_removed_is_pruned(nanoka: Nanoka, overlay: Path) -> None:
    before = overlay.read_text()
    note = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "note", "namespace": "nanoka"}, "data": {}}
    add_resource(overlay, "test-note.yaml", yaml.safe_dump(note))
    commit(nanoka, "Add a note")
    wait_for("the note", lambda: nanoka.kubectl.says("get", "configmap/note", SPACE), 120)
    overlay.write_text(before)
    commit(nanoka, "Remove the note")
    wait_for("its end", lambda: not nanoka.kubectl.says("get", "configmap/note", SPACE), 120)


@pytest.mark.quiet
@pytest.mark.timeout(400)
def test_a_broken_application_fails_its_wave_and_is_repaired_by_a_commit(nanoka: Nanoka) -> None:
    """The root application must not wait for ever for what cannot come: the next commit is what brings it."""
    repository = nanoka.argocd.repository
    file = repository.work / "argocd" / "apps" / "edge.yaml"
    before = file.read_text()
    file.write_text(before.replace("/edge\n", "/nowhere\n"))
    assert file.read_text() != before
    repository.commit("Break the edge")
    nanoka.argocd.refresh("root")
    wait_for("the edge to fail", lambda: nanoka.argocd.state("edge")[0] == "Unknown", 120, every=0.5)
    wait_for("the root to say so", lambda: nanoka.argocd.state("root")[1] == "Degraded", 120, every=0.5)
    file.write_text(before)
    repository.commit("Repair the edge")
    nanoka.argocd.refresh("root")
    for name in ("edge", "root"):
        nanoka.argocd.wait_until_healthy(name, 180)


@pytest.mark.timeout(400)
def test_a_broken_manifest_is_reported_and_breaks_nothing(nanoka: Nanoka, person: Person, overlay: Path) -> None:
    """Knative's webhook refuses it; Argo CD says why, and what runs goes on."""
    patch = (
        "apiVersion: serving.knative.dev/v1\nkind: Service\nmetadata: {name: login, namespace: nanoka}\n"
        "spec: {template: {spec: {timeoutSeconds: 601}}}\n"
    )
    kustomization = yaml.safe_load(overlay.read_text())
    kustomization["patches"].append({"patch": patch})
    overlay.write_text(yaml.safe_dump(kustomization, sort_keys=False))
    commit(nanoka, "Break login")

    def reported() -> bool:
        status = nanoka.argocd.application("nanoka").get("status", {})
        return "expected 0 <= 601 <= 600" in str(status.get("operationState", {}))

    wait_for("Argo CD to say why", reported, 180, every=0.5)
    assert nanoka.argocd.state("nanoka")[0] == "OutOfSync"
    person.request("GET", "/api/auth/me").raise_for_status()
    assert person.ask("Do you still answer?").ending == "complete"
