"""From no pods to an answer, and back to no pods."""

import concurrent.futures
import os
import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.cluster import node
from tests.cluster.figures import Figures
from tests.cluster.kubectl import KubectlError
from tests.cluster.nanoka import SPACE, Nanoka
from tests.cluster.person import ORIGIN, Person, signed_in
from tests.cluster.run import wait_for
from tests.cluster.standins import DOMAIN, ISSUER
from tests.web import chromium
from tests.web.window import Window

PEOPLE_MEET = ("login", "send-message", "list-history")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A genuine Chromium, to which the domain is the load balancer's address."""
    if chromium.program() is None:
        if os.environ.get("CI"):
            pytest.fail(chromium.MISSING)
        pytest.skip(chromium.MISSING)
    with chromium.launched(f"--host-resolver-rules=MAP {DOMAIN} {node.ADDRESS}") as found:
        yield found


class Vigil:
    """Watches the functions go to sleep, while tests that ask them nothing take their turn."""

    def __init__(self, nanoka: Nanoka) -> None:
        self._nanoka, self._pool = nanoka, concurrent.futures.ThreadPoolExecutor(1)
        self.seconds: concurrent.futures.Future[float] | None = None

    def begin(self) -> None:
        """Watch from the last request on: the seconds until the last pod is told to go."""
        wait_for("all to be told ready", lambda: all(self._nanoka.ready_pods(name) for name in PEOPLE_MEET), 30)
        self.seconds = self._pool.submit(self._nanoka.wait_for_zero, *PEOPLE_MEET)


@pytest.fixture(scope="session")
def vigil(nanoka: Nanoka) -> Vigil:
    return Vigil(nanoka)


@pytest.mark.timeout(600)
def test_a_browser_from_zero_pods_to_an_answer(
    nanoka: Nanoka, browser: Browser, figures: Figures, vigil: Vigil
) -> None:
    nanoka.wait_for_zero(*PEOPLE_MEET)
    # Chromium does not know who signs the stand-ins' certificates.
    window = Window(browser, ORIGIN, None, {"ignore_https_errors": True})
    window.allowed_origins.add(ISSUER)
    try:
        started = time.monotonic()
        window.go("/")
        window.page.get_by_role("link", name="Sign in with Google").click()
        expect(window.composer).to_be_focused()
        signed_in = time.monotonic()
        window.ask("How long is a week? [[words=40]]")
        expect(window.answer).to_contain_text("You said")
        answered = time.monotonic()
        window.wait_for_end()
        expect(window.answer).to_have_attribute("data-status", "complete")
        window.page.reload()  # history has it, too
        expect(window.answer).to_contain_text("You said: How long is a week?")
    finally:
        window.close()
    window.check_promises()
    figures.add("a browser, from zero pods: the page opened, signed in, ready for a question", took(started, signed_in))
    figures.add("then a question, send-message at zero pods: words on the page", took(signed_in, answered))
    vigil.begin()


@pytest.mark.timeout(600)
def test_back_to_zero_pods(nanoka: Nanoka, figures: Figures, vigil: Vigil) -> None:
    if vigil.seconds is None:  # this test was chosen without the one that wakes everybody up
        with signed_in(nanoka.door) as person:
            person.ask("Wake up.")
            person.request("GET", "/api/conversations").raise_for_status()
        vigil.begin()
    assert vigil.seconds
    figures.add("from the last request to zero pods", f"{vigil.seconds.result():.0f} s")


def took(since: float, until: float) -> str:
    return f"{until - since:.2f} s"


@pytest.mark.quiet
def test_purge_has_no_way_in_from_outside(nanoka: Nanoka) -> None:
    """NGINX routes nobody to purge, whatever the path or the host that is asked for."""
    with Person(nanoka.door) as person:
        for path in ("/api/purge", "/purge", "/api/"):
            assert person.request("POST", path).status_code in {404, 405}


@pytest.mark.quiet
def test_an_unconfined_pod_is_refused(nanoka: Nanoka) -> None:
    """Pod security at level `restricted` holds where the functions run."""
    with pytest.raises(KubectlError, match='violates PodSecurity "restricted'):
        nanoka.kubectl("run", "probe", "--image=dev.local/nanoka/purge:1", SPACE, "--dry-run=server")
