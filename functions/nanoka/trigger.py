"""Trigger purge: `python -m nanoka.trigger [--dry-run]`, what the schedule runs and what ops run.

The token is PURGE_TOKEN if that is set, else one for PURGE_AUDIENCE of the identity that this process has at Google
(a pod's, a virtual machine's, a service account's; google-auth finds it). Prints the function's JSON answer alone.
"""

import argparse
import os
import sys
import time
import urllib.error
import urllib.request

TIMEOUT = 600
"""Seconds for the whole purge: what a request to a function may take."""
PATIENCE = 20.0
"""Seconds within which an identity may yet appear: GKE's metadata server knows a new pod only after a few."""


def fetch_token(audience: str) -> str:
    """An ID token of this process's Google identity.

    Raises:
        google.auth.exceptions.GoogleAuthError: there is no identity, or its issuer does not answer.
    """
    from google.auth.exceptions import GoogleAuthError  # noqa: PLC0415
    from google.auth.transport.requests import Request  # noqa: PLC0415 - 0.1 s that a token at hand saves
    from google.oauth2 import id_token  # noqa: PLC0415

    give_up = time.monotonic() + PATIENCE
    while True:
        try:
            token: str = id_token.fetch_id_token(Request(), audience)  # type: ignore[no-untyped-call]
        except GoogleAuthError:
            if time.monotonic() > give_up:
                raise
            time.sleep(1)
        else:
            return token


def trigger(url: str, token: str, *, dry_run: bool) -> bytes:
    """Ask purge to run; its JSON answer.

    Raises:
        urllib.error.HTTPError: purge refused; its body is the problem.
        OSError: purge cannot be reached.
    """
    request = urllib.request.Request(
        f"{url.rstrip('/')}/{'?dry_run=true' if dry_run else ''}",
        data=b"",
        headers={"Authorization": f"Bearer {token}"},
        method="POST",
    )
    with urllib.request.urlopen(request, timeout=TIMEOUT) as response:
        body: bytes = response.read()
    return body


def main() -> None:
    parser = argparse.ArgumentParser(prog="nanoka.trigger", description="Delete what is older than seven days.")
    parser.add_argument("--dry-run", action="store_true", help="only count")
    arguments = parser.parse_args()
    url, audience, token = (os.environ.get(name, "") for name in ("PURGE_URL", "PURGE_AUDIENCE", "PURGE_TOKEN"))
    if not url or not (token or audience):
        sys.exit("nanoka.trigger: set PURGE_URL, and PURGE_TOKEN or PURGE_AUDIENCE")
    try:
        if not token:
            token = fetch_token(audience)
        answer = trigger(url, token, dry_run=arguments.dry_run)
    except urllib.error.HTTPError as error:
        sys.exit(f"nanoka.trigger: purge answered {error.code}: {error.read().decode(errors='replace')}")
    except Exception as error:  # noqa: BLE001 - google-auth's errors have no one base that is public
        sys.exit(f"nanoka.trigger: {error}")
    sys.stdout.write(answer.decode() + "\n")


if __name__ == "__main__":
    main()
