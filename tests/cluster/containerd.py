"""The node's containerd, with every image in it before it starts for good.

To import and unpack the images takes half a minute, so that is done once: the store that it leaves is kept, named by
the archives, and each run works on a copy of it whose files are hard links. containerd writes anew what it changes of
contents and layers, and a container writes into a layer of its own; its databases alone are written in place, so
these are genuine copies.
"""

import contextlib
import hashlib
import json
import shutil
from collections.abc import Sequence
from pathlib import Path

from tests.cluster.controlplane import POD_NETWORK
from tests.cluster.programs import CACHE
from tests.cluster.run import Run, remove, wait_for

PAUSE = "dev.local/pause:1"
STORES = CACHE / "containerd"
RUNNING = STORES / "running"  # one cluster at a time: what a killed one left is the next one's to remove

CONFIG = """
version = 2
root = "{root}"
state = "/run/containerd"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{pause}"
  restrict_oom_score_adj = true  # root without CAP_SYS_RESOURCE may not lower it
[plugins."io.containerd.grpc.v1.cri".cni]
  bin_dir = "/usr/lib/cni"
  conf_dir = "{cni}"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"
"""


def start(run: Run, archives: Sequence[Path]) -> None:
    """Start containerd with the archives' images and a bridge for the pods; return when it answers."""
    name = hashlib.sha256("\n".join(sorted(map(str, archives))).encode()).hexdigest()[:12]
    store = STORES / name
    if not store.exists():
        for older in STORES.glob("*"):
            remove(older)
        partial = store.with_suffix(".partial")
        _serve(run, partial)
        for archive in archives:
            run.do("ctr", "--namespace=k8s.io", "images", "import", archive)
        run.end("containerd")
        partial.rename(store)
    remove(RUNNING)
    run.do("cp", "--archive", "--link", store, RUNNING, inside=False)
    for database in store.rglob("*.db"):
        target = RUNNING / database.relative_to(store)
        target.unlink()
        shutil.copy2(database, target)
    _serve(run, RUNNING)


def _serve(run: Run, root: Path) -> None:
    plugin = {
        "type": "bridge", "bridge": "cni0", "isDefaultGateway": True, "ipMasq": True, "hairpinMode": True,
        "ipam": {"type": "host-local", "ranges": [[{"subnet": POD_NETWORK}]]},
    }  # fmt: skip
    network = {"cniVersion": "0.4.0", "name": "pods", "plugins": [plugin]}
    folder = run.write("cni/pods.conflist", json.dumps(network)).parent
    config = run.write("containerd.toml", CONFIG.format(root=root, pause=PAUSE, cni=folder))
    run.start("containerd", "containerd", f"--config={config}")

    def ready() -> bool:
        run.check()
        with contextlib.suppress(RuntimeError):
            return bool(run.do("ctr", "version"))
        return False

    wait_for("containerd", ready)
