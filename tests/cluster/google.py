"""Stands in for Google where a pod asks who it is: the metadata server of a node (cloud.google.com, "Workload
Identity Federation for GKE").

It tells callers apart as GKE does: by their address, which is a pod's, whose account names its Google account.
`GET /certs` publishes the certificate of the key that signs ID tokens.

`python -m tests.cluster.google FOLDER URL` is its process, on the node.
"""

import json
import sys
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.cluster.api import Api
from tests.cluster.node import METADATA
from tests.stack.token_issuer import KEY_ID, Signer

ACCOUNTS = "/computeMetadata/v1/instance/service-accounts/"
ANNOTATION = "iam.gke.io/gcp-service-account"
PROJECT = "nanoka-project"


def google_account(api: Api, address: str) -> str | None:
    """The Google account of the pod at an address, if it has one."""
    selector = urllib.parse.quote(f"status.podIP={address},status.phase=Running")
    for pod in api.get(f"/api/v1/pods?fieldSelector={selector}")["items"]:
        space, name = pod["metadata"]["namespace"], pod["spec"]["serviceAccountName"]
        account = api.get(f"/api/v1/namespaces/{space}/serviceaccounts/{name}")
        found: str | None = account["metadata"].get("annotations", {}).get(ANNOTATION)
        return found
    return None


def answer(api: Api, signer: Signer, address: str, path: str, query: dict[str, list[str]]) -> str | None:
    """What the caller gets for a path, or None where there is nothing for it."""
    public = {
        "/": "computeMetadata/",
        "/certs": json.dumps({KEY_ID: signer.certificate}),
        "/computeMetadata/v1/project/project-id": PROJECT,
    }
    if path in public or not path.startswith(ACCOUNTS) or (email := google_account(api, address)) is None:
        return public.get(path)
    what = path.removeprefix(ACCOUNTS).partition("/")[2]
    if what == "identity":
        return signer.token(query["audience"][0], email)
    own = {
        "": json.dumps({"email": email, "aliases": ["default"], "scopes": []}),
        "email": email,
        "token": json.dumps({"access_token": "stand-in", "expires_in": 3600, "token_type": "Bearer"}),
    }
    return own.get(what)


def serve(folder: Path, url: str) -> None:
    """Answer for ever."""
    api, signer = Api(folder / "pki", url), Signer(folder / "google")

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urllib.parse.urlsplit(self.path)
            found = answer(api, signer, self.client_address[0], parts.path, urllib.parse.parse_qs(parts.query))
            text = found or "not found"
            self.send_response(200 if found else 404)
            self.send_header("Metadata-Flavor", "Google")
            self.send_header("Content-Type", "application/json" if text.startswith("{") else "text/plain")
            self.send_header("Content-Length", str(len(text.encode())))
            self.end_headers()
            self.wfile.write(text.encode())

    ThreadingHTTPServer((METADATA, 80), Handler).serve_forever()


if __name__ == "__main__":
    serve(Path(sys.argv[1]), sys.argv[2])
