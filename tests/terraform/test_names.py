"""Terraform and the manifests mean the same things by the same names."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cluster import render
from tests.cluster.kubectl import Thing
from tests.knative.workloads import functions, of_kind, workloads
from tests.terraform import workspace
from tests.terraform.workspace import ROOT, TerraformMissingError, Workspace

TERRAFORM = ROOT / "terraform"
PRODUCTION = ROOT / "knative" / "overlays" / "production"
IDENTITY = "iam.gke.io/gcp-service-account"
NAMES = (
    "name",
    "namespace",
    "settings",
    "workloads",
    "database_users",
    "secrets",
    "ranges",
    "log_counters",
    "log_distributions",
    "answers",
)


@pytest.fixture(scope="module")
def cloud_says(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What Terraform's own evaluation of its locals gives for the installation that is checked in."""
    try:
        return workspace.local_values(tmp_path_factory.mktemp("locals"), *NAMES)
    except TerraformMissingError as error:
        pytest.skip(f"NOT RUN: agreement of terraform/ with knative/ and argocd/: {error}")


@pytest.fixture(scope="module")
def things() -> list[Thing]:
    """Everything that production's overlays are rendered to."""
    try:
        render.kustomize()
    except render.KustomizeMissingError as error:
        pytest.skip(f"NOT RUN: agreement of terraform/ with knative/ and argocd/: {error}")
    folders = [folder for folder in render.folders() if folder.is_relative_to(PRODUCTION)]
    assert len(folders) >= 3
    return [thing for folder in folders for thing in render.objects(folder)]


def test_the_settings_are_terraforms(cloud_says: dict[str, Any]) -> None:
    """The file is what `terraform output -raw settings` prints, to the letter."""
    assert workspace.settings() == cloud_says["settings"]


def test_every_workload_identity_is_a_service_account(cloud_says: dict[str, Any], things: list[Thing]) -> None:
    domain = f"{cloud_says['settings']['PROJECT_ID']}.iam.gserviceaccount.com"
    accounts = {
        account["metadata"]["name"]: account["metadata"]["annotations"][IDENTITY]
        for account in of_kind(things, "ServiceAccount")
        if IDENTITY in account["metadata"].get("annotations", {})
    }
    assert accounts == {name: f"{cloud_says['name']}-{name}@{domain}" for name in cloud_says["workloads"]}
    assert {a["metadata"]["namespace"] for a in of_kind(things, "ServiceAccount")} == {cloud_says["namespace"]}


def test_whoever_connects_is_a_user_of_the_database(cloud_says: dict[str, Any], things: list[Thing]) -> None:
    """A pod that reads a database user runs as the account that this user is."""
    found = {}
    for pod in workloads(things):
        for container in pod.containers:
            for entry in container.get("env", []):
                if entry["name"] == "DB_USER":
                    found[pod.spec["serviceAccountName"]] = entry["valueFrom"]["configMapKeyRef"]["key"]
    assert found == {name: f"DB_USER_{name.upper().replace('-', '_')}" for name in cloud_says["database_users"]}


def test_secrets_are_read_by_the_account_that_may(cloud_says: dict[str, Any], things: list[Thing]) -> None:
    (provider,), (sync,) = of_kind(things, "SecretProviderClass"), of_kind(things, "SecretSync")
    project = cloud_says["settings"]["PROJECT_ID"]
    assert {entry["resourceName"] for entry in yaml.safe_load(provider["spec"]["parameters"]["secrets"])} == {
        f"projects/{project}/secrets/{cloud_says['name']}-{name}/versions/latest" for name in cloud_says["secrets"]
    }
    granted = (TERRAFORM / "secrets.tf").read_text()
    assert f'/${{local.namespace}}/sa/{sync["spec"]["serviceAccountName"]}"' in granted


def test_the_load_balancer_takes_the_reserved_address(cloud_says: dict[str, Any], things: list[Thing]) -> None:
    (edge,) = [service for service in of_kind(things, "Service") if service["spec"].get("type") == "LoadBalancer"]
    annotations = edge["metadata"]["annotations"]
    assert annotations["networking.gke.io/load-balancer-ip-addresses"] == cloud_says["name"]


