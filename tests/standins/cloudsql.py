"""Cloud SQL: its Admin API, and the TLS server in front of an instance, here in front of any PostgreSQL.

An instance is reached as in production: the connector asks the Admin API where it is (`connectSettings`) and has it
sign a certificate for a key of its own (`generateEphemeralCert`), bound to an access token for IAM login; with that
certificate it opens TLS 1.3, in which PostgreSQL's protocol is spoken. The server knows by the certificate who it is,
and lets it in as that database user alone, without a password.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import struct
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.standins.http import Reply, Request, Server

if TYPE_CHECKING:
    from collections.abc import Callable

    from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPublicKeyTypes

    from tests.standins.metadata import Metadata

ADMIN = "https://www.googleapis.com/auth/sqlservice.admin"
LOGIN = "https://www.googleapis.com/auth/sqlservice.login"


class CloudSql(Server):
    """The stand-in for one instance.

    Args:
        database_url: the PostgreSQL behind it. Its user and password are those that a database user of the service
            account's name gets in with.
        metadata: whose tokens are accepted.
        proxy_port: where the TLS server listens, 3307 in production.
    """

    def __init__(
        self,
        database_url: str,
        metadata: Metadata,
        *,
        instance: str = "project:region:instance",
        port: int = 0,
        proxy_port: int = 0,
        ip_type: str = "PRIVATE",
    ) -> None:
        super().__init__(self._handle, port)
        self.instance = instance
        self.metadata = metadata
        self.proxy_port = proxy_port
        self.ip_type = ip_type
        self.certificate_lifetime = timedelta(hours=1)
        self.asked: list[str] = []
        self.refuse: int | None = None
        """A status with which the Admin API refuses everything."""
        self._backend = urlsplit(database_url)
        self._users: dict[bytes, str] = {}
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._authority = self._certificate("Cloud SQL Server CA", self._key.public_key(), authority=True)

    async def forever(self, ready: Callable[[], None]) -> None:
        async with await asyncio.start_server(self._proxy, "127.0.0.1", self.proxy_port, ssl=self._tls()) as proxy:
            self.proxy_port = proxy.sockets[0].getsockname()[1]
            await super().forever(ready)

    async def _handle(self, request: Request, reply: Reply) -> None:
        self.asked.append(request.path.rpartition("/")[2])
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        project, region, name = self.instance.split(":")
        if self.refuse is not None:
            await reply.whole(self.refuse, {"error": {"code": self.refuse, "message": "refused by the stand-in"}})
        elif ADMIN not in self.metadata.tokens.get(token, ()):
            await reply.whole(401, {"error": {"code": 401, "message": "no token for sqlservice.admin"}})
        elif request.path.endswith(f"/projects/{project}/instances/{name}/connectSettings"):
            await reply.whole(
                200,
                {
                    "kind": "sql#connectSettings",
                    "serverCaCert": {"kind": "sql#sslCert", "cert": _pem(self._authority)},
                    "ipAddresses": [{"type": self.ip_type, "ipAddress": "127.0.0.1"}],
                    "region": region,
                    "databaseVersion": "POSTGRES_18",
                    "backendType": "SECOND_GEN",
                },
            )
        elif request.path.endswith(f"/projects/{project}/instances/{name}:generateEphemeralCert"):
            await self._sign(request, reply)
        else:
            await reply.whole(404, {"error": {"code": 404, "message": "there is no such instance"}})

    async def _sign(self, request: Request, reply: Reply) -> None:
        body = request.json()
        if LOGIN not in self.metadata.tokens.get(body.get("access_token"), ()):
            await reply.whole(403, {"error": {"code": 403, "message": "no token for sqlservice.login"}})
            return
        key = serialization.load_pem_public_key(body["public_key"].encode())
        certificate = self._certificate("ephemeral", key)  # type: ignore[arg-type]
        # A database user of a service account is its address without the ending.
        user = self.metadata.email.removesuffix(".gserviceaccount.com")
        self._users[certificate.public_bytes(serialization.Encoding.DER)] = user
        await reply.whole(200, {"ephemeralCert": {"kind": "sql#sslCert", "cert": _pem(certificate)}})

    def _certificate(
        self, name: str, key: CertificateIssuerPublicKeyTypes, *, authority: bool = False
    ) -> x509.Certificate:
        now = datetime.now(UTC)
        issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Cloud SQL Server CA")])
        return (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
            .issuer_name(issuer)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(minutes=1))
            .not_valid_after(now + (timedelta(days=1) if authority else self.certificate_lifetime))
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
            .sign(self._key, hashes.SHA256())
        )

    def _tls(self) -> ssl.SSLContext:
        key = ec.generate_private_key(ec.SECP256R1())
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(cadata=_pem(self._authority))
        with tempfile.TemporaryDirectory() as folder:
            chain = Path(folder, "chain.pem")
            private = key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
            chain.write_text(private.decode() + _pem(self._certificate("instance", key.public_key())))
            context.load_cert_chain(chain)
        return context

    async def _proxy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection: check who it is, let it in, and pass on what both sides say."""
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError, ssl.SSLError):
            user = self._users.get(writer.get_extra_info("ssl_object").getpeercert(binary_form=True))
            startup = await _message(reader)
            if user is None or f"user\0{user}\0".encode() not in startup:
                writer.write(_fatal(f'Cloud SQL IAM authentication failed for "{user}"'))
                await writer.drain()
            else:
                await self._relay(reader, writer, startup, user)
        writer.close()

    async def _relay(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, startup: bytes, user: str
    ) -> None:
        inside, outside = await asyncio.open_connection(self._backend.hostname, self._backend.port)
        backend_user, password = (unquote(part or "") for part in (self._backend.username, self._backend.password))
        startup = startup.replace(f"user\0{user}\0".encode(), f"user\0{backend_user}\0".encode())
        outside.write(struct.pack(">i", len(startup) + 4) + startup)
        header = await inside.readexactly(9)
        if header == b"R" + struct.pack(">ii", 8, 3):  # the password in clear is asked for
            outside.write(b"p" + struct.pack(">i", len(password.encode()) + 5) + password.encode() + b"\0")
        else:
            writer.write(header)
        await asyncio.gather(_pass_on(reader, outside), _pass_on(inside, writer))


async def _pass_on(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError, ssl.SSLError):
        while chunk := await source.read(65_536):
            sink.write(chunk)
            await sink.drain()
    sink.close()


async def _message(reader: asyncio.StreamReader) -> bytes:
    """The startup message without its length (PostgreSQL, 54.7)."""
    (length,) = struct.unpack(">i", await reader.readexactly(4))
    return await reader.readexactly(length - 4)


def _fatal(message: str) -> bytes:
    fields = b"".join(
        kind + value.encode() + b"\0"
        for kind, value in ((b"S", "FATAL"), (b"V", "FATAL"), (b"C", "28000"), (b"M", message))
    )
    return b"E" + struct.pack(">i", len(fields) + 5) + fields + b"\0"


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()
