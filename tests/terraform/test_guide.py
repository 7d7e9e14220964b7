"""The guide says what is so: its figures are computed, its files exist, its commands name what is there."""

import re
import shutil
import subprocess
from math import ceil

import pytest
import yaml

from tests.cluster import render
from tests.terraform import costs
from tests.terraform.workspace import HERE, ROOT

GUIDE = (ROOT / "terraform" / "README.md").read_text()
TEXT = " ".join(GUIDE.split())
NUMBERS = {1: "one", 2: "two", 3: "three", 4: "four", 5: "five", 6: "six", 7: "seven", 8: "eight"}


@pytest.fixture
def _kustomize() -> None:
    try:
        render.kustomize()
    except render.KustomizeMissingError as error:
        pytest.skip(f"NOT RUN: {error}")


@pytest.mark.usefixtures("_kustomize")
def test_the_costs_are_what_the_manifests_ask_for() -> None:
    found = re.search(r"<!-- costs -->\n(.*?)\n<!-- /costs -->", GUIDE, re.DOTALL)
    assert found
    assert found[1] == costs.table(), "python -m tests.terraform.costs prints the table"


@pytest.mark.usefixtures("_kustomize")
def test_the_arithmetic_in_words_is_the_tables() -> None:
    pods = costs.always_on()
    words = f"{len(pods)} of them (NGINX, Knative, cert-manager, Argo CD) ask for {sum(p.cpu for p in pods):.2f} cores"
    words += f" and {sum(p.mib for p in pods) / 1024:.1f} GiB"
    assert words in TEXT
    _, streams = costs.function("send-message")
    few, many = (costs.at_once(people) for people in (1_000, 100_000))
    assert (
        f"are {few:.1f} answers at once, one pod; 100,000 are {many:.0f}, at the peak {many * costs.PEAK:.0f}" in TEXT
    )
    usual, peak = (NUMBERS[ceil(running / streams)] for running in (many, many * costs.PEAK))
    assert f"so {usual} pods of send-message and {peak}" in TEXT
    months = costs.month(100_000)
    assert f"= {months['the chat model']:,.0f}." in GUIDE
    assert f"It is {months['the chat model'] / sum(months.values()):.0%} of that bill".replace("%", " %") in GUIDE


def test_alerts_and_their_metrics_are_counted() -> None:
    text = (ROOT / "terraform" / "alerts.tf").read_text()
    queries = re.findall(r"^      query   = (\".+)", text, re.MULTILINE)
    metrics = re.findall(r"local\.metric\.|local\.uptime\}|local\.backends\}|kubernetes_io:", "".join(queries))
    assert f"and {NUMBERS[len(queries)]} alerts are in the console" in TEXT
    assert f"at 0.35 a metric a month: {0.35 * len(metrics):.2f} for ours" in TEXT


def test_the_number_of_resources_is_the_inventorys() -> None:
    counts = yaml.safe_load((HERE / "modules" / "root" / "inventory.yaml").read_text())
    assert f"It lists {sum(counts.values())} resources" in GUIDE


KUBECTL = """
kubectl() {
  case "$*" in
    *" create job "*) echo '{"spec": {"template": {"spec": {"containers": [{"name": "purge"}]}}}}' ;;
    "create -f -") jq -c .spec.template.spec.containers[0].args >&2 ;;
    *" logs "*) echo "its answer" ;;
  esac
}
"""


def test_purge_is_one_command_that_prints_its_answer() -> None:
    """Twice in a row, and only counting: each is a Job of a name of its own."""
    if shutil.which("jq") is None:
        pytest.skip("NOT RUN: jq, which the guide asks for, is not installed")
    found = re.search(r"^```sh\n(purge\(\) \{.*?)^```", GUIDE, re.DOTALL | re.MULTILINE)
    assert found
    assert "$(date +%s)" in found[1]
    done = subprocess.run(["bash", "-c", KUBECTL + found[1]], text=True, capture_output=True, check=True)
    assert done.stderr.splitlines() == ["[]", '["--dry-run"]']
    assert done.stdout.splitlines() == ["its answer"] * 2


def test_a_release_is_found_whoever_made_it() -> None:
    """What the workflow commits and what is committed by hand, to be rolled back both."""
    found = re.search(r"git log --oneline --grep '(\S+ )'", GUIDE)
    by_hand = re.search(r'promote\.py && git commit -am "(.+?)"', GUIDE)
    workflow = re.search(r'commit --quiet --message "(.+?)"', (ROOT / ".github/workflows/release.yml").read_text())
    assert found
    assert by_hand
    assert workflow
    assert re.match(found[1], by_hand[1])
    assert re.match(found[1], workflow[1])


def test_links_lead_somewhere() -> None:
    for link in re.findall(r"\]\(([^)#]+)\)", GUIDE):
        assert link.startswith("https://") or (ROOT / "terraform" / link).exists(), link
    for anchor in re.findall(r"\]\(#([^)]+)\)", GUIDE):
        assert anchor in {title.lower().replace(" ", "-") for title in re.findall(r"^## (.+)$", GUIDE, re.MULTILINE)}


def test_outputs_and_files_that_commands_use_exist() -> None:
    outputs = {
        module: set(re.findall(r'^output "(\w+)"', (ROOT / module / "outputs.tf").read_text(), re.MULTILINE))
        for module in ("terraform", "terraform/argocd")
    }
    used = re.findall(r"-chdir=(\S+) output (?:-raw |-json )?(\w+)", GUIDE)
    assert len(used) > 4
    for module, output in used:
        assert output in outputs[module], output
    for file in re.findall(r"(?:knative|argocd|functions|web|\.github)/[\w./-]+\.(?:yaml|py|env)", GUIDE):
        assert (ROOT / file).is_file(), file


def test_names_in_commands_are_the_manifests() -> None:
    assert (ROOT / "knative" / "base" / "login.yaml").is_file()
    assert "-l serving.knative.dev/service=login" in GUIDE
    schedule = yaml.safe_load((ROOT / "knative" / "jobs" / "purge.yaml").read_text())
    assert schedule["kind"] == "CronJob"
    assert f"--from=cronjob/{schedule['metadata']['name']}" in GUIDE
    (container,) = schedule["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"]
    assert "args" not in container  # so that the dry run's are the only ones
    for secret in re.findall(r"gcloud secrets versions add nanoka-(\S+)", GUIDE):
        assert f'"{secret}"' in (ROOT / "terraform" / "secrets.tf").read_text()
