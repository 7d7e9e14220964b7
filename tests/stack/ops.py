"""Triggering purge as ops do: with a token that Google, or the local stand-in, has signed for the caller."""

from __future__ import annotations

import json
import os
import urllib.error
import urllib.parse
import urllib.request
from typing import TYPE_CHECKING

from tests.stack.errors import StackError

if TYPE_CHECKING:
    from tests.stack.home import Home

TIMEOUT_SECONDS = 600


def purge(home: Home, *, dry_run: bool) -> str:
    """Send one request to the purge function and return its JSON answer.

    The function is the one at PURGE_URL, else that of the running local stack. The token is PURGE_TOKEN, else one
    of the local issuer, else one that google-auth gets for PURGE_AUDIENCE (PURGE_URL when that is not set).
    Raises StackError when there is no function, no token or no success.
    """
    running = home.running() or {}
    url = os.environ.get("PURGE_URL") or running.get("functions", {}).get("purge")
    if not url:
        raise StackError(
            "No purge function is running here. Start one with `nox -s chat`, "
            "or name one in PURGE_URL (and a token for it in PURGE_TOKEN)."
        )
    told = running.get("settings", {}) if not os.environ.get("PURGE_URL") else {}
    token = os.environ.get("PURGE_TOKEN") or _token(url, running.get("issuer", "") if told else "", told)
    request = urllib.request.Request(
        f"{url.rstrip('/')}/{'?dry_run=true' if dry_run else ''}",
        method="POST",
        headers={"Authorization": f"Bearer {token}"},
    )
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as response:
            return str(response.read().decode()).strip()
    except urllib.error.HTTPError as error:
        raise StackError(f"Purge answered with {error.code}: {_detail(error.read())}") from error
    except OSError as error:
        raise StackError(f"The purge function at {url} cannot be reached: {error}") from error


def _token(url: str, issuer: str, told: dict[str, str]) -> str:
    audience = os.environ.get("PURGE_AUDIENCE") or told.get("PURGE_AUDIENCE") or url
    if issuer:
        callers = told["PURGE_CALLERS"]
        query = urllib.parse.urlencode({"audience": audience, "email": callers.split(",")[0].strip()})
        with urllib.request.urlopen(f"{issuer}/token?{query}", timeout=10) as response:
            return str(response.read().decode())
    from google.auth.exceptions import GoogleAuthError
    from google.auth.transport.requests import Request
    from google.oauth2.id_token import fetch_id_token

    try:
        return str(fetch_id_token(Request(), audience))  # type: ignore[no-untyped-call]
    except GoogleAuthError as error:
        raise StackError(
            f"No token for {audience}: {error}\nRun this as a service account, or set PURGE_TOKEN "
            "(`gcloud auth print-identity-token --impersonate-service-account=… --audiences=… --include-email`)."
        ) from error


def _detail(body: bytes) -> str:
    try:
        return str(json.loads(body)["detail"])
    except (ValueError, KeyError, TypeError):
        return body.decode(errors="replace")[:500]
