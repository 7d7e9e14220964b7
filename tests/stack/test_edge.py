"""What the cluster's front adds to the local one's: `web/nginx/start.sh` with the real NGINX, TLS and a renewal."""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import signal
import socket
import ssl
import subprocess
import threading
import time
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest
from cryptography import x509

from tests.cluster.certificates import Authority
from tests.stack import nginx, ports
from tests.stack.conftest import make_pages
from tests.stack.process import ROOT, Program
from tests.stack.upstream import Upstream

if TYPE_CHECKING:
    from collections.abc import Iterator

DOMAIN = "nanoka.test"
START = ROOT / "web" / "nginx" / "start.sh"
STREAM = "/api/messages/0b54f1bc-6d5c-4a53-8d2b-7e0c5a0e4d11/stream"
CACHED_SECONDS = 1
"""How long NGINX may show a certificate before it looks at the file again; a minute in the cluster."""


class Edge:
    """NGINX as its image starts it, with a certificate's folder that is swapped as Kubernetes swaps a Secret's."""

    def __init__(self, folder: Path, gateway: Upstream) -> None:
        self.folder = folder
        self.gateway = gateway
        self.http, self.https = ports.free_port(), ports.free_port()
        self.authority = Authority(folder / "authority")
        self.tls = folder / "tls"
        self.tls.mkdir()
        for name in ("tls.crt", "tls.key"):
            (self.tls / name).symlink_to(Path("..data", name))
        self.renew()
        (folder / "run").mkdir()
        (folder / "bin").mkdir()
        launcher = folder / "bin" / "nginx"
        launcher.write_text(f'#!/bin/sh\nexec {shlex.join(map(str, [*nginx.command(), *nginx.as_oneself()]))} "$@"\n')
        launcher.chmod(0o755)
        self.environment = {
            "PATH": f"{launcher.parent}{os.pathsep}{os.environ['PATH']}",
            "DOMAIN": DOMAIN,
            "GATEWAY": f"127.0.0.1:{gateway.port}",
            "LOGIN_HOST": "login.cluster",
            "SEND_MESSAGE_HOST": "send-message.cluster",
            "LIST_HISTORY_HOST": "list-history.cluster",
            "NGINX_RUN": str(folder / "run"),
            "WEB_ROOT": str(make_pages(folder / "pages")),
            "TLS_FOLDER": str(self.tls),
            "TLS_CACHE": f"{CACHED_SECONDS}s",
            "HTTP_PORT": str(self.http),
            "HTTPS_PORT": str(self.https),
        }
        self.program = Program("edge", ["/bin/sh", START], log=folder / "edge.log", env=self.environment)
        ports.wait_for_answer(self.program, f"http://127.0.0.1:{self.http}/healthz", 20)

    def renew(self) -> int:
        """Put a new certificate in the place of the one before, at one instant. Its serial number."""
        self.authority.issue("tls", ["127.0.0.1"], [DOMAIN])
        data = self.folder / f"certificate-{time.monotonic_ns()}"
        data.mkdir()
        for name in ("tls.crt", "tls.key"):
            shutil.copy(self.authority.folder / name, data)
        link = self.tls / "..new"
        link.symlink_to(data)
        link.replace(self.tls / "..data")
        return x509.load_pem_x509_certificate((data / "tls.crt").read_bytes()).serial_number

    def context(self) -> ssl.SSLContext:
        """What a client that trusts the authority, and no one else, uses."""
        return ssl.create_default_context(cafile=self.authority.folder / "ca.crt")

    @contextlib.contextmanager
    def connected(self, context: ssl.SSLContext) -> Iterator[ssl.SSLSocket]:
        with (
            socket.create_connection(("127.0.0.1", self.https), timeout=10) as plain,
            context.wrap_socket(plain, server_hostname=DOMAIN) as secure,
        ):
            yield secure

    def serial(self, context: ssl.SSLContext) -> int:
        """The serial number of the certificate that a new connection is shown."""
        with self.connected(context) as connection:
            certificate = connection.getpeercert(binary_form=True)
        assert certificate is not None
        return x509.load_der_x509_certificate(certificate).serial_number

    def client(self) -> httpx.Client:
        return httpx.Client(verify=self.context(), base_url=f"https://127.0.0.1:{self.https}", timeout=30)


@pytest.fixture
def edge(tmp_path: Path) -> Iterator[Edge]:
    with Upstream("gateway") as gateway:
        edge = Edge(tmp_path, gateway)
        yield edge
        edge.program.end()


