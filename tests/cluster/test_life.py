"""From no pods to an answer, and back to no pods."""

import os
import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.cluster import node
from tests.cluster.figures import Figures
from tests.cluster.kubectl import KubectlError
from tests.cluster.nanoka import SPACE, Nanoka
from tests.cluster.person import ORIGIN, Person
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


@pytest.mark.timeout(900)
def test_a_browser_from_zero_pods_to_an_answer_and_back_to_zero(
    nanoka: Nanoka, browser: Browser, figures: Figures
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
    wait_for("all to be told ready", lambda: all(nanoka.ready_pods(name) for name in PEOPLE_MEET), 30)
    figures.add("from the last request to zero pods", f"{nanoka.wait_for_zero(*PEOPLE_MEET):.0f} s")


def took(since: float, until: float) -> str:
    return f"{until - since:.2f} s"


def test_purge_has_no_way_in_from_outside(nanoka: Nanoka) -> None:
    """NGINX routes nobody to purge, whatever the path or the host that is asked for."""
    with Person(nanoka.door) as person:
        for path in ("/api/purge", "/purge", "/api/"):
            assert person.request("POST", path).status_code in {404, 405}


def test_an_unconfined_pod_is_refused(nanoka: Nanoka) -> None:
    """Pod security at level `restricted` holds where the functions run."""
    with pytest.raises(KubectlError, match='violates PodSecurity "restricted'):
        nanoka.kubectl("run", "probe", "--image=dev.local/nanoka/purge:1", SPACE, "--dry-run=server")
