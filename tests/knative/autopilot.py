"""What GKE Autopilot changes of a pod's requests (cloud.google.com, "Resource requests in Autopilot").

It changes them in the Deployment, where Argo CD and Knative's operator see a difference and change it back, for ever.
"""

from collections.abc import Iterator
from typing import Any

from tests.terraform.costs import LEAST_CPU, LEAST_MIB, asked

LEAST_RATIO, MOST_RATIO = 1.0, 6.5
"""GiB of memory a core, of a whole pod."""
STORAGE = "ephemeral-storage"


def changes(containers: list[dict[str, Any]]) -> Iterator[str]:
    """Each change that Autopilot would make of the resources of a pod's containers, in words."""
    pods = [asked(resources["requests"]) for resources in containers]
    cpu, mib = sum(pod.cpu for pod in pods), sum(pod.mib for pod in pods)
    if cpu < LEAST_CPU or mib < LEAST_MIB:
        yield f"asks for too little: {cpu} cores, {mib} MiB"
    if not LEAST_RATIO <= mib / 1024 / cpu <= MOST_RATIO:
        yield f"{mib} MiB do not fit {cpu} cores"
    for resources in containers:
        requested, limit = (resources.get(part, {}).get(STORAGE) for part in ("requests", "limits"))
        if limit is not None and limit != requested:
            yield f"asks for {requested} of storage and is limited to {limit}"
