"""What the schedule and ops run to have purge done: `python -m nanoka.trigger`."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from google.auth import jwt

from tests.stack.token_issuer import Signer
from tests.standins.http import Reply, Request, Server
from tests.standins.metadata import Metadata

LATE = 2.5
"""Seconds for which the metadata server does not know the pod yet."""


class LateMetadata(Metadata):
    """Knows whom it is asked by only after a while, as GKE's does with a new pod."""

    def __init__(self, signer: Signer) -> None:
        super().__init__(identity=lambda audience: signer.token(audience, self.email))
        self.known = time.monotonic() + LATE

    async def _handle(self, request: Request, reply: Reply) -> None:
        if time.monotonic() < self.known and "service-accounts" in request.path:
            await reply.whole(404, {}, {"Metadata-Flavor": "Google"})
        else:
            await super()._handle(request, reply)


class Purge(Server):
    """Answers as purge does, and notes the tokens that it was sent."""

    def __init__(self) -> None:
        super().__init__(self._handle)
        self.tokens: list[str] = []

    async def _handle(self, request: Request, reply: Reply) -> None:
        self.tokens.append(request.headers["authorization"])
        await reply.whole(200, {"dry_run": "dry_run=true" in request.path})


@pytest.fixture
def purge() -> Iterator[Purge]:
    with Purge() as server:
        yield server


def run(purge: Purge, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "nanoka.trigger", *arguments],
        env=os.environ | {"PYTHONPATH": "functions", "PURGE_URL": purge.address} | environment,
        text=True,
        capture_output=True,
        check=False,
    )


def test_waits_for_an_identity_that_is_not_known_yet(purge: Purge, tmp_path: Path) -> None:
    with LateMetadata(Signer(tmp_path)) as metadata:
        host = metadata.address.removeprefix("http://")
        done = run(purge, "--dry-run", GCE_METADATA_HOST=host, GCE_METADATA_IP=host, PURGE_AUDIENCE="nanoka-purge")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"dry_run": True}
    (token,) = purge.tokens
    assert jwt.decode(token.removeprefix("Bearer "), verify=False)["aud"] == "nanoka-purge"  # type: ignore[no-untyped-call]


def test_sends_the_token_that_it_is_given(purge: Purge) -> None:
    done = run(purge, PURGE_TOKEN="given")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"dry_run": False}
    assert purge.tokens == ["Bearer given"]


def test_says_what_it_lacks(purge: Purge) -> None:
    done = run(purge, PURGE_AUDIENCE="", PURGE_TOKEN="")
    assert done.returncode == 1
    assert "PURGE_TOKEN or PURGE_AUDIENCE" in done.stderr
    assert not purge.tokens
