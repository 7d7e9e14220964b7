"""Nanoka on a cluster of our own, as the tests see it."""

from dataclasses import dataclass
from typing import Any

from tests.cluster.argocd import ArgoCD
from tests.cluster.controlplane import ControlPlane
from tests.cluster.kubectl import Thing
from tests.cluster.running import NAMESPACE, SPACE, Running
from tests.cluster.standins import StandIns

__all__ = ["SPACE", "Nanoka"]


@dataclass
class Nanoka(Running):
    """The cluster with the product on it, in the hands of its runner."""

    plane: ControlPlane
    stand_ins: StandIns
    argocd: ArgoCD

    def connections(self) -> int:
        """How many clients the database has now."""
        rows = self.stand_ins.postgres.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE usename IN ('nanoka-app', 'nanoka-purge')"
        )
        found: Any = rows[0][0]
        return int(found)

    def job(self, name: str, thing: Thing) -> Thing:
        """A Job under another name, of a Job's or a CronJob's template."""
        spec = thing["spec"]["jobTemplate"]["spec"] if thing["kind"] == "CronJob" else thing["spec"]
        meta = {"name": name, "namespace": NAMESPACE}
        keep = {key: value for key, value in spec.items() if key not in {"selector", "manualSelector"}}
        labels = keep["template"]["metadata"].get("labels", {})
        own = {key: value for key, value in labels.items() if "job-name" not in key and "controller-uid" not in key}
        keep["template"]["metadata"]["labels"] = own
        return {"apiVersion": "batch/v1", "kind": "Job", "metadata": meta, "spec": keep}
