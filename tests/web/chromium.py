"""The browser that the tests drive: Debian's Chromium, or the one that CHROMIUM names."""

from __future__ import annotations

import contextlib
import os
import shutil
from typing import TYPE_CHECKING

from playwright.sync_api import Browser, sync_playwright

if TYPE_CHECKING:
    from collections.abc import Iterator

MISSING = (
    "No Chromium on this machine, so NOTHING of what a person sees was tested. Install one (`apt install chromium`) "
    "or name one in CHROMIUM."
)


def program() -> str | None:
    """The path of Chromium, if there is one."""
    return os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")


def flags() -> list[str]:
    """Chromium's own sandbox does not work for root, who is alone in a container."""
    return ["--no-sandbox"] if os.geteuid() == 0 else []


@contextlib.contextmanager
def launched(*more: str) -> Iterator[Browser]:
    """A headless Chromium, with more flags if any are given. Raises FileNotFoundError without one."""
    path = program()
    if path is None:
        raise FileNotFoundError(MISSING)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=[*flags(), *more])
        yield browser
        browser.close()
