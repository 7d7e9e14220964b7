"""Argo CD, genuine, as plain processes on the node, and the Git repository that it reads."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import yaml

from tests.cluster import knative, programs, render
from tests.cluster.controlplane import LOOPBACK, ControlPlane
from tests.cluster.kubectl import Kubectl, Thing
from tests.cluster.run import wait_for

MODULE = "github.com/argoproj/argo-cd/v3"
NAMESPACE = "argocd"
GIT, REDIS, REPO_SERVER = 9418, 6379, 18081  # ports of the node's own loopback
REPOSITORY = f"git://{LOOPBACK}:{GIT}/nanoka.git"
OF_CHARTS = {"cert-manager", "knative-operator"}  # from Helm repositories, which are not in the cluster's reach
PARTS = ("argocd-repo-server", "argocd-application-controller")


class Repository:
    """The checkout's `knative/` and `argocd/` in a repository of their own, as production's would be for this cluster:
    Argo CD reads this repository instead of GitHub's, and this cluster's overlays instead of production's."""

    def __init__(self, folder: Path) -> None:
        """The one whose folder it is, made or still to be made."""
        self.work, self.bare = folder / "work", folder / "served" / "nanoka.git"

    def make(self) -> None:
        self.work.mkdir(parents=True)
        for name in ("knative", "argocd"):
            shutil.copytree(render.ROOT / name, self.work / name)
        for file in (self.work / "argocd").rglob("*.yaml"):
            text = re.sub(r"https://\S+/nanoka\.git", REPOSITORY, file.read_text())
            file.write_text(text.replace("knative/overlays/production/", "knative/overlays/cluster/"))
        for name in OF_CHARTS:
            (self.work / "argocd" / "apps" / f"{name}.yaml").unlink()
        self.git("init", "--quiet", "--initial-branch=main")
        subprocess.run(["git", "init", "--quiet", "--bare", "--initial-branch=main", self.bare], check=True)
        self.git("remote", "add", "origin", str(self.bare))
        self.commit("Begin")

    def git(self, *arguments: str) -> str:
        identity = ("-c", "user.name=Nanoka's tests", "-c", "user.email=tests@nanoka.test")
        return subprocess.run(
            ["git", *identity, *arguments], cwd=self.work, check=True, text=True, capture_output=True
        ).stdout

    def commit(self, message: str) -> None:
        """Commit whatever has changed, for Argo CD to see."""
        self.git("add", "--all")
        self.git("commit", "--quiet", f"--message={message}")
        self.git("push", "--quiet", "origin", "main")

    def revision(self) -> str:
        """The last commit's."""
        return self.git("rev-parse", "HEAD").strip()


