"""Other people's Helm charts, rendered with the values that we give them.

Two charts lie in Go modules that the checks fetch anyway. Argo CD's own lies in its repository on the internet alone:
`nox -s manifests` fetches it where that can be reached, and says so where it cannot.
"""

import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.cluster import knative, programs, render
from tests.cluster.kubectl import Thing

APPS = render.ROOT / "argocd" / "apps"
TERRAFORM = render.ROOT / "terraform" / "argocd"
PLACEHOLDERS = ("{{ version }}", "{{ tag }}", "v0.0.0")
"""What stands for the version until the upstream's release tool has been there."""


class ChartMissingError(RuntimeError):
    """The chart cannot be had."""


@dataclass(frozen=True)
class Chart:
    """A chart as it is installed: where it lies is found when it is rendered."""

    name: str
    release: str
    version: str
    namespace: str
    values: dict[str, Any]
    unpack: Callable[["Chart", Path], Path]  # puts its files into a folder. Raises ChartMissingError

    def render(self, scratch: Path) -> list[Thing]:
        """Every object that installing it makes, types included. Raises ChartMissingError, RuntimeError."""
        folder = self.unpack(self, scratch)
        (scratch / "values.yaml").write_text(yaml.safe_dump(self.values))
        done = helm("template", self.release, folder, "--include-crds", f"--namespace={self.namespace}",
                    f"--values={scratch / 'values.yaml'}")  # fmt: skip
        return [thing for thing in yaml.safe_load_all(done) if thing]


def helm(*arguments: object) -> str:
    """What the helm that Argo CD 3.5 runs says. Raises RuntimeError with its message, GoMissingError."""
    command = [str(programs.program("helm", "helm")), *map(str, arguments)]
    done = subprocess.run(command, text=True, capture_output=True, check=False)
    if done.returncode:
        raise RuntimeError(f"helm {' '.join(map(str, arguments))}: {done.stderr}")
    return done.stdout


def of_module(module: str, dependency: str, path: str) -> Callable[[Chart, Path], Path]:
    """A chart out of the source of a Go module, finished as its upstream's release does."""

    def unpack(chart: Chart, scratch: Path) -> Path:
        folder = scratch / chart.name
        for file in sorted((programs.source(module, dependency) / path).rglob("*")):
            if file.is_file():
                target = folder / file.relative_to(programs.source(module, dependency) / path)
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(file.read_bytes())
        for name in ("Chart.yaml", "values.yaml"):
            text = (folder / name).read_text()
            for placeholder in PLACEHOLDERS:
                text = text.replace(placeholder, chart.version)
            (folder / name).write_text(text)
        return folder

    return unpack


def of_repository(repository: str) -> Callable[[Chart, Path], Path]:
    """A chart that was fetched from its repository before (`fetch`)."""

    def unpack(chart: Chart, scratch: Path) -> Path:
        archive = fetched(chart)
        if not archive.exists():
            raise ChartMissingError(f"the chart {chart.name} {chart.version} is not here ({repository})")
        shutil.unpack_archive(archive, scratch)
        return scratch / chart.name

    return unpack


def fetched(chart: Chart) -> Path:
    return programs.CACHE / "charts" / f"{chart.name}-{chart.version}.tgz"


def fetch() -> None:
    """Fetch the charts that Terraform installs, if they are absent. Raises ChartMissingError, GoMissingError."""
    for chart, repository in of_terraform():
        if fetched(chart).exists():
            continue
        fetched(chart).parent.mkdir(parents=True, exist_ok=True)
        try:
            helm("pull", chart.name, f"--repo={repository}", f"--version={chart.version}",
                 f"--destination={fetched(chart).parent}")  # fmt: skip
        except RuntimeError as error:
            raise ChartMissingError(f"the chart {chart.name} {chart.version} cannot be had: {error}") from error


def of_applications() -> list[Chart]:
    """The charts that Argo CD installs, as its applications say."""
    sources = {
        "cert-manager": of_module("types", "github.com/cert-manager/cert-manager", "deploy/charts/cert-manager"),
        "knative-operator": of_module("operator", knative.OPERATOR, "config/charts/knative-operator"),
    }
    charts = []
    for file in sorted(APPS.glob("*.yaml")):
        application = yaml.safe_load(file.read_text())
        source, target = application["spec"]["source"], application["spec"]["destination"]["namespace"]
        if name := source.get("chart"):
            values = source.get("helm", {}).get("valuesObject", {})
            release = application["metadata"]["name"]
            charts.append(Chart(name, release, source["targetRevision"], target, values, sources[name]))
    return charts


def of_terraform() -> list[tuple[Chart, str]]:
    """Argo CD's chart and the repository that it comes from, as terraform/argocd says."""
    block = re.search(
        r'resource "helm_release" "argocd" \{.*?^\}', (TERRAFORM / "main.tf").read_text(), re.DOTALL | re.MULTILINE
    )
    assert block
    said = dict(re.findall(r'^  (\w+) += "([^"]+)"', block[0], re.MULTILINE))
    values = yaml.safe_load((TERRAFORM / "values.yaml").read_text())
    unpack = of_repository(said["repository"])
    chart = Chart(said["chart"], said["name"], said["version"], said["namespace"], values, unpack)
    return [(chart, said["repository"])]
