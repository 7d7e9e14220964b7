"""The guide's table of monthly costs, computed from what the manifests ask for: `python -m tests.terraform.costs`.

Prices are list prices in US dollars for us-central1, as published; what people do is assumed. Both stand in the guide
beside the table, so that a reader can put in others. A month has 730 hours.
"""

from dataclasses import dataclass
from math import ceil
from typing import Any

import yaml

from tests.cluster import render
from tests.terraform.workspace import ROOT

HOURS = 730
DAYS = 30.4
AWAKE = 16
"""Hours of a day in which people come."""

# Dollars. An hour: vcpu, gib, rule, nat_node, nat_address, sql_*. A month: gb of anything stored. A GB: what moves.
PRICE = {
    "cluster": 0.10, "credit": 74.40, "vcpu": 0.0445, "gib": 0.0049225,
    "sql_small": 0.035, "sql_vcpu": 0.0413, "sql_gib": 0.007, "ssd": 0.17, "backup": 0.08,
    "rule": 0.025, "balanced": 0.008, "nat_node": 0.0014, "nat_address": 0.005, "egress": 0.12,
    "log": 0.50, "log_free": 50, "zone": 0.20, "image": 0.10, "secret": 0.06,
    "read": 0.30e-6, "written": 2.50e-6,
}  # fmt: skip

# What one person does in a day.
ANSWERS = 10
TOKENS_READ = 1500
TOKENS_WRITTEN = 400
ANSWER_SECONDS = 10
MEGABYTES = 0.7
LOG_KB = 60
PEAK = 3  # times the average of the hours awake

# Pods of Knative's operator, as its chart is given them in argocd/apps.
FOREIGN = {"operator": (0.05, 100), "operator-webhook": (0.05, 100)}
UTILIZATION = "70"  # per cent of the target at which Knative adds a pod, unless it is told (config-autoscaler)
LEAST_CPU, LEAST_MIB = 0.05, 52  # what Autopilot makes of less


@dataclass(frozen=True)
class Pod:
    """What a pod asks for: cores and MiB."""

    cpu: float
    mib: float

    def hourly(self) -> float:
        """Dollars an hour on Autopilot, which keeps memory between 1 and 6.5 GiB a core and has a least size."""
        cpu = max(self.cpu, LEAST_CPU, self.mib / 1024 / 6.5)
        gib = max(self.mib, LEAST_MIB, cpu * 1024) / 1024
        return cpu * PRICE["vcpu"] + gib * PRICE["gib"]


def asked(requests: dict[str, Any]) -> Pod:
    """A container's requests: cores as 1 or 100m, memory as 64Mi or 1Gi."""
    cpu, memory = str(requests["cpu"]), str(requests["memory"])
    units = {"Mi": 1, "Gi": 1024}
    return Pod(
        float(cpu[:-1]) / 1000 if cpu.endswith("m") else float(cpu),
        float(memory[:-2]) * units[memory[-2:]],
    )


def always_on() -> list[Pod]:
    """Every pod that runs while nobody talks."""
    edge = render.objects(ROOT / "knative" / "overlays" / "production" / "edge")
    platform = render.objects(ROOT / "knative" / "overlays" / "production" / "platform")
    pods = [Pod(*foreign) for foreign in FOREIGN.values()]
    for thing in edge:
        if thing["kind"] == "Deployment":
            (container,) = thing["spec"]["template"]["spec"]["containers"]
            pods += [asked(container["resources"]["requests"])] * thing["spec"]["replicas"]
    (serving,) = [thing for thing in platform if thing["kind"] == "KnativeServing"]
    for workload in serving["spec"]["workloads"]:
        (container,) = workload["resources"]
        pods += [asked(container["requests"])] * serving["spec"]["high-availability"]["replicas"]
    values = yaml.safe_load((ROOT / "terraform" / "argocd" / "values.yaml").read_text())
    pods += [asked(values[name]["resources"]["requests"]) for name in ("controller", "repoServer", "server", "redis")]
    certificates = yaml.safe_load((ROOT / "argocd" / "apps" / "cert-manager.yaml").read_text())
    values = certificates["spec"]["source"]["helm"]["valuesObject"]
    return pods + [asked(part["resources"]["requests"]) for part in (values, values["webhook"], values["cainjector"])]


