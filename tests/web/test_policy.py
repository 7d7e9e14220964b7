"""A strict content security policy, in the real NGINX, and nothing from another origin. (That no page ever breaks
it, or asks another origin, is looked at after every test of this folder; see `Window.check_promises`.)"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

if TYPE_CHECKING:
    from tests.web.conftest import OpenWindow
    from tests.web.site import Site
    from tests.web.window import Window


@pytest.mark.parametrize("path", ["/", "/sign-in", "/c/00000000-0000-4000-8000-000000000000", "/nothing", "/api/none"])
def test_scripts_run_by_origin_and_hash_alone(window: Window, path: str) -> None:
    policy = window.page.request.get(path).headers["content-security-policy"]
    directives = {name: rest.split() for name, _, rest in (part.strip().partition(" ") for part in policy.split(";"))}
    assert directives["default-src"] == ["'none'"]
    scripts = directives["script-src"]
    assert all(source == "'self'" or source.startswith("'sha256-") for source in scripts)
    assert directives["connect-src"] == ["'self'"]
    assert directives["frame-ancestors"] == ["'none'"]
    assert not any(source.startswith(("http", "*")) for sources in directives.values() for source in sources)


def test_the_watch_over_the_policy_sees_a_violation(window: Window) -> None:
    """The check that every test relies on can fail."""
    window.page.evaluate(
        "document.body.append(Object.assign(document.createElement('script'), {text: 'window.ran = 1'}))"
    )
    window.page.evaluate("document.body.append(Object.assign(new Image(), {src: 'https://elsewhere.example/x.png'}))")
    window.page.wait_for_function("() => violations.length >= 2")
    assert window.page.evaluate("window.ran") is None
    window.page.evaluate("violations.length = 0")
    assert any("Content Security Policy" in problem for problem in window.problems)
    window.problems.clear()
    window.requests[:] = [url for url in window.requests if "elsewhere.example" not in url]


def test_the_whole_tour_asks_no_other_origin(open_window: OpenWindow, site: Site) -> None:
    window = open_window("/sign-in", signed_in=False)
    expect(window.page.get_by_role("heading", level=1)).to_be_visible()
    window = open_window()
    window.ask_and_wait("Hello")
    window.page.get_by_role("button", name="Account and settings").click()
    window.page.get_by_role("menuitem", name="Settings").click()
    expect(window.page.get_by_role("dialog")).to_be_visible()
    window.page.wait_for_load_state("networkidle")
    assert len(window.requests) > 10
    assert all(url.startswith((site.url, "data:", "blob:")) for url in window.requests)
