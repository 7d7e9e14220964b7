"""Lose nothing: reloads, closed tabs, lost networks, several tabs, drafts, cut streams, functions that wake up."""

from __future__ import annotations

import contextlib
import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import expect

if TYPE_CHECKING:
    from playwright.sync_api import Route

    from tests.web.conftest import OpenWindow
    from tests.web.site import Site, Visitor
    from tests.web.window import Window

LAST = "word 119"
COUNTED = " ".join(f"word {number}" for number in range(120))


def test_a_reload_in_mid_answer_goes_on_with_it(window: Window, site: Site) -> None:
    site.answers(COUNTED, rate=60)
    window.ask("Count")
    expect(window.answer).to_contain_text("word 20")
    window.page.reload()
    expect(window.answer).to_contain_text("word 20")
    expect(window.answer).to_have_attribute("data-status", "streaming")
    window.wait_for_end()
    assert window.answer.locator(".md").inner_text() == COUNTED
    expect(window.questions).to_have_count(1)


@pytest.mark.parametrize(
    ("locale", "said", "stop"),
    [("en-US", "Thinking…", "Stop answering"), ("ja-JP", "考えています…", "回答を止める")],
)
def test_a_reload_before_the_first_word_says_that_it_will_come(
    open_window: OpenWindow, site: Site, locale: str, said: str, stop: str
) -> None:
    window = open_window(locale=locale)
    site.answers("Well, then.", first=6)
    window.ask("Think")
    expect(window.answer).to_contain_text(said)
    window.page.reload()
    expect(window.answer).to_contain_text(said)
    expect(window.page.get_by_role("button", name=stop)).to_be_visible()
    expect(window.answer).to_contain_text("Well, then.")
    window.wait_for_end()


def test_between_two_connections_an_answer_is_not_blank(window: Window, site: Site) -> None:
    window.ask_and_wait("Hello")
    conversation = window.page.url.rsplit("/", 1)[1]
    site.rows(
        "UPDATE messages SET status = 'streaming', text = '', saved_at = now() "
        "WHERE role = 'assistant' AND conversation_id = :id",
        id=conversation,
    )
    blank = "() => document.querySelector('article[data-status=streaming]')?.innerText.trim() === 'Nanoka'"
    window.page.route(re.compile(r"/api/messages/[^/]+/stream$"), lambda route: route.fulfill(status=204))
    window.page.reload()
    expect(window.answer).to_contain_text("Thinking…")
    for _ in range(20):
        assert not window.page.evaluate(blank)
        window.page.wait_for_timeout(50)


def test_a_closed_tab_loses_no_answer(window: Window, site: Site) -> None:
    site.answers(COUNTED, rate=120)
    window.ask("Count")
    expect(window.answer).to_contain_text("word 5")
    address = window.page.url
    window.page.close()
    other = window.tab(address)
    expect(other.answer).to_contain_text(LAST, timeout=15_000)
    assert other.answer.locator(".md").inner_text() == COUNTED


def test_the_network_goes_and_comes_back_in_mid_answer(window: Window, site: Site) -> None:
    site.answers(COUNTED, rate=40)
    window.ask("Count")
    expect(window.answer).to_contain_text("word 10")
    site.line.cut()
    expect(window.answer).to_contain_text("Reconnecting")
    site.line.mend()
    expect(window.answer).to_contain_text(LAST, timeout=20_000)
    window.wait_for_end()
    assert window.answer.locator(".md").inner_text() == COUNTED


def test_a_question_sent_without_network_is_kept_and_sent_again(window: Window, site: Site) -> None:
    site.line.cut()
    window.ask("Are you there?")
    expect(window.page.get_by_text("Sending…").or_(window.page.get_by_text("Waking up")).first).to_be_visible()
    site.line.mend()
    expect(window.answer).to_contain_text("You said: Are you there?", timeout=20_000)
    window.wait_for_end()
    expect(window.questions).to_have_count(1)


