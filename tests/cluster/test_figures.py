"""Where the time goes: cold starts against an empty function's, and what Knative adds to a warm answer."""

import statistics

import pytest

from tests.cluster import measure
from tests.cluster.figures import Figures
from tests.cluster.nanoka import Nanoka
from tests.cluster.person import Person

RUNS = 5
ASKED = 200
PARTS = ("activator", "scheduling", "sandbox", "imports", "answer")


@pytest.mark.timeout(1200)
def test_cold_starts(nanoka: Nanoka, person: Person, figures: Figures) -> None:
    starts = measure.cold_starts(nanoka, person, RUNS)
    base = statistics.median(start.total for start in starts["cold-empty"])
    figures.seconds("cold start of an empty function", [start.total for start in starts["cold-empty"]])
    for name, what, most in (("cold-list", "first byte of the list", 1.5), ("cold-send", "first token", 2.5)):
        totals = [start.total for start in starts[name]]
        figures.seconds(f"from zero pods to the {what}", totals)
        figures.add(f"the same against the empty function (budget {most})", f"{statistics.median(totals) / base:.2f}")
    for name in measure.VARIANTS:
        medians = [statistics.median(getattr(start, part) for start in starts[name]) for part in PARTS]
        # A part that is not there, or one that comes before the one before it, is a mistake of the measurement's.
        assert all(value >= 0 for value in medians), (name, medians)
        figures.add(
            f"{name}: a pod is made / has a node / its containers run / the function has the request / it answers",
            " / ".join(f"{value:.2f}" for value in medians) + " s",
        )


@pytest.mark.timeout(600)
def test_what_knative_adds_when_warm(nanoka: Nanoka, person: Person, figures: Figures) -> None:
    seconds = measure.warm(nanoka, person, ASKED)
    for way, samples in seconds.items():
        assert len(samples) == ASKED
        figures.milliseconds(f"warm, to the first token: {way}", samples)
    alone = statistics.median(seconds["the function alone"])
    for way in list(seconds)[1:]:
        figures.add(f"added by {way}, p50", f"{(statistics.median(seconds[way]) - alone) * 1000:.1f} ms")


def test_memory_of_each_pod(nanoka: Nanoka, person: Person, figures: Figures) -> None:
    """What the kernel counts for each container, as the kubelet tells it, within the limit that production sets."""
    found = measure.memory(nanoka, person)
    assert found["send-message/function"] < 512
    for name, used in found.items():
        figures.add(f"memory: {name}", f"{used:.0f} MiB")
