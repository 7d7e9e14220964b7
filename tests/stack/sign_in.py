"""The local sign-in: `oidc-provider`, a certified OpenID provider, with test people to choose from."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from tests.stack import node, ports, process

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.stack.console import Console

PROGRAM = process.ROOT / "tests" / "stack" / "oidc"


class SignIn:
    """The provider. Its signing key stays in `folder`, so that a restart signs nobody out."""

    def __init__(self, folder: Path, log: Path) -> None:
        self.folder = folder
        self.log = log
        self.port = 0

    @staticmethod
    def issuer_at(port: int) -> str:
        """Not `localhost`: cookies know no ports, and the provider's would be sent to us and ours to it."""
        return f"http://127.0.0.1:{port}"

    @property
    def issuer(self) -> str:
        """The provider's address, by which OpenID Connect names it."""
        return self.issuer_at(self.port)

    def start(self, port: int, settings: Mapping[str, str], programs: process.Programs, console: Console) -> None:
        """Serve one client: OIDC_CLIENT_ID, OIDC_CLIENT_SECRET and PUBLIC_URL of `settings`. Raises StackError."""
        node.install(PROGRAM, programs, console)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.port = port
        program = programs.start(
            "The sign-in",
            [node.binary(), PROGRAM / "provider.mjs"],
            log=self.log,
            env={
                **os.environ,
                "PORT": str(port),
                "FOLDER": str(self.folder),
                "CLIENT_ID": settings["OIDC_CLIENT_ID"],
                "CLIENT_SECRET": settings["OIDC_CLIENT_SECRET"],
                "REDIRECT_URI": f"{settings['PUBLIC_URL'].rstrip('/')}/api/auth/callback",
            },
        )
        ports.wait_for_answer(program, f"{self.issuer}/.well-known/openid-configuration", 30)
