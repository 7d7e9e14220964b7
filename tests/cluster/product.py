"""Nanoka on the cluster, synced by Argo CD."""

from tests.cluster import node
from tests.cluster.argocd import ArgoCD
from tests.cluster.controlplane import ControlPlane
from tests.cluster.run import wait_for
from tests.cluster.standins import NAMESPACE

FUNCTIONS = ("login", "send-message", "list-history", "purge")


def finish(plane: ControlPlane, job: str) -> None:
    """Wait for a Job's success. Raises RuntimeError with its log when it fails."""

    def done() -> bool:
        status = plane.kubectl.get(f"job/{job}", f"--namespace={NAMESPACE}").get("status", {})
        if any(c["type"] == "Failed" and c["status"] == "True" for c in status.get("conditions", [])):
            raise RuntimeError(plane.kubectl("logs", f"job/{job}", f"--namespace={NAMESPACE}"))
        return bool(status.get("succeeded"))

    wait_for(f"the Job {job}", done, 180, every=0.3)


def sync(argocd: ArgoCD) -> None:
    """Give Argo CD the root application; return when all that it makes is healthy and can be asked."""
    plane, space = argocd.plane, f"--namespace={NAMESPACE}"
    argocd.start()
    argocd.begin()
    argocd.wait_until_healthy("platform")
    argocd.wait_until_healthy("nanoka")
    wait_for("the load balancer's Service", lambda: plane.kubectl.says("get", "service/edge", space))
    balance(plane)
    argocd.wait_until_healthy("edge")
    plane.kubectl("wait", "--for=condition=Ready", *(f"ksvc/{name}" for name in FUNCTIONS), space, "--timeout=60s")


def balance(plane: ControlPlane) -> None:
    """Be the load balancer of the Service: its address is the node's."""
    status = {"status": {"loadBalancer": {"ingress": [{"ip": node.ADDRESS, "ipMode": "VIP"}]}}}
    plane.kubectl.patch("service", "edge", status, f"--namespace={NAMESPACE}", "--subresource=status")
