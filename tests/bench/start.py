"""From a fresh machine to the first answer, by the README's own command, and what the second start takes.

Fresh means a clone in which nothing was ever built, and a home without any cache: everything comes over the network.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import httpx

from tests.bench.rows import Row
from tests.stack import ports
from tests.stack.browser import Browser
from tests.stack.process import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

COMMAND = re.compile(r"^python3 -m venv .*nox -s chat$", re.MULTILINE)
AGAIN = ".venv/bin/nox -s chat"
READY = "Nanoka is ready: "
OURS = ("PYTHONPATH", "VIRTUAL_ENV", "DATABASE_URL", "CHAT_MODEL", "OIDC_ISSUER", "PURGE_CERTS_URL")
"""What a fresh machine's environment lacks: this session's Python, and settings that would replace a part."""
CACHES = ("XDG_CACHE_HOME", "UV_CACHE_DIR", "PIP_CACHE_DIR", "npm_config_cache")


def rows() -> list[Row]:
    """Both figures. Raises RuntimeError with the terminal's last words when Nanoka does not come up."""
    with tempfile.TemporaryDirectory() as folder:
        clone, home = Path(folder, "nanoka"), Path(folder, "home")
        home.mkdir()
        subprocess.run(["git", "clone", "--quiet", ROOT, clone], check=True)
        found = COMMAND.search((clone / "README.md").read_text())
        assert found, "the README has no such command any more"
        environment = _fresh(home) | {"NANOKA_PORT": str(ports.free_port())}
        started = time.monotonic()
        with _chat(found[0], clone, environment) as url:
            _first_word(url)
            fresh = time.monotonic() - started
        started = time.monotonic()
        with _chat(AGAIN, clone, environment):
            again = time.monotonic() - started
    return [
        Row("fresh machine → first answer, with all downloads", f"{fresh:.0f} s", "≤ 2 min", fresh <= 120, fresh / 120),
        Row("second start", f"{again:.1f} s", "≤ 10 s", again <= 10, again / 10),
    ]


def _fresh(home: Path) -> dict[str, str]:
    """The environment of somebody whose home is empty, with the network as it is here."""
    environment = {name: value for name, value in os.environ.items() if name not in OURS}
    here = os.environ.get("VIRTUAL_ENV", sys.prefix)
    path = [folder for folder in os.environ["PATH"].split(os.pathsep) if not folder.startswith(here)]
    caches = {name: str(home / ".cache" / name) for name in CACHES}
    return environment | caches | {"HOME": str(home), "PATH": os.pathsep.join(path)}


@contextlib.contextmanager
def _chat(command: str, folder: Path, environment: dict[str, str]) -> Iterator[str]:
    """The address of the whole product, once it is ready; stopped in the end."""
    process = subprocess.Popen(
        ["sh", "-c", command.replace(AGAIN, f"exec {AGAIN}")],
        cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    said: list[str] = []
    try:
        for line in process.stdout:
            said.append(line)
            if line.startswith(READY):
                yield line.removeprefix(READY).strip()
                return
        raise RuntimeError("".join(said[-20:]))
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)


def _first_word(url: str) -> None:
    """Sign in as Alice, ask, and return with the answer's first word."""
    browser = Browser()
    browser.sign_in(url, "alice")
    message = {"id": str(uuid4()), "role": "user", "parts": [{"type": "text", "text": "How long is a week?"}]}
    body = {"id": str(uuid4()), "trigger": "submit-message", "messages": [message]}
    headers = {"Origin": url, "Cookie": browser.cookies(url)}
    with httpx.stream("POST", f"{url}/api/messages", json=body, headers=headers, timeout=60) as answer:
        for line in answer.iter_lines():
            if line.startswith("data: {") and json.loads(line.removeprefix("data: "))["type"] == "text-delta":
                return
    raise RuntimeError("the first question had no answer")
