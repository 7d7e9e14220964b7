"""Accessible: axe finds nothing on any page or state, listeners hear sentences, the focus is never lost."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from tests.stack.node import WEB
from tests.web.answers import RICH, WIDE
from tests.web.window import PHONE

if TYPE_CHECKING:
    from tests.web.conftest import OpenWindow
    from tests.web.site import Site, Visitor
    from tests.web.window import Window

THEMES = ("light", "dark")
LOCALES = ("en-US", "ja-JP")


@cache
def axe() -> str:
    return (WEB / "node_modules" / "axe-core" / "axe.min.js").read_text()


def assert_axe_finds_nothing(window: Window) -> None:
    """Neither in WCAG 2.2 AA nor in the best practices. Axe is put into the page past the page's own policy."""
    window.page.evaluate(axe())
    # A fade is not a colour: wait until nothing moves.
    window.page.evaluate(
        """Promise.all(document.getAnimations()
          .filter(({effect}) => effect.getComputedTiming().iterations < 9).map(({finished}) => finished))"""
    )
    result: dict[str, Any] = window.page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    findings = [
        f"{violation['id']}: {node['html'][:150]} {node['any'][0]['message'] if node['any'] else ''}"
        for violation in result["violations"]
        for node in violation["nodes"]
    ]
    assert not findings, "\n".join(findings)


