"""Their way: languages, themes without a flash, the shortcut sheet, keyboard alone, phones, reduced motion, install."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.web.window import PHONE

if TYPE_CHECKING:
    from tests.web.conftest import OpenWindow
    from tests.web.site import Site, Visitor
    from tests.web.window import Window

JAPANESE = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff]")


def open_settings(window: Window, menu: str = "Account and settings", item: str = "Settings") -> None:
    window.page.get_by_role("button", name=menu).click()
    window.page.get_by_role("menuitem", name=item).click()


def test_japanese_by_the_browsers_language_in_every_string(
    open_window: OpenWindow, site: Site, visitor: Visitor
) -> None:
    conversation = site.exchange(visitor, "質問", "答え", title="会話", age=6 * 24 + 2)
    window = open_window(f"/c/{conversation}", locale="ja-JP")
    page = window.page
    expect(page.locator("html")).to_have_attribute("lang", "ja")
    expect(window.composer).to_have_attribute("placeholder", JAPANESE)
    expect(window.answer).to_contain_text("答え")
    names = page.evaluate(
        """() => [...document.querySelectorAll("button, a, input, textarea, [aria-label], h1, h2, p")]
          .filter(element => element.checkVisibility())
          .flatMap(element => [element.getAttribute("aria-label"), element.getAttribute("placeholder"),
                               element.dataset.tip, element.children.length ? null : element.textContent])
          .filter(Boolean)"""
    )
    own = {"Nanoka", visitor.name, visitor.email, visitor.name[0]}
    english = [
        name for name in names if name.strip() not in own and re.search("[A-Za-z]", name) and not JAPANESE.search(name)
    ]
    assert english == []


def test_the_language_is_switched_and_kept(window: Window) -> None:
    open_settings(window)
    window.page.get_by_text("日本語", exact=True).click()
    expect(window.page.locator("html")).to_have_attribute("lang", "ja")
    window.page.keyboard.press("Escape")
    expect(window.page.get_by_role("heading", level=1)).to_have_text(JAPANESE)
    window.page.reload()
    expect(window.page.get_by_role("heading", level=1)).to_have_text(JAPANESE)


def test_example_questions_differ_by_language(open_window: OpenWindow) -> None:
    english = open_window().page.locator("ul[aria-label] button").all_inner_texts()
    window = open_window(locale="ja-JP")
    expect(window.page.locator("html")).to_have_attribute("lang", "ja")
    expect(window.page.locator("ul[aria-label] button").first).to_have_text(JAPANESE)
    japanese = window.page.locator("ul[aria-label] button").all_inner_texts()
    assert len(english) >= 3
    assert len(japanese) >= 3
    assert not any(JAPANESE.search(text) for text in english)
    assert all(JAPANESE.search(text) for text in japanese)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_systems_theme_without_a_flash(open_window: OpenWindow, scheme: str) -> None:
    window = open_window(color_scheme=scheme)
    # What the first frame is painted with: the theme stands before any script of the page has been loaded.
    window.page.route("**/_next/static/chunks/*.js", lambda route: route.abort())
    window.page.goto("/", wait_until="domcontentloaded")
    brightness = window.page.evaluate(
        """() => {
          const context = new OffscreenCanvas(1, 1).getContext("2d");
          context.fillStyle = getComputedStyle(document.body).backgroundColor;
          context.fillRect(0, 0, 1, 1);
          return context.getImageData(0, 0, 1, 1).data[0];
        }"""
    )
    assert (brightness < 60) if scheme == "dark" else (brightness > 200)
    window.problems.clear()  # the scripts that this test withheld


def test_a_chosen_theme_wins_and_is_kept(open_window: OpenWindow) -> None:
    window = open_window(color_scheme="light")
    open_settings(window)
    window.page.get_by_text("Dark", exact=True).click()
    expect(window.page.locator("html")).to_have_attribute("data-theme", "dark")
    window.page.reload()
    expect(window.page.locator("html")).to_have_attribute("data-theme", "dark")
    open_settings(window)
    window.page.get_by_text("System", exact=True).click()
    expect(window.page.locator("html")).to_have_attribute("data-theme", "light")
    window.page.emulate_media(color_scheme="dark")
    expect(window.page.locator("html")).to_have_attribute("data-theme", "dark")


def test_the_shortcut_sheet(window: Window) -> None:
    window.page.get_by_role("button", name="New conversation").first.focus()
    window.page.keyboard.press("?")
    expect(window.page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    window.page.keyboard.press("Escape")
    expect(window.page.get_by_role("dialog")).to_have_count(0)
    window.composer.focus()
    window.page.keyboard.type("?")
    expect(window.page.get_by_role("dialog")).to_have_count(0)
    expect(window.composer).to_have_value("?")


def test_everything_by_keyboard_alone(open_window: OpenWindow, site: Site, visitor: Visitor) -> None:
    site.exchange(visitor, "Q", "A", title="Earlier")
    window = open_window()
    keyboard = window.page.keyboard
    keyboard.type("By keyboard")
    keyboard.press("Enter")
    window.wait_for_end()
    keyboard.press("ArrowUp")
    expect(window.page.get_by_role("textbox", name="Edit your message")).to_be_focused()
    keyboard.press("Escape")
    keyboard.press("Control+k")
    expect(window.page.locator("#search")).to_be_focused()
    keyboard.type("Earlier")
    expect(window.row("Seven quiet days")).to_have_count(0)
    keyboard.press("Tab")  # the button that clears the search
    keyboard.press("Tab")
    expect(window.row("Earlier")).to_be_focused()
    keyboard.press("Enter")
    expect(window.questions).to_contain_text("Q")
    expect(window.composer).to_be_focused()

    window.row("Earlier").focus()
    keyboard.press("Tab")
    keyboard.press("Enter")
    expect(window.page.get_by_role("menuitem", name="Rename")).to_be_focused()
    keyboard.press("Enter")
    expect(window.page.get_by_role("textbox", name="Title of the conversation")).to_be_focused()
    keyboard.type("Renamed")
    keyboard.press("Enter")
    expect(window.row("Renamed")).to_be_focused()
    keyboard.press("Control+Shift+O")
    expect(window.composer).to_be_focused()
    expect(window.page).to_have_url(f"{window.url}/")
    keyboard.press("Control+b")
    expect(window.sidebar).to_be_hidden()
    keyboard.press("Control+b")
    expect(window.sidebar).to_be_visible()


def test_the_phone_layout(open_window: OpenWindow, site: Site, visitor: Visitor) -> None:
    conversation = site.exchange(
        visitor, "A question", "```\n" + "wide " * 60 + "\n```\n\n" + "word " * 400, title="On the phone"
    )
    window = open_window(f"/c/{conversation}", **PHONE)
    expect(window.answer).to_contain_text("word")
    page = window.page
    expect(window.sidebar).to_be_hidden()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    box = window.composer.bounding_box()
    assert box is not None
    assert 700 < box["y"] + box["height"] <= 844
    for button in page.get_by_role("button").all():
        size = button.bounding_box()
        if size and button.is_visible():
            assert min(size["width"], size["height"]) >= 24, button.get_attribute("aria-label")

    page.get_by_role("button", name="Open the list of conversations").tap()
    expect(window.row("On the phone")).to_be_visible()
    page.keyboard.press("Escape")
    expect(window.sidebar).to_be_hidden()
    viewport = page.locator("meta[name=viewport]").get_attribute("content") or ""
    for setting in ("interactive-widget=resizes-content", "viewport-fit=cover", "width=device-width"):
        assert setting in viewport
    assert "user-scalable=no" not in viewport
    assert "maximum-scale" not in viewport


@pytest.mark.parametrize("turned", [False, True], ids=["upright", "on its side"])
def test_nothing_lies_under_a_notch_or_a_round_corner(
    open_window: OpenWindow, site: Site, visitor: Visitor, turned: bool
) -> None:
    conversation = site.exchange(visitor, "A question", "word " * 400, title="On the phone")
    width, height = (844, 390) if turned else (390, 844)
    insets = {"top": 0, "left": 47, "right": 47, "bottom": 21} if turned else {"top": 59, "bottom": 34}
    window = open_window(f"/c/{conversation}", **PHONE | {"viewport": {"width": width, "height": height}})
    window.devtools().send("Emulation.setSafeAreaInsetsOverride", {"insets": insets})
    expect(window.answer).to_contain_text("word")
    page = window.page

    def assert_clear(*names: str) -> None:
        for name in names:
            box = page.get_by_role("button", name=name).or_(page.get_by_role("link", name=name)).last.bounding_box()
            assert box, name
            assert box["x"] >= insets.get("left", 0), name
            assert box["x"] + box["width"] <= width - insets.get("right", 0), name
            assert box["y"] >= insets["top"], name
            assert box["y"] + box["height"] <= height - insets["bottom"], name

    header = page.get_by_role("banner").bounding_box()
    assert header
    assert header["y"] == insets["top"]
    assert header["height"] == 56
    if not turned:
        assert_clear("New conversation", "Send", "Open the list")
        page.get_by_role("button", name="Open the list of conversations").tap()
        page.wait_for_function("() => document.getAnimations().length === 0")
        assert_clear("Close the list", "On the phone", "Account and settings")
        return
    assert_clear("Close the list", "On the phone", "Account and settings", "Send")
    question = window.questions.first.bounding_box()
    assert question
    assert question["x"] + question["width"] <= width - 47
    page.get_by_role("button", name="Close the list of conversations").tap()
    assert_clear("Open the list", "New conversation", "Send")


def test_the_drawer_has_the_focus_while_it_is_open(open_window: OpenWindow) -> None:
    window = open_window(**PHONE)
    page = window.page
    opener = page.get_by_role("button", name="Open the list of conversations")
    opener.press("Enter")
    page.wait_for_function("() => document.querySelector('nav').contains(document.activeElement)")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Close the list of conversations")).to_be_focused()
    page.keyboard.press("Escape")
    expect(opener).to_be_focused()


def test_a_phone_that_is_turned_with_the_drawer_open_can_be_used(open_window: OpenWindow) -> None:
    window = open_window(**PHONE)
    window.page.get_by_role("button", name="Open the list of conversations").tap()
    expect(window.sidebar).to_be_visible()
    window.page.set_viewport_size({"width": 844, "height": 390})
    window.composer.click()
    expect(window.composer).to_be_focused()


def test_the_on_screen_keyboard_leaves_the_composer_visible(
    open_window: OpenWindow, site: Site, visitor: Visitor
) -> None:
    conversation = site.exchange(visitor, "A question", "word " * 800)
    window = open_window(f"/c/{conversation}", **PHONE)
    window.composer.tap()
    window.page.set_viewport_size({"width": 390, "height": 480})  # what resizes-content does when it opens
    expect(window.composer).to_be_in_viewport(ratio=1)
    expect(window.page.get_by_role("button", name="Send")).to_be_in_viewport(ratio=1)


def test_reduced_motion(open_window: OpenWindow, site: Site) -> None:
    window = open_window(reduced_motion="reduce")
    site.answers(first=2)
    window.ask("Slowly")
    expect(window.answer).to_contain_text("Thinking")
    moving = window.page.evaluate(
        """document.getAnimations()
          .filter(({playState, effect}) => playState === "running" && effect.getTiming().duration > 10).length"""
    )
    assert moving == 0
    window.wait_for_end()


def test_it_can_be_installed(window: Window) -> None:
    address = window.page.locator("link[rel=manifest]").get_attribute("href")
    assert address
    manifest = window.page.request.get(address)
    assert manifest.ok
    facts = manifest.json()
    assert facts["display"] == "standalone"
    assert {icon["sizes"] for icon in facts["icons"]} >= {"192x192", "512x512"}
    for icon in facts["icons"]:
        answer = window.page.request.get(icon["src"])
        assert answer.ok
        assert answer.headers["content-type"].startswith(icon["type"])


def test_an_unknown_address_helps_on(open_window: OpenWindow) -> None:
    window = open_window("/nothing/here")
    expect(window.page.get_by_role("heading", name="This page does not exist")).to_be_visible()
    window.page.get_by_role("link", name="To the start page").click()
    expect(window.composer).to_be_visible()


@pytest.mark.parametrize(
    ("locale", "font"), [("en-US", "Inter"), ("ja-JP", "Noto Sans JP")], ids=["english", "japanese"]
)
@pytest.mark.parametrize("path", ["/nothing/here", "/sign-in"])
def test_every_page_has_the_fonts_of_its_language(open_window: OpenWindow, path: str, locale: str, font: str) -> None:
    devtools = (window := open_window(path, signed_in=False, locale=locale)).devtools()
    expect(window.page.locator("h1")).to_be_visible()
    for domain in ("DOM", "CSS"):
        devtools.send(f"{domain}.enable")

    def shown() -> str:
        root = devtools.send("DOM.getDocument")["root"]["nodeId"]
        node = devtools.send("DOM.querySelector", {"nodeId": root, "selector": "main p"})["nodeId"]
        return str(devtools.send("CSS.getPlatformFontsForNode", {"nodeId": node})["fonts"])

    deadline = time.monotonic() + 20
    while font not in (used := shown()):  # the Japanese one comes after the words
        assert time.monotonic() < deadline, used
        window.page.wait_for_timeout(50)


def test_a_list_that_cannot_be_loaded_helps_on(open_window: OpenWindow) -> None:
    window = open_window()
    window.page.route("**/api/conversations*", lambda route: route.fulfill(status=503, body="{}"))
    window.page.reload()
    expect(window.page.get_by_text("The list could not be loaded.")).to_be_visible(timeout=30_000)
    window.page.unroute("**/api/conversations*")
    window.page.get_by_role("button", name="Try again").click()
    expect(window.page.get_by_text("Conversations appear here")).to_be_visible()
