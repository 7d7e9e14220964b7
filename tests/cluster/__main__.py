"""`python -m tests.cluster manifests`: have every manifest judged by the programs that judge it in production.
`python -m tests.cluster run`: raise the whole production path on this machine and test the product on it.
`python -m tests.cluster images`: make the product's images alone.
"""

import argparse
import contextlib
import shlex
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import pytest

from tests.cluster import admission, cluster, elsewhere, images, machine, node
from tests.cluster.conftest import Handover
from tests.cluster.controlplane import kubernetes
from tests.cluster.figures import Figures
from tests.cluster.programs import GoMissingError
from tests.cluster.render import ROOT
from tests.cluster.run import interrupt_on_signals, step
from tests.cluster.standins import DOMAIN
from tests.knative import charts
from tests.knative.charts import ChartMissingError
from tests.terraform import tools, workspace

LOUD = "=" * 78
UNFIT = 2


def manifests() -> int:
    """Build what judges, then run the tests of the manifests and of Terraform, which raise it. pytest's exit status."""
    try:
        with step("kube-apiserver, kubectl, etcd, Knative's webhook, kustomize and helm built"):
            admission.build()
    except GoMissingError as error:
        print(f"{LOUD}\n{error}: NO MANIFEST IS OFFERED TO A GENUINE API SERVER.\n"
              f"What needs none of it is still tested.\n{LOUD}", flush=True)  # fmt: skip
    try:
        with step("Argo CD's chart fetched"):
            charts.fetch()
    except (GoMissingError, ChartMissingError) as error:
        print(f"{LOUD}\n{error}\nTHE VALUES IN terraform/argocd ARE NOT TRIED ON IT.\n{LOUD}", flush=True)
    for scanner in (*tools.VERSIONS, "actionlint"):
        try:
            with step(f"{scanner} installed"):
                tools.fetch(scanner)
        except tools.ToolMissingError as error:
            print(f"{LOUD}\n{error}: WHAT IT JUDGES IS NOT JUDGED.\n{LOUD}", flush=True)
    try:
        with step("Terraform's providers fetched"), tempfile.TemporaryDirectory() as scratch:
            workspace.prepare(Path(scratch), "argocd")  # which asks for every one
    except workspace.TerraformMissingError as error:
        print(f"{LOUD}\n{error}: terraform/ IS NEITHER VALIDATED NOR TESTED NOR PLANNED.\n"
              f"TF_CLI_CONFIG_FILE may name a mirror that has the providers.\n{LOUD}", flush=True)  # fmt: skip
    command = [sys.executable, "-m", "pytest", "tests/knative", "tests/terraform", "-v"]
    return subprocess.run(command, cwd=ROOT, check=False).returncode


def make_images() -> int:
    """Make the product's images that are absent. The exit status: 0, or 2 when this machine cannot do it."""
    try:
        machine.check_for_images()
    except machine.UnfitError as error:
        print(f"{LOUD}\n{error}\nNO IMAGE WAS MADE.\n{LOUD}", flush=True)
        return UNFIT
    for archive in images.build_all():
        print(archive, flush=True)
    return 0


def run(place: elsewhere.Place | None, *, keep: bool, selected: list[str]) -> int:
    """Test Nanoka on a cluster that is raised for it, or on the one that is named, and take away all that was made.

    The exit status: 0 all passed, 1 something failed, 2 this machine (or that cluster) cannot do it.
    """
    try:
        return in_place(place, selected) if place else on_our_own(keep=keep, selected=selected)
    except machine.UnfitError as error:
        print(f"{LOUD}\n{error}\nNOTHING WAS RUN ON A CLUSTER.\n{LOUD}", flush=True)
        return UNFIT


def on_our_own(*, keep: bool, selected: list[str]) -> int:
    with cluster.nanoka() as nanoka:
        status = judge(Handover(Figures(), nanoka.door, nanoka), selected)
        nanoka.plane.run.failed = status != 0
        if keep:
            print(f"Nanoka stays until Ctrl-C at https://{node.ADDRESS} (host {DOMAIN}). To look around:\n"
                  f"  export KUBECONFIG={nanoka.plane.admin}\n"
                  f"  {kubernetes('kubectl')} get pods --all-namespaces\n"
                  "`nox -s bench -- cluster` measures it meanwhile.", flush=True)  # fmt: skip
            with contextlib.suppress(KeyboardInterrupt):
                threading.Event().wait()
    return status


def in_place(place: elsewhere.Place, selected: list[str]) -> int:
    with elsewhere.nanoka(place) as door:
        print(f"{LOUD}\nNOT SEEN on {place.context}: {elsewhere.NOT_SEEN}.\n{LOUD}", flush=True)
        return judge(Handover(Figures(), door), selected)


def judge(handover: Handover, selected: list[str]) -> int:
    """Run the tests and print what they measured: 0 if all passed, else 1. Raises KeyboardInterrupt."""
    status = pytest.main(["-o", "testpaths=tests/cluster", "-v", *selected], plugins=[handover])
    print(f"\n{handover.figures.markdown()}\n", flush=True)
    if handover.interrupted:
        raise KeyboardInterrupt
    return min(int(status), 1)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.cluster", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("manifests", help="judge every manifest; needs Go, no root")
    commands.add_parser("images", help="make the product's images; needs Linux, root and Debian's packages")
    running = commands.add_parser("run", help="raise the cluster and test on it; needs Linux, root and Go")
    running.add_argument("--keep", action="store_true", help="leave it up afterwards, until Ctrl-C")
    running.add_argument("--context", metavar="NAME", help="use this context of your kubeconfig instead of raising one")
    running.add_argument("--images", metavar="PREFIX", help="where that cluster finds the images: PREFIX/login:1, …")
    running.add_argument("--machine", metavar="ADDRESS", help="the address by which its pods reach this machine")
    arguments, selected = parser.parse_known_args()
    interrupt_on_signals()
    try:
        if arguments.command == "manifests":
            return manifests()
        if arguments.command == "images":
            return make_images()
        if arguments.context and not arguments.images:
            parser.error("--context needs --images: the cluster must be able to pull them")
        place = elsewhere.Place(arguments.context, arguments.images, arguments.machine) if arguments.context else None
        return run(place, keep=arguments.keep, selected=selected)
    except KeyboardInterrupt:
        return 130
    except subprocess.CalledProcessError as error:
        said = f"{error.output or ''}{error.stderr or ''}"[-2000:]
        print(f"{LOUD}\n{said}{shlex.join(map(str, error.cmd))}:\n"
              f"status {error.returncode}; what else it said stands above.\n{LOUD}", flush=True)  # fmt: skip
        return 1


if __name__ == "__main__":
    sys.exit(main())
