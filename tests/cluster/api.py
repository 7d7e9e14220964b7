"""The API server's JSON, for whom a process of kubectl's is too slow or too much."""

import json
import ssl
import urllib.request
from pathlib import Path
from typing import Any

from tests.cluster.kubectl import Thing


class Api:
    """The API server's JSON over HTTPS, as the administrator."""

    def __init__(self, pki: Path, url: str) -> None:
        self.url = url
        self.tls = ssl.create_default_context(cafile=str(pki / "ca.crt"))
        self.tls.load_cert_chain(pki / "admin.crt", pki / "admin.key")

    def open(self, path: str, patch: Thing | None = None) -> Any:
        request = urllib.request.Request(self.url + path)
        if patch is not None:
            request = urllib.request.Request(
                self.url + path,
                json.dumps(patch).encode(),
                {"Content-Type": "application/merge-patch+json"},
                method="PATCH",
            )
        return urllib.request.urlopen(request, context=self.tls)

    def get(self, path: str) -> Thing:
        with self.open(path) as answer:
            found: Thing = json.load(answer)
            return found
