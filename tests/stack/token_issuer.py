"""Stands in for Google where purge's tokens come from: signs ID tokens and publishes the certificate.

`GET /certs` answers as Google's `oauth2/v1/certs` does, `{kid: X.509 PEM}`. `GET /token?audience=…&email=…`
answers with a token as Compute Engine's metadata server does: the bare JWT, valid for an hour.
`python -m tests.stack.token_issuer FOLDER PORT` runs it, with its key in FOLDER.
"""

from __future__ import annotations

import datetime as dt
import json
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from google.auth import crypt, jwt

from tests.stack import ports, process

KEY_ID = "local"


class Signer:
    """An RSA key with a certificate of its own, kept in `folder`."""

    def __init__(self, folder: Path) -> None:
        file = folder / "key.pem"
        if not file.exists():
            folder.mkdir(parents=True, exist_ok=True)
            file.touch(mode=0o600)
            file.write_bytes(_new_key())
        pem = file.read_bytes()
        key = serialization.load_pem_private_key(pem, None)
        assert isinstance(key, rsa.RSAPrivateKey)
        self.certificate = _certificate(key)
        self._signer = crypt.RSASigner.from_string(pem, KEY_ID)  # type: ignore[no-untyped-call]

    def token(self, audience: str, email: str) -> str:
        """An ID token as Google makes them for a service account."""
        now = int(time.time())
        claims = {
            "iss": "https://accounts.google.com",
            "aud": audience,
            "azp": "100000000000000000000",
            "sub": "100000000000000000000",
            "email": email,
            "email_verified": True,
            "iat": now,
            "exp": now + 3600,
        }
        return str(jwt.encode(self._signer, claims).decode())  # type: ignore[no-untyped-call]


def start(folder: Path, port: int, log: Path, programs: process.Programs) -> str:
    """Run the issuer on 127.0.0.1:`port` and return its address. Raises StackError."""
    program = programs.start(
        "The token issuer",
        [sys.executable, "-m", "tests.stack.token_issuer", folder, str(port)],
        log=log,
    )
    address = f"http://127.0.0.1:{port}"
    ports.wait_for_answer(program, f"{address}/certs", 30)
    return address


def serve(signer: Signer, port: int) -> ThreadingHTTPServer:
    """The issuer as a server that the caller runs."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            address = urlsplit(self.path)
            query = parse_qs(address.query)
            if address.path == "/certs":
                self._answer("application/json", json.dumps({KEY_ID: signer.certificate}))
            elif address.path == "/token" and {"audience", "email"} <= query.keys():
                self._answer("text/plain", signer.token(query["audience"][0], query["email"][0]))
            else:
                self.send_error(404)

        def _answer(self, content_type: str, text: str) -> None:
            body = text.encode()
            self.send_response(200)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            # How long google-auth's readers may keep the certificates.
            self.send_header("Cache-Control", "public, max-age=3600")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing: the address of a request holds who asked."""

    return ThreadingHTTPServer(("127.0.0.1", port), Handler)


def _new_key() -> bytes:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )


def _certificate(key: rsa.RSAPrivateKey) -> str:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "local token issuer")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=365))
        .sign(key, hashes.SHA256())
    )
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


if __name__ == "__main__":
    serve(Signer(Path(sys.argv[1])), int(sys.argv[2])).serve_forever()