class ArgoCD:
    """Argo CD with one repository; `url` is the API server's."""

    def __init__(self, plane: ControlPlane) -> None:
        self.plane = plane
        self.temporary = plane.run.path("argocd", "tmp")
        self.repository = Repository(plane.run.folder / "git")
        self.repository.make()

    def start(self) -> None:
        """Start it; return when its parts run."""
        self._configure()
        run, source = self.plane.run, programs.source("argocd", MODULE)
        path = run.path("argocd", "bin", "x").parent
        path.mkdir(exist_ok=True)
        for part in PARTS:  # one program, named by the link that it is called by
            path.joinpath(part).symlink_to(programs.program("argocd", "cmd"))
        path.joinpath("kustomize").symlink_to(programs.program("kustomize", "kustomize"))
        wrapper = Path(shutil.copy(source / "hack" / "git-verify-wrapper.sh", path))
        wrapper.chmod(0o755)  # a Go module's files are nobody's to run
        self.temporary.mkdir()
        environment = {
            "PATH": f"{path}:/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME": str(path.parent),
            # What it would leave in the machine's /tmp goes with the run.
            "TMPDIR": str(self.temporary),
            "ARGOCD_ASK_PASS_SOCK": str(self.temporary / "ask-pass.sock"),
            "ARGOCD_FAKE_IN_CLUSTER": "true",
            "KUBECONFIG": str(self.plane.admin),
            "ARGOCD_GPG_ENABLED": "false",
            "ARGOCD_TLS_DATA_PATH": str(path.parent),
            "ARGOCD_SSH_DATA_PATH": str(path.parent),
            # How long it may take to notice a commit; three minutes in production.
            "ARGOCD_RECONCILIATION_TIMEOUT": "5s",
            "ARGOCD_APPLICATION_CONTROLLER_SYNC_TIMEOUT": helm_values()["configs"]["params"][
                "controller.sync.timeout.seconds"
            ],
        }
        served = self.repository.bare.parent
        run.start("git", "git", "daemon", f"--base-path={served}", "--export-all", f"--listen={LOOPBACK}",
                  f"--port={GIT}", "--reuseaddr", served)  # fmt: skip
        run.start("redis", "redis-server", "--bind", LOOPBACK, "--port", REDIS, "--save", "", "--appendonly", "no")
        redis = f"--redis={LOOPBACK}:{REDIS}"
        run.start(
            PARTS[0], path / PARTS[0], redis, f"--port={REPO_SERVER}", "--metrics-port=18084", f"--address={LOOPBACK}",
            "--disable-tls", "--client-ca-path=", env=environment,
        )  # fmt: skip
        run.start(
            PARTS[1], path / PARTS[1], redis, f"--kubeconfig={self.plane.admin}", f"--namespace={NAMESPACE}",
            f"--repo-server={LOOPBACK}:{REPO_SERVER}", "--repo-server-plaintext",
            "--metrics-port=18082", "--self-heal-timeout-seconds=2", env=environment,
        )  # fmt: skip

    def _configure(self) -> None:
        """Its namespace, types and settings: the upstream's, with those that Terraform gives it."""
        manifests = programs.source("argocd", MODULE) / "manifests"
        config = [
            thing for file in (manifests / "base" / "config").glob("argocd-*.yaml") for thing in knative.documents(file)
        ]
        for thing in config:
            thing["metadata"]["namespace"] = NAMESPACE
            if thing["metadata"]["name"] == "argocd-cm":
                thing["data"] = helm_values()["configs"]["cm"]
        namespace: Thing = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
        self.plane.kubectl.apply(namespace, *config)

    def begin(self) -> None:
        """Give it the project and the root application, as Terraform does, and nothing else."""
        self.plane.kubectl("apply", "--server-side", "-f", self.repository.work / "argocd" / "project.yaml",
                           "-f", self.repository.work / "argocd" / "root.yaml")  # fmt: skip

    def application(self, name: str) -> Thing:
        return self.plane.kubectl.get(f"applications.argoproj.io/{name}", f"--namespace={NAMESPACE}")

    def state(self, name: str) -> tuple[str, str]:
        """What it says of an application: whether it is synced, and its health."""
        return state(self.application(name))

    def refresh(self, name: str) -> None:
        """Have it look at once."""
        refresh(self.plane.kubectl, name)

    def wait_until_healthy(self, name: str, seconds: float = 300) -> None:
        """With the last commit: of the one before it, Argo CD says so until it has looked again."""
        revision = self.repository.revision()

        def healthy() -> bool:
            self.plane.run.check()
            if not self.plane.kubectl.says("get", f"applications.argoproj.io/{name}", f"--namespace={NAMESPACE}"):
                return False
            application = self.application(name)
            sync = application.get("status", {}).get("sync", {})
            return sync.get("revision") == revision and state(application) == ("Synced", "Healthy")

        wait_for(f"the application {name}", healthy, seconds, every=0.5)


def state(application: Thing) -> tuple[str, str]:
    """Whether it is synced, and its health; empty while nothing has been said of it."""
    status = application.get("status", {})
    return status.get("sync", {}).get("status", ""), status.get("health", {}).get("status", "")


def refresh(kubectl: Kubectl, name: str) -> None:
    """Have Argo CD look at an application's repository at once."""
    note = {"metadata": {"annotations": {"argocd.argoproj.io/refresh": "normal"}}}
    kubectl.patch("applications.argoproj.io", name, note, f"--namespace={NAMESPACE}")


def helm_values() -> dict[str, Any]:
    """The values that Terraform gives to Argo CD's chart."""
    found: dict[str, Any] = yaml.safe_load((render.ROOT / "terraform" / "argocd" / "values.yaml").read_text())
    return found
