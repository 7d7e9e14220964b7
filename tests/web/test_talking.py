"""Talk: write, read without being pushed about, stop, ask again, edit, walk between versions, copy, retry."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.web.answers import RICH
from tests.web.window import PHONE

if TYPE_CHECKING:
    from tests.web.conftest import OpenWindow
    from tests.web.site import Site, Visitor
    from tests.web.window import Window

SCROLLER = "document.querySelector('article').closest('.overflow-y-auto')"
LONG = "\n\n".join(f"Paragraph {number} of an answer that is long enough to scroll." for number in range(60))


def height(window: Window) -> float:
    box = window.composer.bounding_box()
    assert box is not None
    return box["height"]


def scrolled_to(window: Window) -> float:
    """Pixels above what is shown, once these are the same for 15 frames: wheels and keys scroll smoothly."""
    return float(
        window.page.evaluate(
            f"""async () => {{
              const scroller = {SCROLLER};
              let pixels = scroller.scrollTop;
              let still = 0;
              while (still < 15) {{
                await new Promise(requestAnimationFrame);
                still = scroller.scrollTop === pixels ? still + 1 : 0;
                pixels = scroller.scrollTop;
              }}
              return pixels;
            }}"""
        )
    )


def test_the_composer_has_the_focus_and_grows(window: Window) -> None:
    expect(window.composer).to_be_focused()
    one_line = height(window)
    window.page.keyboard.type("first")
    for line in range(3):
        window.page.keyboard.press("Shift+Enter")
        window.page.keyboard.type(f"line {line}")
    assert height(window) > one_line + 40
    expect(window.composer).to_have_value("first\nline 0\nline 1\nline 2")
    assert window.calls("/api/messages") == 0


def test_enter_sends_and_the_focus_stays(window: Window) -> None:
    window.ask_and_wait("What is a week?")
    expect(window.questions).to_have_text(re.compile("What is a week"))
    expect(window.answer).to_contain_text("You said: What is a week?")
    expect(window.composer).to_have_value("")
    expect(window.composer).to_be_focused()
    expect(window.page).to_have_url(re.compile(r"/c/[0-9a-f-]{36}$"))
    expect(window.row("Seven quiet days")).to_be_visible()


def test_an_empty_message_is_not_sent_and_one_too_long_says_so(window: Window) -> None:
    window.ask("   ")
    window.composer.fill("x" * 32_001)
    expect(window.page.get_by_text("1 character too many")).to_be_visible()
    window.composer.press("Enter")
    assert window.calls("/api/messages") == 0


def test_an_answer_streams_word_by_word(window: Window, site: Site) -> None:
    site.answers(rate=20, words=60)
    window.ask("Go on")
    expect(window.answer).to_contain_text("You said")
    first = len(window.answer.inner_text())
    expect(window.answer).to_have_attribute("data-status", "streaming")
    window.page.wait_for_function(
        "before => document.querySelector('article[data-role=assistant]').innerText.length > before + 40", arg=first
    )
    expect(window.answer).to_have_attribute("data-status", "streaming")
    window.wait_for_end()


def test_what_is_being_read_does_not_move(window: Window, site: Site) -> None:
    site.answers(LONG, rate=100)
    window.ask("Write a lot")
    expect(window.answer).to_contain_text("Paragraph 25")
    window.page.mouse.move(700, 300)
    window.page.mouse.wheel(0, -400)
    expect(window.jump).to_be_visible()
    before = scrolled_to(window)
    expect(window.answer).to_contain_text("Paragraph 40")
    assert window.page.evaluate(f"{SCROLLER}.scrollTop") == pytest.approx(before, abs=1)

    window.jump.click()
    expect(window.jump).to_have_count(0)
    window.wait_for_end()
    distance = window.page.evaluate(f"(e => e.scrollHeight - e.clientHeight - e.scrollTop)({SCROLLER})")
    assert distance < 48


@pytest.mark.parametrize("by", ["wheel", "key"])
def test_a_small_step_up_lets_go_of_the_end(window: Window, site: Site, by: str) -> None:
    site.answers(LONG, rate=60)
    window.ask("Write a lot")
    expect(window.answer).to_contain_text("Paragraph 20")
    if by == "wheel":
        window.page.mouse.move(700, 300)
        for _ in range(3):
            window.page.mouse.wheel(0, -8)
            window.page.wait_for_timeout(60)
    else:
        window.page.evaluate(f"{SCROLLER}.focus()")
        window.page.keyboard.press("ArrowUp")
    expect(window.jump).to_be_visible()
    before = scrolled_to(window)
    expect(window.answer).to_contain_text("Paragraph 35")
    assert window.page.evaluate(f"{SCROLLER}.scrollTop") == pytest.approx(before, abs=1)


def test_the_end_is_followed_while_one_is_there(window: Window, site: Site) -> None:
    site.answers(LONG, rate=200)
    window.ask("Write a lot")
    expect(window.answer).to_contain_text("Paragraph 40")
    distance = window.page.evaluate(f"(e => e.scrollHeight - e.clientHeight - e.scrollTop)({SCROLLER})")
    assert distance < 80
    expect(window.jump).to_have_count(0)


def test_the_end_stays_in_view_when_the_page_gets_wider(open_window: OpenWindow, site: Site, visitor: Visitor) -> None:
    conversation = site.exchange(visitor, "Show me", RICH)
    window = open_window(f"/c/{conversation}", **PHONE | {"viewport": {"width": 844, "height": 390}})
    # A notch makes it so narrow that texts and pictures change their height by different amounts.
    window.devtools().send("Emulation.setSafeAreaInsetsOverride", {"insets": {"left": 47, "right": 47, "bottom": 21}})
    expect(window.answer.locator(".md-diagram")).to_be_visible()
    window.page.wait_for_timeout(200)
    for name in ("Close", "Open"):
        window.page.get_by_role("button", name=f"{name} the list of conversations").click()
        window.page.wait_for_timeout(200)  # longer than it takes to lay the page out anew
        expect(window.jump).to_have_count(0)
        assert window.page.evaluate(f"(e => e.scrollHeight - e.clientHeight - e.scrollTop)({SCROLLER})") < 2


def test_stop_keeps_what_was_written(window: Window, site: Site) -> None:
    site.answers(rate=20, words=400)
    window.ask("Go on")
    expect(window.answer).to_contain_text("You said")
    window.stop_button.click()
    expect(window.answer).to_have_attribute("data-status", "stopped", timeout=3000)
    expect(window.answer).to_contain_text("You stopped this answer.")
    text = window.answer.locator(".md").inner_text()
    window.page.reload()
    expect(window.answer.locator(".md")).to_have_text(text)
    expect(window.page.get_by_role("button", name="Send")).to_be_visible()


def test_a_double_click_on_send_does_not_stop_the_answer(window: Window, site: Site) -> None:
    site.answers(rate=40, words=60)
    window.composer.fill("Go on")
    window.page.get_by_role("button", name="Send").dblclick()
    window.wait_for_end()
    expect(window.answer).to_have_attribute("data-status", "complete")


def test_escape_stops_the_answer_wherever_one_is(window: Window, site: Site) -> None:
    site.answers(rate=20, words=400)
    window.ask("Go on")
    expect(window.answer).to_contain_text("You said")
    window.row("Seven quiet days").focus()
    window.page.keyboard.press("Escape")
    expect(window.answer).to_have_attribute("data-status", "stopped", timeout=3000)


def test_regenerate_makes_a_version_and_one_walks_between_them(window: Window, site: Site) -> None:
    site.answers("First version.")
    window.ask_and_wait("Question")
    site.answers("Second version.")
    window.page.get_by_role("button", name="Answer again").click()
    expect(window.answer).to_contain_text("Second version.")
    window.wait_for_end()
    expect(window.page.get_by_role("group", name="Version 2 of 2")).to_be_visible()
    window.page.get_by_role("button", name="Previous version").click()
    expect(window.answer).to_contain_text("First version.")
    window.page.get_by_role("button", name="Next version").click()
    expect(window.answer).to_contain_text("Second version.")
    assert window.answers.count() == 1


def test_edit_and_resend_makes_a_branch(window: Window) -> None:
    window.ask_and_wait("What is red?")
    window.ask_and_wait("And then?")
    window.questions.first.hover()
    window.page.get_by_role("button", name="Edit message").first.click()
    window.page.get_by_role("textbox", name="Edit your message").fill("What is blue?")
    window.page.keyboard.press("Enter")
    expect(window.answer).to_contain_text("What is blue?")
    window.wait_for_end()
    expect(window.questions).to_have_count(1)

    window.page.get_by_role("button", name="Previous version").click()
    expect(window.questions).to_have_count(2)
    expect(window.questions.first).to_contain_text("What is red?")
    window.page.reload()
    expect(window.questions).to_contain_text(["What is blue?"])  # the newest branch
    expect(window.page.get_by_role("group", name="Version 2 of 2")).to_be_visible()


def test_copies_a_message_and_a_code_block(open_window: OpenWindow, site: Site) -> None:
    window = open_window(permissions=["clipboard-read", "clipboard-write"])
    site.answers("Look:\n\n```python\nprint('七')\n```\n\n**Done.**")
    window.ask_and_wait("Code, please")
    window.answer.get_by_role("button", name="Copy", exact=True).click()
    expect(window.answer.get_by_role("button", name="Copied")).to_be_visible()
    assert window.page.evaluate("navigator.clipboard.readText()") == "print('七')"
    window.answer.get_by_role("button", name="Copy message").click()
    expect(window.spoken).to_contain_text("Copied")
    assert window.page.evaluate("navigator.clipboard.readText()").endswith("**Done.**")


def test_a_failed_answer_says_why_and_can_be_retried(window: Window, site: Site) -> None:
    site.answers(status=400)
    window.ask_and_wait("Fail, please")
    expect(window.answer).to_have_attribute("data-status", "failed")
    expect(window.answer).to_contain_text("The answer failed.")
    site.answers("Better now.")
    window.answer.get_by_role("button", name="Try again").click()
    expect(window.answer).to_contain_text("Better now.")
    window.wait_for_end()
    expect(window.answer).to_have_attribute("data-status", "complete")


def test_an_example_question_starts_a_conversation(window: Window) -> None:
    window.page.get_by_role("list", name="Example questions").get_by_role("button").first.click()
    expect(window.composer).to_be_focused()
    expect(window.composer).not_to_have_value("")
