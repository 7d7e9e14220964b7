"""A site for the whole run, and for each test somebody new with a browser window that watches over the promises
which hold everywhere: nothing breaks the content security policy, and nothing is asked of another origin."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Protocol

import pytest

from tests.web import chromium
from tests.web.site import Site
from tests.web.window import Window

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser

    from tests.web.site import Visitor


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(os.path.dirname(__file__)):  # noqa: PTH120 - the hook is given all tests
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def chromium_browser() -> Iterator[Browser]:
    """Without Chromium nothing here is tested: skipped at home, where that is said loudly, a failure in CI."""
    if chromium.program() is None:
        if os.environ.get("CI"):
            pytest.fail(chromium.MISSING)
        pytest.skip(chromium.MISSING)
    with chromium.launched() as browser:
        yield browser


@pytest.fixture(scope="session")
def running_site(chromium_browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with Site(tmp_path_factory.mktemp("site")) as site:
        yield site


@pytest.fixture
def site(running_site: Site) -> Site:
    """The site, its model back to what it does untold."""
    running_site.answers()
    running_site.line.mend()
    return running_site


@pytest.fixture
def visitor(site: Site) -> Visitor:
    """Somebody new, signed in."""
    return site.visitor()


class OpenWindow(Protocol):
    """Opens a window of the visitor's browser, or of a stranger's; options are those of Playwright's contexts."""

    def __call__(self, path: str = "/", *, signed_in: bool = True, **options: object) -> Window: ...


@pytest.fixture
def open_window(site: Site, visitor: Visitor, chromium_browser: Browser) -> Iterator[OpenWindow]:
    """Opens windows, and looks when the test is over at what they saw."""
    windows: list[Window] = []

    def open_window(path: str = "/", *, signed_in: bool = True, **options: object) -> Window:
        storage = visitor.storage(site.url) if signed_in else None
        window = Window(chromium_browser, site.url, storage, options)
        windows.append(window)
        window.go(path)
        return window

    yield open_window
    for window in windows:
        window.close()
    for window in windows:
        window.check_promises()


@pytest.fixture
def window(open_window: OpenWindow) -> Window:
    """The start page of somebody signed in, on a desktop, in English and light."""
    return open_window()
