"""Find things: by day, by words, rename, delete with a way back, delete all, export, how long each lives, scrolling."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

if TYPE_CHECKING:
    from playwright.sync_api import Request, Route

    from tests.web.conftest import OpenWindow
    from tests.web.site import Site, Visitor
    from tests.web.window import Window


def test_conversations_stand_by_day(open_window: OpenWindow, site: Site, visitor: Visitor) -> None:
    for title, age in (("New", 0.0), ("Old", 72.0)):
        site.exchange(visitor, "Q", "A", title=title, age=age)
    window = open_window()
    today = window.sidebar.get_by_role("region", name="Today")
    expect(today.get_by_role("link", name="New")).to_be_visible()
    expect(window.row("Old")).to_be_visible()
    expect(today.get_by_role("link", name="Old")).to_have_count(0)
    expect(window.sidebar.get_by_role("heading")).to_have_count(2)


def test_search_as_one_types_in_titles_and_texts(open_window: OpenWindow, site: Site, visitor: Visitor) -> None:
    site.exchange(visitor, "橋の話", "吊り橋は主ケーブルで支えます。", title="橋について")
    site.exchange(visitor, "Rivers", "They flow to the SEA.", title="Water")
    window = open_window()
    search = window.page.locator("#search")
    search.fill("ケーブル")
    expect(window.row("Water")).to_have_count(0)
    expect(window.row("橋について")).to_be_visible()
    search.fill("sea")
    expect(window.row("Water")).to_be_visible()
    expect(window.row("橋について")).to_have_count(0)
    search.fill("nothing like it")
    expect(window.page.get_by_text("Nothing found for")).to_be_visible()
    window.page.get_by_role("button", name="Clear the search").click()
    expect(window.row("橋について")).to_be_visible()
    expect(search).to_be_focused()


def test_rename_in_place(open_window: OpenWindow, site: Site, visitor: Visitor) -> None:
    conversation = site.exchange(visitor, "Q", "A", title="Before")
    window = open_window()
    window.choose("Before", "Rename")
    expect(window.page.get_by_role("textbox", name="Title of the conversation")).to_be_focused()
    window.page.keyboard.type("After")
    window.page.keyboard.press("Enter")
    expect(window.row("After")).to_be_focused()
    window.page.reload()
    expect(window.row("After")).to_be_visible()
    assert site.rows("SELECT title FROM conversations WHERE id = :id", id=conversation) == [["After"]]


def test_escape_leaves_the_title_as_it_was(open_window: OpenWindow, site: Site, visitor: Visitor) -> None:
    site.exchange(visitor, "Q", "A", title="Before")
    window = open_window()
    window.choose("Before", "Rename")
    expect(window.page.get_by_role("textbox", name="Title of the conversation")).to_be_focused()
    window.page.keyboard.type("After")
    window.page.keyboard.press("Escape")
    expect(window.row("Before")).to_be_focused()


def deletions(window: Window) -> list[str]:
    """The requests to delete something, from now on."""
    found: list[str] = []

    def note(request: Request) -> None:
        if request.method == "DELETE":
            found.append(request.url)

    window.page.on("request", note)
    return found


def own_clock(window: Window) -> None:
    """Let the page's time be the test's, so that nobody need wait for it."""
    window.page.clock.install()
    window.page.reload()


def test_delete_can_be_undone(open_window: OpenWindow, site: Site, visitor: Visitor) -> None:
    conversation = site.exchange(visitor, "Q", "A", title="Precious")
    window = open_window(f"/c/{conversation}")
    own_clock(window)
    expect(window.answer).to_contain_text("A")
    deleted = deletions(window)
    window.choose("Precious", "Delete")
    expect(window.row("Precious")).to_have_count(0)
    window.page.get_by_role("button", name="Undo").click()
    expect(window.row("Precious")).to_be_visible()
    expect(window.answer).to_contain_text("A")
    window.page.mouse.move(700, 400)  # a pointer on the notice would hold its time
    window.page.clock.fast_forward(60_000)
    expect(window.row("Precious")).to_be_visible()
    assert deleted == []
    assert site.rows("SELECT count(*) FROM conversations WHERE id = :id", id=conversation) == [[1]]


def test_delete_can_be_undone_by_keyboard(open_window: OpenWindow, site: Site, visitor: Visitor) -> None:
    for title in ("One", "Two"):
        site.exchange(visitor, "Q", "A", title=title)
    window = open_window()
    own_clock(window)
    deleted = deletions(window)
    keyboard = window.page.keyboard

    def remove() -> None:
        window.options("Two").focus()
        keyboard.press("Enter")
        window.page.get_by_role("menuitem", name="Delete").press("Enter")
        expect(window.row("Two")).to_have_count(0)
        expect(window.row("One")).to_be_focused()

    remove()
    keyboard.press("Control+z")
    expect(window.row("Two")).to_be_focused()
    remove()
    undo = window.page.get_by_role("button", name="Undo")
    undo.focus()
    window.page.clock.fast_forward(60_000)  # as long as somebody needs who goes there by the Tab key
    undo.press("Enter")
    expect(window.row("Two")).to_be_focused()
    assert deleted == []


def test_who_goes_back_to_what_is_being_deleted_finds_nothing(
    open_window: OpenWindow, site: Site, visitor: Visitor
) -> None:
    conversation = site.exchange(visitor, "Q", "A", title="Gone")
    window = open_window(f"/c/{conversation}")
    expect(window.answer).to_contain_text("A")
    window.choose("Gone", "Delete")
    expect(window.composer).to_be_visible()
    window.page.go_back()
    expect(window.page.get_by_text("This conversation is not here")).to_be_visible()
    expect(window.composer).to_have_count(0)
    window.page.get_by_role("button", name="Undo").click()
    expect(window.answer).to_contain_text("A")
    window.ask_and_wait("Still there?")


def test_what_another_tab_deletes_is_gone_here(open_window: OpenWindow, site: Site, visitor: Visitor) -> None:
    conversation = site.exchange(visitor, "Q", "A", title="Gone")
    window = open_window(f"/c/{conversation}")
    expect(window.answer).to_contain_text("A")
    other = window.tab()
    own_clock(other)
    other.choose("Gone", "Delete")
    expect(other.row("Gone")).to_have_count(0)
    other.page.clock.fast_forward(10_000)
    expect(window.page.get_by_text("This conversation is not here")).to_be_visible()
    expect(window.composer).to_have_count(0)
    expect(window.row("Gone")).to_have_count(0)


def test_closing_the_page_deletes_at_once(open_window: OpenWindow, site: Site, visitor: Visitor) -> None:
    conversation = site.exchange(visitor, "Q", "A", title="Gone")
    window = open_window()
    window.choose("Gone", "Delete")
    expect(window.row("Gone")).to_have_count(0)
    with window.page.expect_event("close"):
        window.page.close(run_before_unload=True)
    deadline = time.monotonic() + 5  # sooner than it would have been deleted otherwise
    while site.rows("SELECT count(*) FROM conversations WHERE id = :id", id=conversation) != [[0]]:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_delete_happens_when_it_is_not_undone(open_window: OpenWindow, site: Site, visitor: Visitor) -> None:
    conversation = site.exchange(visitor, "Q", "A", title="Gone")
    window = open_window()
    with window.page.expect_response(
        lambda response: response.request.method == "DELETE" and str(conversation) in response.url, timeout=15_000
    ) as answer:
        window.choose("Gone", "Delete")
    assert answer.value.status == 204
    assert site.rows("SELECT count(*) FROM messages WHERE conversation_id = :id", id=conversation) == [[0]]
    expect(window.page.get_by_role("button", name="Undo")).to_have_count(0)


def test_delete_all_after_a_confirmation(open_window: OpenWindow, site: Site, visitor: Visitor) -> None:
    for title in ("One", "Two"):
        site.exchange(visitor, "Q", "A", title=title)
    window = open_window()
    expect(window.row("Two")).to_be_visible()
    window.page.get_by_role("button", name="Account and settings").click()
    window.page.get_by_role("menuitem", name="Settings").click()
    window.page.get_by_role("button", name="Delete all conversations").click()
    window.page.get_by_role("alertdialog").get_by_role("button", name="Delete all conversations").click()
    expect(window.page.get_by_text("All conversations are deleted.")).to_be_visible()
    expect(window.row("Two")).to_have_count(0)
    assert site.rows("SELECT count(*) FROM conversations WHERE user_id = :id", id=visitor.id) == [[0]]


@pytest.mark.parametrize("form", ["Markdown", "JSON"])
def test_export(open_window: OpenWindow, site: Site, visitor: Visitor, form: str) -> None:
    site.exchange(visitor, "七とは？", "**七**は数です。", title="七")
    window = open_window()
    with window.page.expect_download() as download:
        window.choose("七", f"Export as {form}")
    text = Path(download.value.path()).read_text("utf-8")
    if form == "JSON":
        assert [message["text"] for message in json.loads(text)["messages"]] == ["七とは？", "**七**は数です。"]
    else:
        assert "七とは？" in text
        assert "**七**は数です。" in text


def test_each_conversation_says_how_long_it_lives(open_window: OpenWindow, site: Site, visitor: Visitor) -> None:
    conversation = site.exchange(visitor, "Q", "A", title="Four days old", age=4 * 24 + 1)
    window = open_window(f"/c/{conversation}")
    expect(window.page.get_by_role("banner").get_by_text("Deleted in 3 days")).to_be_visible()
    expect(window.row("Four days old")).to_contain_text("Deleted in 3 days")
    expect(window.page.get_by_text("This conversation will be deleted")).to_have_count(0)


def test_the_last_day_has_a_note(open_window: OpenWindow, site: Site, visitor: Visitor) -> None:
    conversation = site.exchange(visitor, "Q", "A", title="Old", age=6 * 24 + 3)
    window = open_window(f"/c/{conversation}")
    expect(window.page.get_by_text("This conversation will be deleted")).to_be_visible()
    expect(window.page.get_by_role("banner").get_by_text("Deleted in 20 hours")).to_be_visible()


def test_what_has_expired_is_not_here(open_window: OpenWindow, site: Site, visitor: Visitor) -> None:
    conversation = site.exchange(visitor, "Q", "A", title="Expired", age=7 * 24 + 1)
    window = open_window(f"/c/{conversation}")
    expect(window.page.get_by_text("This conversation is not here")).to_be_visible()
    expect(window.row("Expired")).to_have_count(0)
    window.page.get_by_role("button", name="Start a new conversation").click()
    expect(window.composer).to_be_visible()


def test_a_search_that_fails_shows_no_list_as_found(open_window: OpenWindow, site: Site, visitor: Visitor) -> None:
    site.exchange(visitor, "Q", "A", title="Not what is searched")
    window = open_window()
    expect(window.row("Not what is searched")).to_be_visible()
    window.page.route("**/api/conversations?*", lambda route: route.abort())
    window.page.locator("#search").fill("words")
    expect(window.sidebar.get_by_role("alert")).to_have_text("The list could not be loaded.")
    expect(window.row("Not what is searched")).to_have_count(0)
    window.page.unroute("**/api/conversations?*")
    window.sidebar.get_by_role("button", name="Try again").click()
    expect(window.page.get_by_text("Nothing found for")).to_be_visible()


def test_more_of_the_list_by_keyboard_keeps_the_focus(open_window: OpenWindow, site: Site, visitor: Visitor) -> None:
    for number in range(45):
        site.exchange(visitor, "Q", "A", title=f"Number {number:03}", age=number / 10)
    window = open_window()
    expect(window.row("Number 039")).to_be_attached()
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    window.page.route("**/api/conversations?*cursor=*", hold)
    more = window.sidebar.get_by_role("button", name="Load more")
    more.focus()
    more.press("Enter")
    expect(more).to_have_attribute("aria-disabled", "true")
    expect(more).to_be_focused()
    held[0].continue_()
    expect(more).to_have_count(0)
    expect(window.row("Number 040")).to_be_focused()


def test_the_list_goes_on_as_one_scrolls(open_window: OpenWindow, site: Site, visitor: Visitor) -> None:
    for number in range(95):
        site.exchange(visitor, "Q", "A", title=f"Number {number:03}", age=number / 10)
    window = open_window()
    expect(window.row("Number 000")).to_be_visible()
    expect(window.row("Number 094")).to_have_count(0)
    for _ in range(20):
        window.sidebar.get_by_role("link").last.scroll_into_view_if_needed()
        if window.row("Number 094").count():
            break
        window.page.wait_for_timeout(100)
    expect(window.row("Number 094")).to_be_attached()
    assert window.sidebar.get_by_role("link").count() == 95