def test_a_question_asked_before_its_conversation_is_loaded_joins_it(
    open_window: OpenWindow, site: Site, visitor: Visitor
) -> None:
    conversation = site.exchange(visitor, "First", "One.", title="Earlier")
    window = open_window()
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    window.page.route(f"**/api/conversations/{conversation}", hold, times=1)
    window.row("Earlier").click()
    site.answers(COUNTED, rate=60)
    window.ask("Second")
    expect(window.answer).to_contain_text("word 5")
    held[0].continue_()
    window.wait_for_end()
    expect(window.questions).to_contain_text(["First", "Second"])
    assert window.answer.locator(".md").inner_text() == COUNTED
    assert site.rows(
        "SELECT text FROM messages WHERE conversation_id = :id AND role = 'assistant' ORDER BY created_at",
        id=conversation,
    ) == [["One."], [COUNTED]]
    window.page.reload()
    expect(window.questions).to_contain_text(["First", "Second"])


def test_two_tabs_show_the_same_conversation(window: Window, site: Site) -> None:
    window.ask_and_wait("One")
    other = window.tab(window.page.url)
    expect(other.questions).to_have_count(1)
    other.ask_and_wait("Two")
    window.page.bring_to_front()
    expect(window.questions).to_have_count(2, timeout=15_000)
    expect(window.answers).to_have_count(2, timeout=15_000)
    expect(window.answer).to_contain_text("You said: Two", timeout=15_000)


@pytest.mark.parametrize("away", ["offline", "elsewhere"])
def test_who_comes_back_sees_what_happened_meanwhile(
    open_window: OpenWindow, site: Site, visitor: Visitor, away: str
) -> None:
    """The network comes back, or the person does, to a tab that was hidden for more than ten seconds."""
    conversation = site.exchange(visitor, "First", "One.", title="Before")
    ((first,),) = site.rows(
        "SELECT id FROM messages WHERE conversation_id = :id AND role = 'assistant'", id=conversation
    )
    window = open_window(f"/c/{conversation}")
    window.page.clock.install()
    window.page.reload()
    expect(window.answer).to_contain_text("One.")
    window.page.wait_for_load_state("networkidle")

    def hide(hidden: bool) -> None:
        window.page.evaluate(
            """hidden => {
              Object.defineProperty(document, "hidden", {value: hidden, configurable: true});
              document.dispatchEvent(new Event("visibilitychange"));
            }""",
            hidden,
        )

    asked = window.calls(f"/api/conversations/{conversation}")
    hide(True)
    window.page.clock.fast_forward(5000)
    hide(False)  # so soon that nothing is asked
    window.page.wait_for_load_state("networkidle")
    assert window.calls(f"/api/conversations/{conversation}") == asked

    site.add(conversation, "Second", "Two.", parent=first)
    site.exchange(visitor, "Other", "Words.", title="Meanwhile")
    if away == "offline":
        window.context.set_offline(True)
        window.context.set_offline(False)
    else:
        hide(True)
        window.page.clock.fast_forward(11_000)
        hide(False)
    expect(window.answer).to_contain_text("Two.")
    expect(window.row("Meanwhile")).to_be_visible()


def test_a_first_question_that_cannot_be_sent_stays_where_it_was_asked(window: Window) -> None:
    window.page.route(
        "**/api/messages", lambda route: route.fulfill(status=500, json={"title": "No", "status": 500, "detail": "-"})
    )
    window.ask("Are you there?")
    expect(window.page.get_by_text("This message was not sent.")).to_be_visible()
    expect(window.page.get_by_role("alert").filter(has_text="Something went wrong on our side.")).to_be_visible()
    window.context.set_offline(True)
    window.context.set_offline(False)
    window.page.wait_for_load_state("networkidle")
    expect(window.questions).to_contain_text("Are you there?")
    window.ask("And now?")
    expect(window.page.get_by_text("This message was not sent.")).to_have_count(2)
    expect(window.page.get_by_role("group", name="Version 1 of")).to_have_count(0)
    window.page.reload()
    expect(window.questions).to_contain_text(["Are you there?", "And now?"])

    window.page.unroute("**/api/messages")
    window.page.get_by_role("button", name="Try again").first.click()
    expect(window.answer).to_contain_text("You said: Are you there?")
    window.wait_for_end()
    window.page.get_by_role("button", name="Try again").click()
    expect(window.answer).to_contain_text("You said: And now?")
    window.wait_for_end()
    window.page.reload()
    expect(window.questions).to_contain_text(["Are you there?", "And now?"])


def test_two_tabs_watch_the_same_answer(window: Window, site: Site) -> None:
    site.answers(COUNTED, rate=40)
    window.ask("Count")
    expect(window.answer).to_contain_text("word 5")
    other = window.tab(window.page.url)
    expect(other.answer).to_have_attribute("data-status", "streaming")
    for tab in (window, other):
        tab.page.bring_to_front()
        tab.wait_for_end()
        assert tab.answer.locator(".md").inner_text() == COUNTED


