"""A cluster with Nanoka on it that runs on this machine, as whoever looks at it from outside its runner sees it."""

import fcntl
import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from tests.cluster import images, machine
from tests.cluster.api import Api
from tests.cluster.controlplane import administrator
from tests.cluster.kubectl import Kubectl, Thing
from tests.cluster.person import Door
from tests.cluster.programs import CACHE
from tests.cluster.run import wait_for

NAMESPACE = "nanoka"
SPACE = f"--namespace={NAMESPACE}"
STATE = CACHE / "cluster.json"


@dataclass
class Running:
    """`folder` holds its keys and logs, and `url` is its API server's."""

    kubectl: Kubectl
    folder: Path
    url: str
    door: Door

    @classmethod
    def find(cls) -> Self | None:
        """The one that a runner has left up (`nox -s cluster -- --keep`), if there is one."""
        if not STATE.exists() or not _taken():
            return None
        state = json.loads(STATE.read_text())
        folder = Path(state["folder"])
        return cls(administrator(folder), folder, state["url"], Door(images.trusting()))

    def tell(self) -> None:
        """Let others find it."""
        STATE.write_text(json.dumps({"folder": str(self.folder), "url": self.url}))

    @property
    def api(self) -> Api:
        return Api(self.folder / "pki", self.url)

    def log(self, name: str) -> str:
        """What one of the node's processes has written so far."""
        return self.folder.joinpath("logs", name).read_text(errors="replace")

    def pods(self, *functions: str, ending: bool = False) -> list[Thing]:
        """Functions' pods; those that were told to end, which get no new request, only if they are asked for."""
        selector = f"--selector=serving.knative.dev/service in ({','.join(functions)})"
        found = self.kubectl.get("pods", SPACE, selector)["items"]
        return [pod for pod in found if ending or not pod["metadata"].get("deletionTimestamp")]

    def ready_pods(self, function: str) -> list[str]:
        """The names of a function's pods that serve."""
        return [
            pod["metadata"]["name"]
            for pod in self.pods(function)
            if any(c["type"] == "Ready" and c["status"] == "True" for c in pod["status"].get("conditions", []))
        ]

    def wait_for_zero(self, *functions: str, seconds: float = 300) -> float:
        """Seconds until none of the functions has a pod that could take a request."""
        started = time.monotonic()
        wait_for("zero pods", lambda: not self.pods(*functions), seconds, every=0.5)
        return time.monotonic() - started

    def clear(self, *functions: str) -> None:
        """Wait until the functions are at zero, and bury what still takes its leave."""
        self.wait_for_zero(*functions)
        self.bury()
        wait_for("the pods' end", lambda: not self.pods(*functions, ending=True))

    def bury(self) -> None:
        """Have every pod that was told to end go at once: until it has, it keeps its share of the node's CPU."""
        found = self.kubectl.get("pods", SPACE)["items"]
        if names := [pod["metadata"]["name"] for pod in found if pod["metadata"].get("deletionTimestamp")]:
            self.kubectl("delete", "pods", *names, SPACE, "--grace-period=0", "--force", "--ignore-not-found")


def _taken() -> bool:
    """Whether a runner holds this machine's one place for a cluster."""
    if not machine.LOCK.exists():
        return False
    with machine.LOCK.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False
