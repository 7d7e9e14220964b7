"""Enter that confirms a Japanese (or Chinese, Korean) conversion never sends, in every field."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.web.site import Site, Visitor
    from tests.web.window import Window

    Convert = Callable[[Window, str], None]

ENTER = {"key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 13}
PROCESS = {"key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 229}


def convert_as_chromium_does(window: Window, reading: str, text: str) -> None:
    """Type a reading, convert it, confirm with Enter: keydown (229, composing) comes before compositionend."""
    devtools = window.devtools()
    for end in range(1, len(reading) + 1):
        devtools.send("Input.imeSetComposition", {"text": reading[:end], "selectionStart": end, "selectionEnd": end})
    devtools.send("Input.imeSetComposition", {"text": text, "selectionStart": len(text), "selectionEnd": len(text)})
    devtools.send("Input.dispatchKeyEvent", {"type": "rawKeyDown", **PROCESS})
    devtools.send("Input.insertText", {"text": text})
    devtools.send("Input.dispatchKeyEvent", {"type": "keyUp", **ENTER})
    devtools.detach()


def convert_as_safari_does(window: Window, text: str) -> None:
    """The same with compositionend first: the keydown that follows is no longer composing, only 229 tells."""
    window.page.evaluate(
        """text => {
          const field = document.activeElement;
          const fire = event => field.dispatchEvent(event);
          fire(new CompositionEvent("compositionstart", {bubbles: true}));
          const prototype = Object.getPrototypeOf(field);
          Object.getOwnPropertyDescriptor(prototype, "value").set.call(field, field.value + text);
          fire(new InputEvent("input", {bubbles: true, data: text, inputType: "insertCompositionText"}));
          fire(new CompositionEvent("compositionend", {bubbles: true, data: text}));
          const enter = {key: "Enter", code: "Enter", bubbles: true, cancelable: true};
          fire(new KeyboardEvent("keydown", {...enter, keyCode: 229}));
          fire(new KeyboardEvent("keyup", {...enter, keyCode: 13}));
        }""",
        text,
    )


@pytest.fixture(params=["chromium", "safari"])
def convert(request: pytest.FixtureRequest) -> Convert:
    if request.param == "safari":
        return convert_as_safari_does
    return lambda window, text: convert_as_chromium_does(window, "にほんご", text)


def test_in_the_composer(window: Window, convert: Convert) -> None:
    expect(window.composer).to_be_focused()
    convert(window, "日本語")
    expect(window.composer).to_have_value("日本語")
    assert window.calls("/api/messages") == 0

    window.page.keyboard.press("Enter")  # and one that confirms nothing sends
    expect(window.questions).to_contain_text("日本語")
    expect(window.composer).to_have_value("")


def test_in_an_edited_question(window: Window, convert: Convert) -> None:
    window.ask_and_wait("Hello")
    asked = window.calls("/api/messages")
    window.questions.last.hover()
    window.page.get_by_role("button", name="Edit message").click()
    field = window.page.get_by_role("textbox", name="Edit your message")
    expect(field).to_be_focused()
    convert(window, "日本語")
    expect(field).to_have_value("Hello日本語")
    assert window.calls("/api/messages") == asked

    window.page.keyboard.press("Enter")
    expect(window.questions.last).to_contain_text("Hello日本語")
    window.wait_for_end()
    assert window.calls("/api/messages") == asked + 1


def test_in_a_title(site: Site, visitor: Visitor, window: Window, convert: Convert) -> None:
    site.exchange(visitor, "Q", "A", title="Title")
    window.page.reload()
    window.choose("Title", "Rename")
    field = window.page.get_by_role("textbox", name="Title of the conversation")
    expect(field).to_be_focused()
    window.page.keyboard.press("End")
    convert(window, "日本語")
    expect(field).to_have_value("Title日本語")

    window.page.keyboard.press("Enter")
    expect(field).to_have_count(0)
    expect(window.row("Title日本語")).to_be_visible()


def test_in_the_search(site: Site, visitor: Visitor, window: Window, convert: Convert) -> None:
    site.exchange(visitor, "日本語の質問", "答え", title="日本語の会話")
    site.exchange(visitor, "Other", "Other", title="Other")
    window.page.reload()
    expect(window.row("Other")).to_be_visible()
    window.page.locator("#search").focus()
    convert(window, "日本語")
    expect(window.row("Other")).to_have_count(0)
    expect(window.row("日本語の会話")).to_be_visible()
    # What was typed on the way to it was never searched for.
    assert not any("q=%E3%81%AB" in url for url in window.requests)