@pytest.fixture(params=THEMES)
def scheme(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=LOCALES)
def locale(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_axe_finds_nothing_where_one_signs_in(open_window: OpenWindow, scheme: str, locale: str) -> None:
    window = open_window("/sign-in", signed_in=False, color_scheme=scheme, locale=locale)
    expect(window.page.get_by_role("heading", level=1)).to_be_visible()
    assert_axe_finds_nothing(window)


def test_axe_finds_nothing_on_the_start_page(open_window: OpenWindow, scheme: str, locale: str) -> None:
    window = open_window(color_scheme=scheme, locale=locale)
    expect(window.composer).to_be_focused()
    assert_axe_finds_nothing(window)


def test_axe_finds_nothing_in_a_conversation(
    open_window: OpenWindow, site: Site, visitor: Visitor, scheme: str, locale: str
) -> None:
    conversation = site.exchange(visitor, "Show me", f"{RICH}\n\n{WIDE}", title="A rich answer", age=6 * 24 + 2)
    window = open_window(f"/c/{conversation}", color_scheme=scheme, locale=locale)
    expect(window.answer.locator(".katex").first).to_be_visible()
    expect(window.answer.locator(".md-diagram")).to_be_visible()
    expect(window.answer.locator(".hljs-keyword").first).to_be_visible()
    expect(window.answer.locator("[role=group][tabindex='0']")).to_have_count(6)
    assert_axe_finds_nothing(window)


def test_axe_finds_nothing_while_an_answer_streams(open_window: OpenWindow, site: Site, scheme: str) -> None:
    window = open_window(color_scheme=scheme)
    site.answers(RICH * 3, rate=30)
    window.ask("Stream")
    expect(window.answer).to_contain_text("quotation")
    assert_axe_finds_nothing(window)
    window.stop_button.click()
    window.wait_for_end()
    assert_axe_finds_nothing(window)


def test_axe_finds_nothing_when_something_failed(open_window: OpenWindow, site: Site, scheme: str, locale: str) -> None:
    window = open_window(color_scheme=scheme, locale=locale)
    site.answers(status=400)
    window.ask_and_wait("Fail")
    assert_axe_finds_nothing(window)


@pytest.mark.parametrize("sheet", ["settings", "shortcuts", "menu", "delete-account", "rename", "search", "edit"])
def test_axe_finds_nothing_in_menus_and_dialogs(
    open_window: OpenWindow, site: Site, visitor: Visitor, scheme: str, sheet: str
) -> None:
    conversation = site.exchange(visitor, "Question", "Answer", title="Title")
    window = open_window(f"/c/{conversation}", color_scheme=scheme)
    page = window.page
    expect(window.answer).to_contain_text("Answer")
    account = page.get_by_role("button", name="Account and settings")
    if sheet in ("settings", "delete-account", "shortcuts"):
        account.click()
        page.get_by_role("menuitem", name="Keyboard shortcuts" if sheet == "shortcuts" else "Settings").click()
        expect(page.get_by_role("dialog")).to_be_visible()
        if sheet == "delete-account":
            page.get_by_role("button", name="Delete account").click()
            expect(page.get_by_role("alertdialog")).to_be_visible()
    elif sheet == "menu":
        account.click()
        expect(page.get_by_role("menu")).to_be_visible()
    elif sheet == "rename":
        window.choose("Title", "Rename")
        expect(page.get_by_role("textbox", name="Title of the conversation")).to_be_focused()
    elif sheet == "search":
        page.locator("#search").fill("nothing")
        expect(page.get_by_text("Nothing found for")).to_be_visible()
    else:
        window.composer.press("ArrowUp")
        expect(page.get_by_role("textbox", name="Edit your message")).to_be_focused()
    assert_axe_finds_nothing(window)


def test_axe_finds_nothing_on_a_phone(open_window: OpenWindow, site: Site, visitor: Visitor, scheme: str) -> None:
    conversation = site.exchange(visitor, "Show me", RICH, title="A rich answer")
    window = open_window(f"/c/{conversation}", color_scheme=scheme, **PHONE)
    expect(window.answer.locator(".md-diagram")).to_be_attached()
    assert_axe_finds_nothing(window)
    window.page.get_by_role("button", name="Open the list of conversations").tap()
    expect(window.row("A rich answer")).to_be_visible()
    assert_axe_finds_nothing(window)


@pytest.mark.parametrize("path", ["/nothing/here", "/c/00000000-0000-4000-8000-000000000000"])
def test_axe_finds_nothing_where_nothing_is(open_window: OpenWindow, scheme: str, path: str) -> None:
    window = open_window(path, color_scheme=scheme)
    expect(window.page.get_by_role("heading").first).to_be_visible()
    assert_axe_finds_nothing(window)


def test_listeners_hear_sentences_and_not_tokens(window: Window, site: Site) -> None:
    window.page.evaluate(
        """() => {
          window.heard = [];
          for (const region of document.querySelectorAll("[aria-live], [role=status], [role=log], [role=alert]")) {
            new MutationObserver(() => {
              const words = region.textContent.trim();
              if (words && words !== window.heard.at(-1)) window.heard.push(words);
            }).observe(region, {subtree: true, childList: true, characterData: true});
          }
        }"""
    )
    site.answers(rate=60, words=40)
    window.ask_and_wait("Say something")
    expect(window.spoken).to_contain_text("The answer is complete.")
    assert window.page.evaluate("heard") == ["Nanoka is answering.", "The answer is complete."]
    assert window.answer.evaluate("element => !element.closest('[aria-live], [role=log], [role=status]')")


def test_listeners_hear_that_an_answer_failed_before_its_first_word(window: Window, site: Site) -> None:
    site.answers(status=400)
    window.ask_and_wait("Fail, please")
    expect(window.spoken).to_contain_text("The answer failed.")


def test_the_focus_is_never_lost(open_window: OpenWindow, site: Site, visitor: Visitor) -> None:
    site.exchange(visitor, "Q", "A", title="One")
    window = open_window()
    page = window.page

    def focused() -> str:
        return str(page.evaluate("document.activeElement.tagName"))

    account = page.get_by_role("button", name="Account and settings")
    account.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("menuitem").first).to_be_focused()
    page.keyboard.press("Escape")
    expect(account).to_be_focused()

    page.keyboard.press("Enter")
    page.get_by_role("menuitem", name="Settings").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    for _ in range(12):
        page.keyboard.press("Tab")
        assert dialog.evaluate("dialog => dialog.contains(document.activeElement)")
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    page.wait_for_function("() => document.activeElement !== document.body")

    window.composer.focus()
    window.ask_and_wait("Hello")
    expect(window.composer).to_be_focused()
    window.row("One").focus()
    page.keyboard.press("Enter")
    expect(window.answer).to_contain_text("A")
    assert focused() != "BODY"
    window.choose("One", "Delete")
    expect(window.row("One")).to_have_count(0)
    page.wait_for_function("() => document.activeElement !== document.body")


def test_the_skip_link_leads_to_the_message_field(window: Window) -> None:
    expect(window.composer).to_be_focused()
    skip = window.page.get_by_role("link", name="Skip to the message field")
    # Backwards, as the field has the focus at first; the link comes before everything else on the page.
    for _ in range(60):
        window.page.keyboard.press("Shift+Tab")
        if skip.evaluate("link => link === document.activeElement"):
            break
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    window.page.keyboard.press("Enter")
    expect(window.composer).to_be_focused()
