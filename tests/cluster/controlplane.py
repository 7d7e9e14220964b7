"""etcd and the Kubernetes control plane, as plain processes."""

import socket
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from tests.cluster import certificates, programs
from tests.cluster.kubectl import Kubectl
from tests.cluster.run import Run, wait_for

LOOPBACK = "127.0.0.1"
SERVICES = "10.96.0.0/16"  # the range of Service addresses; the first is the API server's
POD_NETWORK = "10.244.0.0/24"

kubernetes = partial(programs.program, "kubernetes")


def free_ports(count: int) -> list[int]:
    """Ports of loopback that nobody listens on, all different."""
    sockets = [socket.create_server((LOOPBACK, 0)) for _ in range(count)]
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


def administrator(folder: Path, enter: Sequence[str] = ()) -> Kubectl:
    """kubectl as the administrator of the control plane whose keys lie in a run's folder."""
    config, cache = folder / "pki" / "admin.kubeconfig", folder / "kubectl"
    # What it remembers of an API server it would otherwise keep in the user's home, for the next one at this address.
    return Kubectl(kubernetes("kubectl"), f"--kubeconfig={config}", f"--cache-dir={cache}", enter=enter)


class ControlPlane:
    """An API server at one address with an etcd of its own, and kubectl as its administrator."""

    def __init__(self, run: Run, address: str = LOOPBACK) -> None:
        self.run, self.address = run, address
        self.port, self.etcd, self.peer = free_ports(3) if address == LOOPBACK else (6443, 2379, 2380)
        self.url = f"https://{address}:{self.port}"
        self.pki = run.path("pki")
        self.authority = certificates.make(self.pki, [address, LOOPBACK, "10.96.0.1"])
        self.admin = self.authority.kubeconfig("admin", self.url)
        self.kubectl = administrator(run.folder, enter=run.enter)

    def start(self) -> None:
        """Start etcd and the API server; return when it serves."""
        client, peer = (f"http://{LOOPBACK}:{port}" for port in (self.etcd, self.peer))
        self.run.start(
            "etcd", programs.program("etcd", "server"), f"--data-dir={self.run.path('etcd')}", "--name=node",
            f"--listen-client-urls={client}", f"--advertise-client-urls={client}",
            f"--listen-peer-urls={peer}", f"--initial-advertise-peer-urls={peer}",
            f"--initial-cluster=node={peer}", "--log-level=warn",
            "--unsafe-no-fsync",  # its data does not outlive the run
        )  # fmt: skip
        pki = self.pki
        self.run.start(
            "kube-apiserver", kubernetes("kube-apiserver"),
            f"--etcd-servers={client}", f"--bind-address={self.address}", f"--secure-port={self.port}",
            f"--advertise-address={self.address}", f"--service-cluster-ip-range={SERVICES}",
            # The Service `kubernetes` may not have a loopback address as its endpoint.
            f"--endpoint-reconciler-type={'none' if self.address == LOOPBACK else 'lease'}",
            "--authorization-mode=Node,RBAC", "--enable-admission-plugins=NodeRestriction",
            "--allow-privileged", "--kubelet-preferred-address-types=InternalIP", f"--client-ca-file={pki}/ca.crt",
            f"--tls-cert-file={pki}/kube-apiserver.crt", f"--tls-private-key-file={pki}/kube-apiserver.key",
            f"--kubelet-client-certificate={pki}/admin.crt", f"--kubelet-client-key={pki}/admin.key",
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--service-account-key-file={pki}/service-account.crt",
            f"--service-account-signing-key-file={pki}/service-account.key",
        )  # fmt: skip

        def ready() -> bool:
            self.run.check()
            return self.kubectl.says("get", "--raw", "/readyz")

        wait_for("the API server", ready)

    def start_controllers(self) -> None:
        """Start the controller manager and the scheduler, which a node needs and a dry run does not."""
        self.run.start(
            "kube-controller-manager", kubernetes("kube-controller-manager"),
            f"--kubeconfig={self.authority.kubeconfig('kube-controller-manager', self.url)}",
            "--use-service-account-credentials", f"--root-ca-file={self.pki}/ca.crt", "--leader-elect=false",
            f"--service-account-private-key-file={self.pki}/service-account.key",
        )  # fmt: skip
        self.run.start(
            "kube-scheduler", kubernetes("kube-scheduler"), "--leader-elect=false",
            f"--kubeconfig={self.authority.kubeconfig('kube-scheduler', self.url)}",
        )  # fmt: skip