def test_a_draft_survives_a_reload_and_belongs_to_its_conversation(window: Window) -> None:
    window.ask_and_wait("Hello")
    window.composer.fill("half a thought")
    window.page.reload()
    expect(window.composer).to_have_value("half a thought")
    window.page.get_by_role("button", name="New conversation").first.click()
    expect(window.composer).to_have_value("")
    window.page.go_back()
    expect(window.composer).to_have_value("half a thought")


def test_a_stream_without_finish_is_shown_as_cut_off_with_retry(window: Window, site: Site) -> None:
    # What Knative does to a stream that is too long: its own words in the body, which then ends whole.
    start = 'data: {"type":"start","messageId":"6b0c4d0e-1f1e-4a4e-9d7d-5f4c3b2a1908"}\n\n'
    begin = 'data: {"type":"start-step"}\n\ndata: {"type":"text-start","id":"t"}\n\n'
    words = 'data: {"type":"text-delta","id":"t","delta":"Half an answer"}\n\nactivator request timeout'

    def cut(route: Route) -> None:
        route.fulfill(
            status=200,
            headers={"content-type": "text/event-stream", "x-vercel-ai-ui-message-stream": "v1"},
            body=start + begin + words,
        )

    window.page.route("**/api/messages", cut)
    window.page.route(re.compile(r"/api/messages/[^/]+/stream$"), lambda route: route.abort())
    window.ask("Be cut")
    expect(window.answer).to_contain_text("Half an answer")
    expect(window.answer).not_to_contain_text("activator")
    expect(window.answer).to_have_attribute("data-status", "cut", timeout=60_000)
    expect(window.answer).to_contain_text("cut before the answer ended")
    expect(window.answer.get_by_role("button", name="Try again")).to_be_visible()


def test_an_answer_whose_pod_died_is_shown_as_interrupted_with_retry(window: Window, site: Site) -> None:
    window.ask_and_wait("Hello")
    conversation = window.page.url.rsplit("/", 1)[1]
    site.rows(
        "UPDATE messages SET status = 'interrupted' WHERE role = 'assistant' AND conversation_id = :id",
        id=conversation,
    )
    window.page.reload()
    expect(window.answer).to_have_attribute("data-status", "interrupted")
    expect(window.answer).to_contain_text("The answer was interrupted.")
    site.answers("Whole now.")
    window.answer.get_by_role("button", name="Try again").click()
    expect(window.answer).to_contain_text("Whole now.")


@pytest.mark.parametrize("seconds", [0, 4])
def test_answering_again_over_a_broken_line_asks_once(window: Window, site: Site, seconds: float) -> None:
    """The reply is lost when the answer is whole (0), or while it is being thought about."""
    window.ask_and_wait("Question")
    site.answers("Second version.", first=seconds)
    asked = len(site.model.requests)

    def lose(route: Route) -> None:
        with contextlib.suppress(PlaywrightError):
            route.fetch(timeout=1500)
        route.abort()

    window.page.route("**/api/messages", lose, times=1)
    window.page.get_by_role("button", name="Answer again").click()
    expect(window.answer).to_contain_text("Second version.")
    window.wait_for_end()
    expect(window.page.get_by_role("group", name="Version 2 of 2")).to_be_visible()
    expect(window.page.locator(".text-danger")).to_have_count(0)
    assert sum(not request["title"] for request in site.model.requests[asked:]) == 1
    assert window.calls("/api/messages") == 2  # Playwright's own fetch is no request of the page


def test_waking_up_is_said_honestly(window: Window) -> None:
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    window.page.route("**/api/messages", hold)
    window.ask("Good morning")
    expect(window.answer).to_contain_text("Waking up")
    held[0].continue_()
    expect(window.answer).to_contain_text("You said: Good morning")
    window.wait_for_end()


def test_opening_the_page_wakes_the_functions(open_window: OpenWindow) -> None:
    window = open_window()
    expect(window.composer).to_be_focused()
    expect(window.page.get_by_role("button", name="Account and settings")).to_contain_text("Hanako")
    for path in ("/api/messages/ready", "/api/auth/me", "/api/conversations"):
        assert window.calls(path) == 1, path
