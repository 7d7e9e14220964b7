"""Programs that judge what other tools read: each in an environment of its own, beside the cluster's programs.

They pin libraries that ours do not want, so they are in no lock of ours. `nox -s manifests` fetches them; a test whose
scanner is not there says so.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cluster import programs

VERSIONS = {"checkov": "3.3.30", "zizmor": "1.32.0", "lupa": "2.8"}
"""Those from the Python registry. lupa is Lua, in which Argo CD is told what is healthy: a library for Python."""


class ToolMissingError(RuntimeError):
    """A scanner that is not installed and cannot be."""


def environment(name: str) -> Path:
    """Where the virtual environment of a scanner lies; another version is another folder."""
    return programs.CACHE / "scanners" / f"{name}-{VERSIONS[name]}"


def installed(name: str) -> Path:
    """Where the program of a scanner is once it is installed; a library's is its environment's Python."""
    if name == "actionlint":
        return programs.folder(name) / name
    return environment(name) / "bin" / ("python" if name == "lupa" else name)


def fetch(name: str) -> Path:
    """A scanner's program, installed if it is absent. Raises ToolMissingError."""
    try:
        if name == "actionlint":
            return programs.program("actionlint", name)
        if not installed(name).exists():
            pip = [str(environment(name) / "bin" / "python"), "-m", "pip", "install", "--quiet"]
            subprocess.run([sys.executable, "-m", "venv", str(environment(name))], check=True)
            subprocess.run([*pip, f"{name}=={VERSIONS[name]}"], check=True)
    except (subprocess.CalledProcessError, programs.GoMissingError) as error:
        if name in VERSIONS:
            shutil.rmtree(environment(name), ignore_errors=True)  # half of one would look installed
        raise ToolMissingError(f"{name} cannot be had: {error}") from error
    return installed(name)


def find(name: str) -> Path:
    """A scanner that is there already, on PATH or fetched; else the test is skipped, loudly."""
    if found := shutil.which(name):
        return Path(found)
    if not installed(name).exists():
        pytest.skip(f"NOT RUN: {name} is not installed (`nox -s manifests` fetches it)")
    return installed(name)


def run(name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Let a scanner look at files, without the network."""
    return subprocess.run(
        [str(find(name)), *arguments],
        text=True,
        capture_output=True,
        check=False,
        env=os.environ | {"NO_COLOR": "1", "CHECKOV_RUN_SCA_PACKAGE_SCAN_V2": "false", "ZIZMOR_OFFLINE": "true"},
    )