def test_the_certificate_is_for_the_domain_and_its_zone(cloud_says: dict[str, Any], things: list[Thing]) -> None:
    (certificate,) = of_kind(things, "Certificate")
    assert certificate["spec"]["dnsNames"] == [cloud_says["settings"]["DOMAIN"]]
    issuers = of_kind(things, "ClusterIssuer")
    assert issuers
    for issuer in issuers:
        (solver,) = issuer["spec"]["acme"]["solvers"]
        assert solver["dns01"]["cloudDNS"] == {
            "project": cloud_says["settings"]["PROJECT_ID"],
            "hostedZoneName": cloud_says["name"],
        }


def test_a_certificate_is_renewed_before_anybody_is_told(things: list[Thing]) -> None:
    """At least a day before, or every renewal that goes well is an alarm."""
    days = re.search(r'"certificate_days" \{.*?default\s+= (\d+)', (TERRAFORM / "variables.tf").read_text(), re.DOTALL)
    told = re.search(r"< \$\{floor\(var\.certificate_days / (\d+)\)\}", (TERRAFORM / "alerts.tf").read_text())
    assert days
    assert told
    (certificate,) = of_kind(things, "Certificate")
    renewed = int(days[1]) * certificate["spec"]["renewBeforePercentage"] / 100
    assert renewed >= int(days[1]) // int(told[1]) + 1


def test_cert_managers_account_is_the_one_with_the_zone() -> None:
    application = yaml.safe_load((ROOT / "argocd" / "apps" / "cert-manager.yaml").read_text())
    chart, namespace = application["spec"]["source"]["chart"], application["spec"]["destination"]["namespace"]
    assert "serviceAccount" not in application["spec"]["source"]["helm"]["valuesObject"]  # so it has the chart's name
    assert f"/{namespace}/sa/{chart}\"" in (TERRAFORM / "identities.tf").read_text()  # fmt: skip


def test_policies_open_the_databases_range(cloud_says: dict[str, Any], things: list[Thing]) -> None:
    ranges = {
        peer["ipBlock"]["cidr"]
        for policy in of_kind(things, "NetworkPolicy")
        for rule in policy["spec"].get("egress", [])
        for peer in rule.get("to", [])
        if peer.get("ipBlock", {}).get("cidr", "").startswith("10.")
    }
    assert ranges == {cloud_says["ranges"]["database"]}


def test_images_come_from_our_repository(cloud_says: dict[str, Any], things: list[Thing]) -> None:
    images = {container["image"] for pod in workloads(things) for container in pod.containers}
    repository = re.escape(cloud_says["settings"]["IMAGES"])
    assert images
    for image in images:
        assert re.fullmatch(rf"{repository}/[a-z-]+@sha256:[0-9a-f]{{64}}", image), image


def test_metrics_and_checks_look_where_the_logs_are(cloud_says: dict[str, Any], things: list[Thing]) -> None:
    """NGINX's container and health route, and the functions' container, bear the names that alerts.tf asks for."""
    containers = {container["name"] for pod in workloads(things) for container in pod.containers}
    assert 'container_name="nginx"' in cloud_says["log_counters"]["responses"]["filter"]
    assert "nginx" in containers
    assert {c["name"] for f in functions(things) for c in f["spec"]["template"]["spec"]["containers"]} == {"function"}
    assert 'container_name=\\"function\\"' in (TERRAFORM / "dashboard.tf").read_text()
    template = (ROOT / "web" / "nginx" / "nginx.conf.template").read_text()
    path = re.search(r'path\s+= "(/\w+)"', (TERRAFORM / "alerts.tf").read_text())
    assert path
    assert f"location = {path[1]} " in template


LINES = """
from nanoka import logs
logs.info("purged", dry_run=False, deleted={"messages": 1}, took_ms=1.5)
logs.info("purged", dry_run=True, deleted={"messages": 1}, took_ms=1.5)
logs.warning("answer.failed", status="failed", ttft_ms=None, input_tokens=None, output_tokens=None)
logs.info("answer.complete", status="complete", ttft_ms=8.5, input_tokens=100, output_tokens=20)
"""