def function(name: str) -> tuple[Pod, float]:
    """A function's pod with its queue-proxy, and how many requests at once make another pod."""
    spec = yaml.safe_load((ROOT / "knative" / "base" / f"{name}.yaml").read_text())["spec"]["template"]
    (container,) = spec["spec"]["containers"]
    own = asked(container["resources"]["requests"])
    (serving,) = [
        t for t in render.objects(ROOT / "knative" / "overlays" / "production" / "platform")
        if t["kind"] == "KnativeServing"
    ]  # fmt: skip
    queue = serving["spec"]["config"]["deployment"]
    proxy = asked({"cpu": queue["queue-sidecar-cpu-request"], "memory": queue["queue-sidecar-memory-request"]})
    said = spec["metadata"]["annotations"]
    target = float(said.get("autoscaling.knative.dev/target", spec["spec"]["containerConcurrency"]))
    utilization = float(said.get("autoscaling.knative.dev/target-utilization-percentage", UTILIZATION))
    return Pod(own.cpu + proxy.cpu, own.mib + proxy.mib), target * utilization / 100


def at_once(people: int) -> float:
    """Answers that are written at the same time, on average over the hours awake."""
    return people * ANSWERS * ANSWER_SECONDS / (AWAKE * 3600)


def month(people: int) -> dict[str, float]:
    """Dollars a month, by what they are for."""
    answers = people * ANSWERS * DAYS
    running = at_once(people)
    write, streams = function("send-message")
    others = [function(name)[0] for name in ("login", "list-history")]
    awake = AWAKE * DAYS if people else 0
    # A third of the time awake is the peak; one pod at least while anybody is there.
    writing = (max(1, ceil(running / streams)) * 2 + max(1, ceil(running * PEAK / streams))) / 3
    purge = function("purge")[0].hourly() * HOURS * 120 / 3600
    gigabytes = people * MEGABYTES * DAYS / 1000
    logged = people * LOG_KB * DAYS / 1e6
    large = people > 10_000
    sql = 2 * (4 * PRICE["sql_vcpu"] + 15 * PRICE["sql_gib"]) if large else PRICE["sql_small"]
    disk, backups = (2 * 100, 90) if large else (10, 3)
    return {
        "GKE's fee, less the credit for one cluster": max(0, PRICE["cluster"] * HOURS - PRICE["credit"]),
        "pods that are always there": sum(pod.hourly() for pod in always_on()) * HOURS,
        "functions' pods": purge + awake * (writing * write.hourly() + sum(pod.hourly() for pod in others)),
        "Cloud SQL, disk and backups": sql * HOURS + disk * PRICE["ssd"] + backups * PRICE["backup"],
        "load balancer and NAT": (PRICE["rule"] + 3 * PRICE["nat_node"] + PRICE["nat_address"]) * HOURS
        + gigabytes * PRICE["balanced"],
        "traffic to people": gigabytes * PRICE["egress"],
        "logs, zone, images, secrets": max(0, logged - PRICE["log_free"]) * PRICE["log"]
        + PRICE["zone"] + PRICE["image"] * 3 + PRICE["secret"] * 2,
        "the chat model": answers * (TOKENS_READ * PRICE["read"] + TOKENS_WRITTEN * PRICE["written"]),
    }  # fmt: skip


def table() -> str:
    """The three columns as Markdown."""
    columns = [month(people) for people in (0, 1_000, 100_000)]
    lines = [
        "| US dollars a month | idle | 1,000 people a day | 100,000 people a day |",
        "| --- | ---: | ---: | ---: |",
    ]
    lines += [f"| {name} | {' | '.join(f'{column[name]:,.0f}' for column in columns)} |" for name in columns[0]]
    totals = [f"**{sum(column.values()):,.0f}**" for column in columns]
    return "\n".join([*lines, f"| **together** | {' | '.join(totals)} |"])


if __name__ == "__main__":
    print(table())