def test_a_renewed_certificate_is_served_without_a_reload_and_cuts_no_stream(edge: Edge) -> None:
    master, context = edge.program.pid, edge.context()
    first = edge.serial(context)
    shown: list[int] = []
    failed: list[Exception] = []
    enough = threading.Event()

    def knock() -> None:
        while not enough.is_set():
            try:
                shown.append(edge.serial(context))
            except (OSError, AssertionError) as error:
                failed.append(error)

    knockers = [threading.Thread(target=knock) for _ in range(4)]
    with edge.client() as client, client.stream("GET", STREAM) as answer:
        pieces = answer.iter_raw()
        assert next(pieces) == b"data: 1\n\n"
        for knocker in knockers:
            knocker.start()
        try:
            for _ in range(2):
                renewed = edge.renew()
                deadline = time.monotonic() + CACHED_SECONDS + 5
                while renewed not in shown[-1:]:
                    assert time.monotonic() < deadline, "the renewed certificate was not served in time"
                    time.sleep(0.02)
        finally:
            enough.set()
            for knocker in knockers:
                knocker.join()
        edge.gateway.proceed.set()
        assert b"".join(pieces) == b"data: 2\n\n"
    assert not failed
    assert first in shown
    assert len(set(shown)) == 3
    assert edge.program.pid == master
    assert edge.program.returncode is None
    assert len(edge.gateway.requests) == 1


@pytest.mark.parametrize("host", [DOMAIN, "evil.example", "127.0.0.1"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_clear_text_is_sent_to_the_one_name(edge: Edge, method: str, host: str) -> None:
    path = "/api/auth/login?next=%2Fc%2Fx"
    answer = httpx.request(method, f"http://127.0.0.1:{edge.http}{path}", headers={"Host": host})
    assert answer.status_code == 308
    assert answer.headers["location"] == f"https://{DOMAIN}{path}"
    assert not edge.gateway.requests


def test_probes_are_answered_in_clear_text(edge: Edge) -> None:
    answer = httpx.get(f"http://127.0.0.1:{edge.http}/healthz")
    assert (answer.status_code, answer.text) == (200, "ok")


def test_browsers_are_told_to_stay_with_https(edge: Edge) -> None:
    with edge.client() as client:
        for path in ("/", "/api/conversations", "/nowhere"):
            assert client.get(path).headers["strict-transport-security"] == "max-age=31536000; includeSubDomains"
    (request,) = edge.gateway.requests
    assert request["headers"]["host"] == "list-history.cluster"
    assert request["headers"]["x-forwarded-proto"] == "https"


def test_tls_1_2_and_1_3_alone(edge: Edge) -> None:
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        context = edge.context()
        context.minimum_version = context.maximum_version = version
        with edge.connected(context) as connection:
            assert connection.version() == version.name.replace("_", ".")
    old = edge.context()
    old.set_ciphers("ALL:@SECLEVEL=0")  # so that it is not this client that refuses
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises(ssl.SSLError, match="PROTOCOL_VERSION"), edge.connected(old):
        pass


def test_ciphers_without_forward_secrecy_are_refused(edge: Edge) -> None:
    context = edge.context()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("kRSA")
    with pytest.raises(ssl.SSLError, match="HANDSHAKE_FAILURE"), edge.connected(context):
        pass


def test_a_stream_ends_whole_when_nginx_is_asked_to_quit(edge: Edge) -> None:
    """SIGQUIT, the image's STOPSIGNAL."""
    with edge.client() as client, client.stream("GET", STREAM) as answer:
        pieces = answer.iter_raw()
        assert next(pieces) == b"data: 1\n\n"
        os.kill(edge.program.pid, signal.SIGQUIT)
        deadline = time.monotonic() + 10
        while ports.is_taken(edge.https):
            assert time.monotonic() < deadline, "NGINX still takes connections"
            time.sleep(0.02)
        assert edge.program.returncode is None
        edge.gateway.proceed.set()
        assert b"".join(pieces) == b"data: 2\n\n"
    assert edge.program.wait(10) == 0


def test_a_setting_without_a_value_ends_the_start_with_its_name(edge: Edge, tmp_path: Path) -> None:
    files = tmp_path / "own"
    files.mkdir()
    shutil.copy(START, files)
    (files / "nginx.conf.template").write_text("listen $uri ${NGINX_RUN}${NOT_SET};\n")
    done = subprocess.run(
        ["/bin/sh", files / "start.sh"], env=edge.environment, capture_output=True, text=True, check=False, timeout=20
    )
    assert done.returncode == 1
    assert "NOT_SET has no value" in done.stderr