@pytest.fixture(scope="module")
def lines() -> list[dict[str, Any]]:
    """Lines as a function in the cluster writes them, by its own logger."""
    done = subprocess.run(
        [sys.executable, "-c", LINES], cwd=ROOT / "functions", text=True, capture_output=True, check=True
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def fits(query: str, line: dict[str, Any]) -> bool:
    """Whether a line's fields meet a query's (the operators of Cloud Logging's query language that ours use)."""
    for name, operator, wanted in re.findall(r"jsonPayload\.(\w+)(=~|>=|=)(\S+)", query):
        value, text = line.get(name), wanted.strip('"')
        holds = {
            "=": value == (json.loads(text) if text in {"true", "false"} else text),
            "=~": isinstance(value, str) and re.search(text, value) is not None,
            ">=": isinstance(value, int | float) and value >= float(text if operator == ">=" else 0),
        }
        if not holds[operator]:
            return False
    return True


def test_counters_count_what_they_name(cloud_says: dict[str, Any], lines: list[dict[str, Any]]) -> None:
    counted = {
        name: [line["message"] for line in lines if fits(counter["filter"], line)]
        for name, counter in cloud_says["log_counters"].items()
        if "jsonPayload." in counter["filter"]
    }
    assert counted == {"purges": ["purged"], "answers": ["answer.failed", "answer.complete"]}
    extracted = cloud_says["log_counters"]["answers"]["labels"]["status"]
    assert extracted == "EXTRACT(jsonPayload.status)"


def test_distributions_read_what_is_there(cloud_says: dict[str, Any], lines: list[dict[str, Any]]) -> None:
    for distribution in cloud_says["log_distributions"].values():
        query = f"{cloud_says['answers']} jsonPayload.{distribution['field']}>=0"
        assert [line["message"] for line in lines if fits(query, line)] == ["answer.complete"]


def test_functions_log_those_events_and_nginx_its_status(cloud_says: dict[str, Any]) -> None:
    """The lines above are what the functions write: their own calls have these words and fields."""
    written = "".join(file.read_text() for file in (ROOT / "functions").rglob("*.py"))
    assert re.search(r'logs\.info\(\s*"purged",\s*dry_run=', written)
    assert re.search(r'write\(\s*f"answer\.\{answer\.status\}",\s*status=answer\.status,', written)
    for distribution in cloud_says["log_distributions"].values():
        assert re.search(rf"\b{distribution['field']}=", written), distribution
    template = (ROOT / "web" / "nginx" / "nginx.conf.template").read_text()
    assert "httpRequest.status" in cloud_says["log_counters"]["responses"]["filter"]
    assert re.search(r'"httpRequest":\{[^}]*"status":\$status', template)


def test_the_plan_binds_what_the_manifests_run(cloud: Workspace, cloud_says: dict[str, Any], tmp_path: Path) -> None:
    """The same from the other side: the members and users of a real plan, not the text of our files."""
    plan = cloud.plan(workspace.installation(tmp_path))
    made = [(c["type"], c["change"]["after"]) for c in plan["resource_changes"] if c["mode"] == "managed"]
    project, name = cloud_says["settings"]["PROJECT_ID"], cloud_says["name"]
    assert {after.get("member") for kind, after in made if kind == "google_service_account_iam_member"} >= {
        f"serviceAccount:{project}.svc.id.goog[{cloud_says['namespace']}/{workload}]"
        for workload in cloud_says["workloads"]
    }
    assert {after["name"] for kind, after in made if kind == "google_sql_user"} == {
        value for key, value in cloud_says["settings"].items() if key.startswith("DB_USER_")
    }
    assert {after["secret_id"] for kind, after in made if kind == "google_secret_manager_secret"} == {
        f"{name}-{secret}" for secret in cloud_says["secrets"]
    }
    for kind in ("google_compute_address", "google_dns_managed_zone", "google_container_cluster"):
        assert [after["name"] for found, after in made if found == kind] == [name]
