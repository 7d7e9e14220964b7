"""One browser window on the site, with the words for what a person does in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from playwright.sync_api import expect

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, StorageState

DESKTOP = {"width": 1280, "height": 800}
PHONE: dict[str, Any] = {
    "viewport": {"width": 390, "height": 844},
    "device_scale_factor": 2,
    "has_touch": True,
    "is_mobile": True,
}
PATIENCE = 20_000
"""Milliseconds that anything may take on a machine that has much else to do."""
expect.set_options(timeout=PATIENCE)
VIOLATIONS = """
window.violations = [];
document.addEventListener("securitypolicyviolation", ({violatedDirective, blockedURI, sourceFile}) =>
  violations.push(`${violatedDirective}: ${blockedURI} in ${sourceFile}`));
"""


class Window:
    """A window with storage of its own. `tab()` opens another one beside it that shares the storage.

    Whatever a test waits for with `page.wait_for_function` is to be a function, `() => ...`: an expression is evaluated
    anew each time that it is asked, which the page's Content Security Policy forbids from the second time on.
    """

    def __init__(
        self, browser: Browser, url: str, storage: StorageState | None, options: dict[str, Any] | None = None
    ) -> None:
        defaults: dict[str, Any] = {"viewport": DESKTOP, "locale": "en-US", "color_scheme": "light"}
        self.url = url
        self.context = browser.new_context(base_url=url, storage_state=storage, **(defaults | (options or {})))
        self.context.set_default_timeout(PATIENCE)
        self.context.add_init_script(VIOLATIONS)
        self.problems: list[str] = []
        self.requests: list[str] = []
        self.allowed_origins = {url}
        self.context.on("request", lambda request: self.requests.append(request.url))
        self.context.on("weberror", lambda error: self.problems.append(f"uncaught: {error.error}"))
        self.context.on("console", self._listen)
        self.page = self.context.new_page()

    def _listen(self, message: Any) -> None:
        # A failed request is the business of the test that made it fail.
        failed_request = "Failed to load resource" in message.text or "net::" in message.text
        if "Content Security Policy" in message.text or (message.type == "error" and not failed_request):
            self.problems.append(f"console: {message.text}")

    def go(self, path: str) -> None:
        """Open a page. The chat is alive then: what is done to its exported HTML, before its scripts run, is lost.

        It asks for the list of conversations in the very effects that begin to listen for keys.
        """
        address = urlsplit(path).path
        if address != "/" and not address.startswith("/c/"):
            self.page.goto(path)
            return
        with self.page.expect_request(lambda request: urlsplit(request.url).path == "/api/conversations"):
            self.page.goto(path)

    def tab(self, path: str = "/") -> Window:
        """Another tab of the same browser."""
        other = object.__new__(Window)
        other.__dict__.update(self.__dict__)
        other.page = self.context.new_page()
        other.go(path)
        return other

    def close(self) -> None:
        for page in self.context.pages:
            if urlsplit(page.url).netloc == urlsplit(self.url).netloc:
                self.problems += page.evaluate("window.violations ?? []")
        self.context.close()

    def check_promises(self) -> None:
        """What holds on every page. Raises AssertionError."""
        assert not self.problems, "\n".join(self.problems)
        foreign = [url for url in self.requests if not url.startswith(("data:", "blob:", *self.allowed_origins))]
        assert not foreign, f"asked of other origins: {foreign}"

    # What is on the page

    @property
    def composer(self) -> Locator:
        return self.page.locator("#composer")

    @property
    def questions(self) -> Locator:
        return self.page.locator('article[data-role="user"]')

    @property
    def answers(self) -> Locator:
        return self.page.locator('article[data-role="assistant"]')

    @property
    def answer(self) -> Locator:
        """The newest answer."""
        return self.answers.last

    @property
    def stop_button(self) -> Locator:
        return self.page.get_by_role("button", name="Stop answering")

    @property
    def sidebar(self) -> Locator:
        return self.page.get_by_role("navigation", name="Conversations")

    @property
    def jump(self) -> Locator:
        return self.page.get_by_role("button", name="Jump to latest")

    @property
    def spoken(self) -> Locator:
        """What a screen reader is told."""
        return self.page.locator('[role="status"][aria-atomic="true"]')

    def row(self, title: str) -> Locator:
        return self.sidebar.get_by_role("link", name=title)

    # What a person does

    def ask(self, text: str) -> None:
        self.composer.fill(text)
        self.composer.press("Enter")

    def ask_and_wait(self, text: str) -> None:
        before = self.answers.count()
        self.ask(text)
        expect(self.answers).to_have_count(before + 1)
        self.wait_for_end()

    def wait_for_end(self) -> None:
        expect(self.answer).not_to_have_attribute("data-status", "streaming", timeout=30_000)

    def options(self, title: str) -> Locator:
        """The button that opens the menu of a conversation in the list."""
        self.row(title).hover()
        return self.sidebar.get_by_role("button", name=f"Options for “{title}”")

    def choose(self, title: str, item: str) -> None:
        """Choose from the menu of a conversation in the list."""
        self.options(title).click()
        self.page.get_by_role("menuitem", name=item).click()

    # What a test needs to know

    def calls(self, path: str) -> int:
        """How many requests went to a path."""
        return sum(urlsplit(url).path == path for url in self.requests)

    def devtools(self) -> Any:
        return self.context.new_cdp_session(self.page)
