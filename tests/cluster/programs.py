"""The cluster's programs, built from Go modules: each upstream's own source, none of its binaries.

Every folder of `modules/` is a Go module whose `tool` lines name the programs that are built from it, so
versions and checksums stand in its `go.mod` and `go.sum` alone. Upstreams that do not agree on their
libraries' versions have a module each. What is built lies outside the checkout, in a folder that is named by
a digest of those two files: another version is another folder.
"""

import functools
import hashlib
import json
import os
import re
import shutil
from pathlib import Path

from tests.cluster.run import output

MODULES = Path(__file__).parent / "modules"
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "nanoka"
KUBERNETES = "k8s.io/kubernetes"
# A compiler lives for seconds: collecting its garbage, and writing debugging information that the linker drops again,
# is more than a third of the work (kustomize: 62 instead of 100 s of CPU).
HASTE = {"GOGC": "off", "GOMEMLIMIT": "2GiB"}


class GoMissingError(RuntimeError):
    """No `go` on PATH: the programs cannot be built, nor the upstreams' manifests be had."""


def go(module: str, *arguments: str, **environment: str) -> str:
    """Run `go` in a module's folder and return what it prints. Raises GoMissingError, CalledProcessError."""
    program = shutil.which("go")
    if program is None:
        raise GoMissingError("Go is not installed")
    return output(
        program,
        *arguments,
        cwd=MODULES / module,
        # Static programs: the images that they are put into have no C library.
        env=os.environ
        | {"GOFLAGS": "-buildvcs=false -mod=readonly", "GOWORK": "off", "CGO_ENABLED": "0"}
        | environment,
    )


def folder(module: str) -> Path:
    """Where a module's programs lie once they are built."""
    digest = hashlib.sha256()
    for file in sorted(path for path in (MODULES / module).rglob("*") if path.is_file()):
        digest.update(file.read_bytes())
    return CACHE / "programs" / f"{module}-{digest.hexdigest()[:12]}"


def version(module: str, dependency: str) -> str:
    """The version of a Go module that one of ours is pinned to, e.g. v1.34.2. Needs no Go: go.mod names all of them."""
    required = re.search(
        rf"^\s*(?:require )?{re.escape(dependency)} (v\S+)", (MODULES / module / "go.mod").read_text(), re.MULTILINE
    )
    assert required is not None, f"{module} does not depend on {dependency}"
    return required[1]


@functools.cache
def source(module: str, dependency: str) -> Path:
    """The folder with the files of a Go module that one of ours depends on, fetched if absent."""
    return Path(json.loads(go(module, "mod", "download", "-json", dependency))["Dir"])


def flags(module: str) -> str:
    """Linker flags: an API server that does not know its version calls itself v0.0.0, and Knative refuses it."""
    if module != "kubernetes":
        return "-s -w"
    own = version(module, KUBERNETES)
    parts = {"gitVersion": own, "gitMajor": "1", "gitMinor": own.split(".")[1]}
    return " ".join(["-s -w", *(f"-X k8s.io/component-base/version.{k}={v}" for k, v in parts.items())])


@functools.cache
def tools(module: str) -> dict[str, str]:
    """Each program's name and the Go package that it is built from."""
    listed = json.loads(go(module, "mod", "edit", "-json"))["Tool"]
    return {name(tool["Path"]): tool["Path"] for tool in listed}


def name(package: str) -> str:
    """The name that Go gives a package's program: the last part of its path that is not a major version."""
    last = package.rpartition("/")[2]
    return last if not (last.startswith("v") and last[1:].isdigit()) else name(package.rpartition("/")[0])


def build(module: str, *wanted: str) -> None:
    """Build those of a module's programs that are absent, all at once: minutes the first time.

    Raises GoMissingError, subprocess.CalledProcessError.
    """
    target = folder(module)
    if absent := [tools(module)[name] for name in wanted if not (target / name).exists()]:
        go(module, "install", "-gcflags=all=-dwarf=false", f"-ldflags={flags(module)}", *absent,
           GOBIN=str(target), **HASTE)  # fmt: skip


def program(module: str, wanted: str) -> Path:
    """A program of a module, built if it is absent."""
    build(module, wanted)
    return folder(module) / wanted
