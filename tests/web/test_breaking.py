"""When a part of the page cannot be had, or throws, the rest stays, and what is left helps on."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

if TYPE_CHECKING:
    from playwright.sync_api import Route

    from tests.web.conftest import OpenWindow
    from tests.web.site import Site, Visitor
    from tests.web.window import Window

CHUNKS = "**/_next/static/chunks/*.js"
BREAK = "void (Intl.DateTimeFormat = function () { throw new Error('broken') })"
"""Makes every message throw while it is rendered: each says when it will be deleted."""


def without_more_scripts(window: Window) -> None:
    """Open the page anew, with the scripts that stand in it and no others."""
    in_page = set(re.findall(r'src="([^"]+\.js)"', window.page.request.get("/").text()))

    def judge(route: Route) -> None:
        if any(route.request.url.endswith(script) for script in in_page):
            route.continue_()
        else:
            route.abort()

    window.page.route(CHUNKS, judge)
    window.page.reload()
    expect(window.composer).to_be_focused()


def test_what_cannot_be_loaded_says_so_and_can_be_tried_again(window: Window) -> None:
    without_more_scripts(window)
    page = window.page
    said = page.get_by_text("This could not be loaded.")
    account = page.get_by_role("button", name="Account and settings")
    account.click()
    expect(said).to_be_visible()
    expect(account).to_have_attribute("aria-expanded", "false")
    page.keyboard.press("?")
    expect(said).to_have_count(2)
    expect(page.get_by_role("button", name="Reload")).to_have_count(2)
    window.ask_and_wait("Still there?")
    expect(window.answer).to_contain_text("You said: Still there?")

    page.unroute(CHUNKS)
    account.click()
    page.get_by_role("menuitem", name="Settings").click()
    expect(page.get_by_role("dialog")).to_be_visible()


def test_menus_and_dialogs_are_there_when_the_network_is_not(window: Window, site: Site) -> None:
    page = window.page
    page.clock.install()
    page.reload()
    expect(window.composer).to_be_focused()
    page.clock.fast_forward(5000)
    page.wait_for_load_state("networkidle")
    site.line.cut()
    page.get_by_role("button", name="Account and settings").click()
    page.get_by_role("menuitem", name="Keyboard shortcuts").click()
    expect(page.get_by_role("dialog")).to_be_visible()


@pytest.mark.parametrize(("loadable", "locale"), [(True, "en-US"), (True, "ja-JP"), (False, "en-US")])
def test_a_page_that_broke_helps_on(
    open_window: OpenWindow, site: Site, visitor: Visitor, loadable: bool, locale: str
) -> None:
    """`loadable`: whether the page that says so can be had."""
    site.exchange(visitor, "Q", "A", title="Title")
    window = open_window(locale=locale)
    page = window.page
    if not loadable:
        without_more_scripts(window)
    page.evaluate(BREAK)
    page.get_by_role("link", name="Title").click()
    words = "ページに問題が起きました" if locale == "ja-JP" or not loadable else "Something broke on this page"
    expect(page.get_by_role("heading", name=re.compile(words))).to_be_visible()
    if not loadable:
        page.unroute(CHUNKS)
    page.get_by_role("button", name=re.compile("再読み込み" if locale == "ja-JP" else "Reload")).click()
    expect(window.answer).to_contain_text("A")
    window.problems.clear()  # the errors that this test made
