"""What the tests on the cluster share. `nox -s cluster` raises it and hands it over; elsewhere they are skipped."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.figures import Figures
from tests.cluster.nanoka import Nanoka
from tests.cluster.person import Door, Person, signed_in

OTHERS = "all others"
# Tests, files, or a mark of many. Any order will do, but in this one nobody waits for zero pods again and again: each
# of those that begin there comes after one that has left them behind; quiet ones have their turn while the functions go
# to sleep, first those that wake purge; and the crowd, whose second pod keeps its share of the CPU for a minute, is
# last.
TURNS = (
    "test_a_browser_from_zero_pods_to_an_answer",
    "test_jobs",
    "quiet",
    "test_back_to_zero_pods",
    "test_a_named_cluster_is_used_and_left_as_it_was",
    "test_cold_starts",
    OTHERS,
    "test_scale",
)


class Handover:
    """The plugin by which the runner gives its cluster to pytest: the front door, and the cluster itself if it raised
    it. Where it did not, tests that would put their hands on the cluster are left out."""

    def __init__(self, figures: Figures, door: Door, nanoka: Nanoka | None = None) -> None:
        self.figures, self.door, self.nanoka = figures, door, nanoka
        self.interrupted = False

    def pytest_keyboard_interrupt(self) -> None:
        """Ctrl-C; pytest's own status does not tell it from a file that cannot be imported."""
        self.interrupted = True

    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        if self.nanoka is None:
            hands = [item for item in items if "nanoka" in getattr(item, "fixturenames", ())]
            config.hook.pytest_deselected(items=hands)
            items[:] = [item for item in items if item not in hands]
        items.sort(key=turn)


def turn(item: pytest.Item) -> int:
    """A test's place in TURNS."""
    names = {item.name.partition("[")[0], item.path.stem, *(mark.name for mark in item.iter_markers())}
    return next((number for number, name in enumerate(TURNS) if name in names), TURNS.index(OTHERS))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of this folder."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.cluster)


@pytest.fixture(scope="session")
def handover(pytestconfig: pytest.Config) -> Handover:
    for plugin in pytestconfig.pluginmanager.get_plugins():
        if isinstance(plugin, Handover):
            return plugin
    pytest.skip("NOT RUN: needs a cluster (`nox -s cluster` raises one)")


@pytest.fixture(scope="session")
def nanoka(handover: Handover) -> Nanoka:
    assert handover.nanoka, "this test is for a cluster of our own"
    return handover.nanoka


@pytest.fixture(scope="session")
def figures(handover: Handover) -> Figures:
    return handover.figures


@pytest.fixture(autouse=True)
def room(handover: Handover) -> None:
    """Nothing of the test before: what it told to end would leave no CPU to ask for, on two cores."""
    if handover.nanoka:
        handover.nanoka.bury()


@pytest.fixture
def person(handover: Handover) -> Iterator[Person]:
    """Somebody who is signed in."""
    with signed_in(handover.door) as found:
        yield found
