"""The metadata server of Google's machines: access tokens and ID tokens for the service account of a process.

google-auth finds it by GCE_METADATA_HOST. Every access token that was given out is in `tokens`, with its scopes: who
asks another stand-in with it can be known.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from tests.standins.http import Reply, Request, Server

if TYPE_CHECKING:
    from collections.abc import Callable

FLAVOR = {"Metadata-Flavor": "Google"}
ROOT = "/computeMetadata/v1/"


class Metadata(Server):
    """The stand-in.

    Args:
        email: the service account.
        lifetime: seconds for which a token is good.
        identity: makes an ID token for an audience; without it there is none.
    """

    def __init__(
        self,
        email: str = "nanoka@project.iam.gserviceaccount.com",
        *,
        port: int = 0,
        lifetime: int = 3600,
        identity: Callable[[str], str] | None = None,
    ) -> None:
        super().__init__(self._handle, port)
        self.email = email
        self.lifetime = lifetime
        self.identity = identity
        self.tokens: dict[str, frozenset[str]] = {}

    @property
    def environment(self) -> dict[str, str]:
        """What google-auth has to find in its environment."""
        host = f"127.0.0.1:{self.port}"
        return {"GCE_METADATA_HOST": host, "GCE_METADATA_IP": host}

    async def _handle(self, request: Request, reply: Reply) -> None:
        address = urlsplit(request.path)
        query = {name: values[-1] for name, values in parse_qs(address.query).items()}
        if request.headers.get("metadata-flavor") != "Google":
            await reply.whole(403, "Missing Metadata-Flavor:Google header.")
            return
        account = address.path.removeprefix(f"{ROOT}instance/service-accounts/")
        who, _, what = account.partition("/")
        if account != address.path and who in ("default", self.email):
            await self._account(reply, what, query)
        elif address.path == f"{ROOT}project/project-id":
            await reply.whole(200, "project", FLAVOR)
        elif address.path == "/":
            await reply.whole(200, "", FLAVOR)
        else:
            await reply.whole(404, "", FLAVOR)

    async def _account(self, reply: Reply, what: str, query: dict[str, str]) -> None:
        if what == "token":
            token = f"ya29.{secrets.token_urlsafe(24)}"
            self.tokens[token] = frozenset(query.get("scopes", "").split(","))
            body = {"access_token": token, "expires_in": self.lifetime, "token_type": "Bearer"}
            await reply.whole(200, body, FLAVOR)
        elif what == "":
            await reply.whole(200, {"email": self.email, "aliases": ["default"], "scopes": []}, FLAVOR)
        elif what == "identity" and self.identity is not None:
            await reply.text(200, self.identity(query["audience"]), FLAVOR)
        else:
            await reply.whole(404, "", FLAVOR)
