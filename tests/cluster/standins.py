"""What the product needs beside the cluster: database, sign-in and chat model on this machine, Google on the node."""

import contextlib
import secrets
import ssl
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from tests.cluster import images, node
from tests.cluster.controlplane import ControlPlane
from tests.cluster.kubectl import Thing
from tests.cluster.relay import relay
from tests.cluster.render import ROOT
from tests.stack.postgres import Postgres
from tests.standins.openid import OpenIdProvider
from tests.standins.vertex import Vertex

DOMAIN = "nanoka.test"
NAMESPACE = "nanoka"
# The ports of the machine's end of the cable, as the overlay's settings name them.
DATABASE, MODEL, SIGN_IN = 20432, 20080, 20443
ISSUER = f"https://{node.MACHINE}:{SIGN_IN}"


class SignIn(OpenIdProvider):
    """The OpenID provider under the address of its relay."""

    outside = ISSUER

    @property
    def issuer(self) -> str:
        return self.outside

    @property
    def port(self) -> int:
        """Where it listens on loopback."""
        return self._server.port


def sign_in(issuer: str) -> SignIn:
    """The provider, for the relay at an address, with Nanoka as its client."""
    found = SignIn("nanoka", secrets.token_urlsafe(24), f"https://{DOMAIN}/api/auth/callback")
    found.outside = issuer
    return found


@dataclass
class StandIns:
    """The stand-ins while they run, at an address of this machine that pods reach."""

    postgres: Postgres
    sign_in: SignIn
    machine: str
    database: int  # the port of the database's relay

    def address(self, url: str) -> str:
        """A database's address as a pod sees it."""
        parts = urlsplit(url)
        return parts._replace(netloc=f"{parts.username}:{parts.password}@{self.machine}:{self.database}").geturl()


@contextlib.contextmanager
def running(plane: ControlPlane) -> Iterator[StandIns]:
    """Start them all, let pods reach them, and make the Secrets that name them."""
    run = plane.run
    tls = certificate(node.MACHINE)
    with (
        Postgres(run.path("postgres"), durable=False) as postgres,
        Vertex() as model,
        sign_in(ISSUER) as provider,
        relay(node.MACHINE, DATABASE, postgres.port),
        relay(node.MACHINE, MODEL, model.port),
        relay(node.MACHINE, SIGN_IN, provider.port, tls),
    ):
        found = StandIns(postgres, provider, node.MACHINE, DATABASE)
        run.start(
            "google", sys.executable, "-m", "tests.cluster.google", run.folder, plane.url,
            env={"PYTHONPATH": f"{ROOT}:{ROOT / 'functions'}"},
        )  # fmt: skip
        namespace: Thing = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
        plane.kubectl.apply(namespace, *secrets_of(found))
        yield found


def certificate(address: str) -> ssl.SSLContext:
    """A new certificate for the stand-ins at an address and for Nanoka's domain; what a server of theirs needs."""
    authority = images.authority()
    authority.issue(f"stand-ins-{address}", [address], [DOMAIN])
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    keys = authority.folder / f"stand-ins-{address}.crt"
    server.load_cert_chain(keys, keys.with_suffix(".key"))
    return server


def database_user(found: StandIns, name: str) -> str:
    """Make a database user without rights, as Cloud SQL does: the migrations give them. Its address for a pod."""
    password = secrets.token_urlsafe(24)
    found.postgres.execute(f"""CREATE ROLE "{name}" LOGIN PASSWORD '{password}'""")
    return found.address(found.postgres.address("nanoka", name, password))


def secret(name: str, data: dict[str, str], kind: str = "Opaque") -> Thing:
    meta = {"name": name, "namespace": NAMESPACE}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": meta, "type": kind, "stringData": data}


def secrets_of(found: StandIns) -> list[Thing]:
    """What Secret Manager and cert-manager make in production."""
    file = images.authority().folder / f"stand-ins-{found.machine}.crt"
    urls = {
        "OWNER_URL": found.address(found.postgres.url),
        "APP_URL": database_user(found, "nanoka-app"),
        "PURGE_URL": database_user(found, "nanoka-purge"),
    }
    tls = {"tls.crt": file.read_text(), "tls.key": file.with_suffix(".key").read_text()}
    client = {"OIDC_CLIENT_ID": "nanoka", "OIDC_CLIENT_SECRET": found.sign_in.client_secret}
    return [
        secret("database", urls),
        secret("oidc-client", client),
        secret("edge-tls", tls, "kubernetes.io/tls"),
    ]
