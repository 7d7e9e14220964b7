"""checkov's opinion of the cloud and of the images: what it finds is either mended or stands here with the reason."""

import json
from pathlib import Path
from typing import Any

from tests.terraform import tools
from tests.terraform.workspace import ROOT

DATABASE, CLUSTER = "google_sql_database_instance.database", "google_container_cluster.cluster"
EXCEPTIONS = {
    # What people write must be in no log, and a log of statements is where it would end up.
    ("CKV_GCP_109", DATABASE): "PostgreSQL's default logs statements that fail, without parameters; more is too much",
    ("CKV_GCP_110", DATABASE): "pgAudit logs statements",
    ("CKV_GCP_111", DATABASE): "logs statements",
    ("CKV2_GCP_13", DATABASE): "log_duration: a line for every statement, kept in a log that costs; Insights has it",
    # Functions come and go all day, each as the same service account from an address of the pool.
    ("CKV_GCP_52", DATABASE): "log_connections: two lines for every cold start say nothing new",
    ("CKV_GCP_53", DATABASE): "log_disconnections: the same",
    ("CKV_GCP_108", DATABASE): "log_hostname: a pod's address has no name, and looking for it delays the connection",
    # Rules for Standard clusters, of what Autopilot does without being asked or is asked elsewhere.
    ("CKV_GCP_12", CLUSTER): "Autopilot runs Dataplane V2, which enforces network policies always",
    ("CKV_GCP_69", CLUSTER): "Autopilot has workload identity and its metadata server always",
    ("CKV_GCP_21", CLUSTER): "the provider's default_labels label it",
    ("CKV_GCP_20", CLUSTER): "there is no address to authorise networks for: the DNS endpoint asks IAM",
    ("CKV_GCP_61", CLUSTER): "flow logs of every packet cost more than the cluster; Dataplane V2 logs what it denies",
    ("CKV_GCP_26", "google_compute_subnetwork.nodes"): "the same",
    ("CKV_GCP_65", CLUSTER): "groups need a Workspace organisation, which a reader may not have",
    ("CKV_GCP_66", CLUSTER): "Binary Authorization would need an attestor for images of Knative, cert-manager and Argo "
    "CD as well; our own are named by digest, and the release verifies their signatures",
    ("CKV2_GCP_18", "google_compute_network.network"): "a network without rules denies what comes in; GKE adds its own",
    ("CKV_GCP_84", "google_artifact_registry_repository.images"): "images of open source need no key of ours",
    (
        "CKV_GCP_125",
        "google_iam_workload_identity_pool_provider.github",
    ): "it wants the repository's name in `sub`; the "
    "condition has its number, which cannot be taken over, and the release's binding has the branch",
}


# Of both Dockerfiles.
OF_IMAGES = {
    "CKV_DOCKER_7": "each base is an argument, whose default is a digest (tests/functions/test_images.py)",
    "CKV_DOCKER_2": "Kubernetes asks after the pods' health itself and reads no HEALTHCHECK",
}
DOCKERFILES = ("functions/Dockerfile", "web/Dockerfile")


def scan(framework: str, *where: str) -> dict[str, Any]:
    """What checkov says, by the state of its checks."""
    done = tools.run("checkov", *where, "--framework", framework, "--skip-download", "--output", "json")
    results: dict[str, Any] = json.loads(done.stdout)["results"]
    assert results["parsing_errors"] == []
    assert len(results["passed_checks"]) > 40
    return results


def test_what_the_scan_finds_is_known_and_has_a_reason() -> None:
    failed = scan("terraform", "--directory", str(ROOT / "terraform"))["failed_checks"]
    assert {(check["check_id"], check["resource"]) for check in failed} == set(EXCEPTIONS)


def test_the_dockerfiles_too() -> None:
    results = scan("dockerfile", "--file", *(str(ROOT / file) for file in DOCKERFILES))
    assert {Path(check["file_path"]).parts[-2] for check in results["passed_checks"]} == {"functions", "web"}
    found = sorted((check["check_id"], Path(check["file_path"]).parts[-2]) for check in results["failed_checks"])
    assert found == sorted((check, folder) for check in OF_IMAGES for folder in ("functions", "web"))
