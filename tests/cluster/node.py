"""The node: namespaces of its own with containerd, kubelet, kube-proxy and DNS in them.

All that these put on a machine (bridge, packet filter rules, mounts, containers) is in the namespaces, and the
kernel takes it away with their first process. A cable joins node and machine, and no route leads further: what
a pod needs from a test listens on the machine's end of it.
"""

import contextlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from tests.cluster import certificates, containerd, programs
from tests.cluster.controlplane import POD_NETWORK, SERVICES, ControlPlane, kubernetes
from tests.cluster.run import Run, remove, wait_for

if TYPE_CHECKING:
    from tests.cluster.kubectl import Thing

ADDRESS, MACHINE = "10.90.0.2", "10.90.0.1"  # the cable's two ends: the node's and the machine's
METADATA = "169.254.169.254"  # where a pod on Google Cloud asks who it is
CABLE = "nanoka0"
CGROUP = "nanoka-cluster"
# The kubelet would set these for the whole machine, since they belong to no namespace: it is given files instead.
TUNABLES = {
    "vm/overcommit_memory": 1,
    "vm/panic_on_oom": 0,
    "kernel/panic": 10,
    "kernel/panic_on_oops": 1,
    "kernel/keys/root_maxkeys": 1000000,
    "kernel/keys/root_maxbytes": 25000000,
}

COREFILE = """
cluster.local {{
    bind {address}
    errors
    cache 5
    kubernetes cluster.local in-addr.arpa {{
        kubeconfig {kubeconfig}
    }}
}}
metadata.google.internal {{
    bind {address}
    errors
    hosts {{
        {metadata} metadata.google.internal
    }}
}}
"""


def control_groups() -> list[Path]:
    """The node's control group in each hierarchy of the machine (one of version 2, or many of version 1)."""
    root = Path("/sys/fs/cgroup")
    if (root / "cgroup.controllers").exists():
        return [root / CGROUP]
    return [folder / CGROUP for folder in root.iterdir() if folder.is_dir()]


@contextlib.contextmanager
def namespaces(run: Run) -> Iterator[None]:
    """Make the node's namespaces, in which the run's further commands run, and unmake all of it afterwards."""
    try:
        make(run)
        yield
    finally:
        run.enter = []
        unmake(run)


def make(run: Run) -> None:
    first = run.start(
        "node",
        # Should the runner be killed outright, the kernel ends this process, and with it all that is in the node.
        "setpriv", "--pdeathsig=KILL",
        "unshare", "--net", "--mount", "--pid", "--fork", "--kill-child=KILL", "--mount-proc",
        programs.program("node", "pause"),
    )  # fmt: skip
    processes = Path(f"/proc/{first.pid}")

    def made() -> bool:
        run.check()
        children = processes / "task" / str(first.pid) / "children"
        return (processes / "ns" / "pid_for_children").exists() and children.read_text() != ""

    wait_for("the node's namespaces", made, 10)
    run.do("ip", "link", "add", CABLE, "type", "veth", "peer", "name", "eth0", "netns", first.pid)
    run.do("ip", "address", "add", f"{MACHINE}/30", "dev", CABLE)
    run.do("ip", "link", "set", CABLE, "up")
    run.do("ip", "route", "add", POD_NETWORK, "via", ADDRESS, "dev", CABLE)  # goes with the cable
    for folder in control_groups():
        folder.mkdir(exist_ok=True)
        if folder.parent.name == "cpuset":
            for name in ("cpuset.cpus", "cpuset.mems"):
                (folder / name).write_text((folder.parent / name).read_text())
    run.enter[:] = [
        "nsenter", f"--target={first.pid}", "--net", "--mount", f"--pid={processes}/ns/pid_for_children", "--",
    ]  # fmt: skip
    upper, work = run.path("var", "upper"), run.path("var", "work")
    for folder in (upper, work):
        folder.mkdir(exist_ok=True)
    run.do("sh", "-ec", "\n".join([
        "mount --make-rshared /", "mount -t tmpfs tmpfs /run",
        f"mount -t overlay overlay -o lowerdir=/var,upperdir={upper},workdir={work} /var",
        *(f"mount --bind {run.write(f'tunables/{name}', str(value))} /proc/sys/{name}"
          for name, value in TUNABLES.items()),
        "ip link set lo up", f"ip address add {ADDRESS}/30 dev eth0", "ip link set eth0 up",
        f"ip address add {METADATA}/32 dev lo",
        # kube-proxy redirects a Service's address after a route was chosen for it: any route will do.
        f"ip route add {SERVICES} dev eth0",
        "echo 1 > /proc/sys/net/ipv4/ip_forward",
    ]))  # fmt: skip


def start_kubelet(plane: ControlPlane) -> None:
    """Start kubelet, kube-proxy and DNS; return when the node is ready."""
    run, pki = plane.run, plane.pki
    settings: Thing = {
        "apiVersion": "kubelet.config.k8s.io/v1beta1", "kind": "KubeletConfiguration",
        "address": ADDRESS, "authentication": {"x509": {"clientCAFile": str(pki / "ca.crt")}},
        "tlsCertFile": str(pki / "kubelet.crt"), "tlsPrivateKeyFile": str(pki / "kubelet.key"),
        "cgroupDriver": "cgroupfs", "cgroupRoot": f"/{CGROUP}", "failCgroupV1": False,
        "clusterDNS": [ADDRESS], "clusterDomain": "cluster.local", "resolvConf": "",
        "containerRuntimeEndpoint": "unix:///run/containerd/containerd.sock",
        "evictionHard": {"memory.available": "100Mi"}, "imageGCHighThresholdPercent": 100,
        "failSwapOn": False,
    }  # fmt: skip
    config = run.write("kubelet.json", json.dumps(settings))
    run.start(
        "kubelet", kubernetes("kubelet"), f"--config={config}", f"--root-dir={run.path('kubelet')}",
        f"--kubeconfig={plane.authority.kubeconfig('kubelet', plane.url)}",
        f"--hostname-override={certificates.NODE}", f"--node-ip={ADDRESS}",
    )  # fmt: skip
    run.start(
        "kube-proxy", kubernetes("kube-proxy"), f"--hostname-override={certificates.NODE}",
        f"--kubeconfig={plane.authority.kubeconfig('kube-proxy', plane.url)}",
        "--proxy-mode=iptables", f"--cluster-cidr={POD_NETWORK}",
        "--conntrack-max-per-core=0",  # the size of the connection table belongs to the whole machine
    )  # fmt: skip
    corefile = run.write("Corefile", COREFILE.format(address=ADDRESS, kubeconfig=plane.admin, metadata=METADATA))
    run.start("coredns", programs.program("node", "coredns"), f"-conf={corefile}")

    def ready() -> bool:
        run.check()
        return plane.kubectl.says("wait", "--for=condition=Ready", f"node/{certificates.NODE}", "--timeout=1s")

    wait_for("the node", ready)


def unmake(run: Run) -> None:
    """End every process of the node, and remove what the kernel leaves: cable and control groups."""
    run.stop()
    with contextlib.suppress(RuntimeError):
        run.do("ip", "link", "delete", CABLE)

    def empty() -> bool:
        for top in control_groups():
            for folder, _, _ in os.walk(top, topdown=False):
                with contextlib.suppress(OSError):
                    Path(folder).rmdir()
        return not any(top.exists() for top in control_groups())

    wait_for("the end of the node's control groups", empty, 30)
    remove(run.folder / "var")
    remove(containerd.RUNNING)
