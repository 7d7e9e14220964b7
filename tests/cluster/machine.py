"""Whether this machine can be a node, said plainly before anything is started; and one cluster at a time."""

import contextlib
import fcntl
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

# Program: the Debian package that has it.
NEEDED = {
    "buildah": "buildah",
    "containerd": "containerd",
    "debootstrap": "debootstrap",
    "git": "git",
    "ip": "iproute2",
    "iptables": "iptables",
    "redis-server": "redis-server",
    "runc": "runc",
    "/usr/lib/cni/bridge": "containernetworking-plugins",
}
LOCK = Path("/run/lock/nanoka-cluster.lock")


class UnfitError(RuntimeError):
    """This machine cannot run a node, or one runs already; the message says what to do."""


def check() -> None:
    """Raise UnfitError unless a node can be run here."""
    check_for_images()
    if shutil.which("go") is None:
        raise UnfitError("Go is not installed: Kubernetes, Knative and Argo CD are built from their Go modules.")


def check_for_images() -> None:
    """Raise UnfitError unless images can be made here, which a node needs, too."""
    if sys.platform != "linux":
        raise UnfitError("The cluster's node needs Linux: its pods are this machine's own processes.")
    if os.geteuid() != 0:
        raise UnfitError("The cluster's node needs root, for namespaces, mounts and control groups.")
    if missing := [package for program, package in NEEDED.items() if not shutil.which(program)]:
        raise UnfitError(f"Missing: apt-get install --no-install-recommends {' '.join(missing)}")


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """Hold the machine's one place for a cluster, whose addresses are fixed. Raises UnfitError if it is taken."""
    LOCK.parent.mkdir(parents=True, exist_ok=True)
    with LOCK.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise UnfitError(f"Another cluster runs on this machine (process {file.read().strip()}).") from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield
