"""A picture of every page and state of the UI: `python -m tests.web.screenshots [FOLDER]`.

Without a folder they go to bench/screenshots.
"""

from __future__ import annotations

import re
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from playwright.sync_api import expect

from tests.stack.errors import StackError
from tests.web import chromium
from tests.web.answers import LONG_CODE, RICH
from tests.web.site import Site
from tests.web.test_breaking import BREAK, without_more_scripts
from tests.web.window import PHONE, Window

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Browser

    from tests.web.site import Visitor

QUESTION = "How do the seven days of a week relate to 168 hours? Show code, a formula and a diagram."
QUESTION_IN_JAPANESE = "一週間の七日と168時間の関係を、コードと数式と図で説明してください。"
DARK: dict[str, Any] = {"color_scheme": "dark"}
JAPANESE: dict[str, Any] = {"locale": "ja-JP"}
JAPANESE_MENU = "アカウントと設定"


class Camera:
    """Takes the pictures, each of a window of its own."""

    def __init__(self, site: Site, browser: Browser, folder: Path) -> None:
        self.site = site
        self.browser = browser
        self.folder = folder
        self.visitor = self._somebody_with_a_week_behind_them()

    def _somebody_with_a_week_behind_them(self) -> Visitor:
        visitor = self.site.visitor("Hanako")
        past = [
            ("吊り橋のしくみ", 0.2),
            ("A week in hours", 0.5),
            ("金沢一泊二日の旅", 26),
            ("Longest run in a list", 30),
            ("打ち合わせの日程変更", 75),
            ("Names for a grey cat", 100),
            ("Sourdough that does not rise", 150),
        ]
        weeks = [self.site.exchange(visitor, title, "…", title=title, age=age) for title, age in past]
        self.rich = self.site.exchange(visitor, QUESTION, RICH, title="Seven days in code", age=0.1)
        self.japanese = self.site.exchange(visitor, QUESTION_IN_JAPANESE, RICH, title="七日と168時間", age=0.05)
        self.code = self.site.exchange(visitor, "Show me long code.", LONG_CODE, title="Long code", age=1)
        self.old = self.site.exchange(
            visitor, "Will you forget?", "Tomorrow, yes.", title="Nearly gone", age=6 * 24 + 2
        )
        self.kept = [*weeks, self.rich, self.japanese, self.code, self.old]
        return visitor

    def shoot(self, name: str, path: str, prepare: Callable[[Window], object] | None = None, **options: object) -> None:
        """One picture of the page at `path` after `prepare` has been at it."""
        storage = None if path == "/sign-in" else self.visitor.storage(self.site.url)
        window = Window(self.browser, self.site.url, storage, options)
        window.go(path)
        expect(window.page.locator("h1, h2").first).to_be_attached()
        if prepare:
            prepare(window)
        window.page.wait_for_timeout(500)  # fonts, and what fades in
        window.page.screenshot(path=self.folder / f"{name}.png")
        window.close()
        kept = ",".join(str(conversation) for conversation in self.kept)  # what this picture's person did is undone
        self.site.rows(
            "DELETE FROM conversations WHERE user_id = :user AND id != ALL (string_to_array(:kept, ',')::uuid[])",
            user=self.visitor.id,
            kept=kept,
        )
        print(f"  {name}.png", flush=True)

    def shoot_all(self) -> None:
        """Every page and state."""
        for suffix, options in (("", {}), ("-dark", DARK), ("-japanese", JAPANESE), ("-phone", PHONE)):
            self.shoot(f"sign-in{suffix}", "/sign-in", **options)
            self.shoot(f"empty{suffix}", "/", _named, **options)
            path = f"/c/{self.japanese if options is JAPANESE else self.rich}"
            self.shoot(f"conversation{suffix}", path, _drawn, **options)
            self.shoot(f"streaming{suffix}", "/", self._stream, **options)
        self.shoot("conversation-start", f"/c/{self.rich}", _to_the_top)
        self.shoot("conversation-start-dark", f"/c/{self.rich}", _to_the_top, **DARK)
        self.shoot("long-code", f"/c/{self.code}")
        self.shoot("long-code-dark", f"/c/{self.code}", **DARK)
        self.shoot("long-code-phone", f"/c/{self.code}", **PHONE)
        self.shoot("error", "/", self._fail)
        self.shoot("error-dark", "/", self._fail, **DARK)
        self.shoot("error-phone-japanese", "/", self._fail, **PHONE, **JAPANESE)
        self.shoot("last-day", f"/c/{self.old}")
        self.shoot("missing", "/c/00000000-0000-4000-8000-000000000000")
        self.shoot("not-found", "/nothing/here")
        self.shoot("editing", f"/c/{self.old}", lambda window: window.composer.press("ArrowUp"))
        self.shoot("drawer-phone", f"/c/{self.old}", _open_drawer, **PHONE)
        self.shoot("settings", "/", lambda window: _open_sheet(window, 0))
        self.shoot("settings-dark", "/", lambda window: _open_sheet(window, 0), **DARK)
        self.shoot("shortcuts", "/", lambda window: _open_sheet(window, 1))
        self.shoot("delete-account", "/", _ask_to_delete)
        self.shoot("delete-all-phone", "/", _ask_to_delete_all, **PHONE)
        self.shoot(
            "settings-phone-japanese", "/", lambda window: _open_sheet(window, 0, JAPANESE_MENU), **PHONE, **JAPANESE
        )
        self.shoot("search", "/", lambda window: _search(window, "の", "吊り橋のしくみ"))
        self.shoot("search-nothing-dark", "/", lambda window: _search(window, "xyz", "Nothing found"), **DARK)
        self.shoot("menu", f"/c/{self.old}", lambda window: window.options("Nearly gone").click())
        self.shoot("thinking", "/", self._think)
        self.shoot("undo", f"/c/{self.old}", lambda window: window.choose("Names for a grey cat", "Delete"))
        self.shoot("unsent", f"/c/{self.old}", _lose)
        self.shoot("unsent-phone-japanese", f"/c/{self.old}", _lose, **PHONE, **JAPANESE)
        self.shoot("part-missing", "/", _want_what_cannot_be_loaded)
        self.shoot("part-missing-phone-japanese", "/", _want_what_cannot_be_loaded, **PHONE, **JAPANESE)
        self.shoot("broken", "/", _break)
        self.shoot("broken-alone", "/", _break_alone)

    def _stream(self, window: Window) -> None:
        self.site.answers(RICH, rate=40)
        window.ask(QUESTION)
        expect(window.answer.locator("blockquote")).to_be_attached()

    def _think(self, window: Window) -> None:
        self.site.answers("Well.", first=20)
        window.ask(QUESTION)
        expect(window.answer).to_contain_text("Thinking")

    def _fail(self, window: Window) -> None:
        self.site.answers(status=400)
        window.ask_and_wait("This will not work.")


def _lose(window: Window) -> None:
    failure = {"title": "No", "status": 500, "detail": "-"}
    window.page.route("**/api/messages", lambda route: route.fulfill(status=500, json=failure))
    for number, question in enumerate(("Are you there?", "And now?"), start=1):
        window.ask(question)
        expect(window.page.locator("article[data-status=unsent]")).to_have_count(number)


def _want_what_cannot_be_loaded(window: Window) -> None:
    without_more_scripts(window)
    if window.page.locator("#open-sidebar").is_visible():
        _open_drawer(window)
    window.page.get_by_role("button", name=re.compile("Account and settings|アカウントと設定")).click()
    expect(window.page.get_by_role("status").get_by_role("button")).to_be_visible()


def _break(window: Window) -> None:
    _named(window)
    window.page.evaluate(BREAK)
    window.row("Nearly gone").click()
    expect(window.page.get_by_role("button", name="Reload")).to_be_visible()


def _break_alone(window: Window) -> None:
    without_more_scripts(window)
    _break(window)


def _named(window: Window) -> None:
    expect(window.page.get_by_text("Hanako").first).to_be_attached()


def _drawn(window: Window) -> None:
    expect(window.answer.locator(".md-diagram")).to_be_attached()


def _to_the_top(window: Window) -> None:
    _drawn(window)
    window.questions.first.scroll_into_view_if_needed()


def _open_drawer(window: Window) -> None:
    window.page.locator("#open-sidebar").click()


def _open_sheet(window: Window, item: int, menu: str = "Account and settings") -> None:
    _named(window)
    if window.page.locator("#open-sidebar").is_visible():
        _open_drawer(window)
    window.page.get_by_role("button", name=menu).click()
    window.page.get_by_role("menuitem").nth(item).click()
    expect(window.page.get_by_role("dialog")).to_be_visible()


def _ask_to_delete(window: Window) -> None:
    _open_sheet(window, 0)
    window.page.get_by_role("button", name="Delete account").click()
    expect(window.page.get_by_role("alertdialog")).to_be_visible()


def _ask_to_delete_all(window: Window) -> None:
    _open_sheet(window, 0)
    window.page.get_by_role("button", name="Delete all conversations").click()
    expect(window.page.get_by_role("alertdialog")).to_be_visible()


def _search(window: Window, text: str, found: str) -> None:
    window.page.get_by_role("searchbox").fill(text)
    expect(window.sidebar.get_by_text(found).first).to_be_visible()


def main() -> None:
    folder = Path(sys.argv[1] if sys.argv[1:] else "bench/screenshots")
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with chromium.launched() as browser, tempfile.TemporaryDirectory() as data, Site(Path(data)) as site:
            Camera(site, browser, folder).shoot_all()
    except (FileNotFoundError, StackError) as error:
        sys.exit(str(error))
    print(f"The pictures are in {folder}")


if __name__ == "__main__":
    main()
