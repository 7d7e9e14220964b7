"""Sign in with the provider, see who you are, sign out, delete the account with everything."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from uuid import uuid4

from playwright.sync_api import expect

if TYPE_CHECKING:
    from tests.web.conftest import OpenWindow
    from tests.web.site import Site, Visitor
    from tests.web.window import Window


def test_signs_in_on_a_page_that_says_what_happens_to_ones_words(open_window: OpenWindow, site: Site) -> None:
    window = open_window(signed_in=False)
    window.allowed_origins.add(site.stack.settings.complete()["OIDC_ISSUER"])
    page = window.page
    expect(page.get_by_text("seven days, then deleted")).to_be_visible()
    page.get_by_role("link", name="Sign in with Google").or_(
        page.get_by_role("button", name="Sign in with Google")
    ).click()

    page.wait_for_url(re.compile("/interaction/"))
    # Somebody whom no other test knows: the local provider takes any name.
    page.locator("button").first.evaluate("(button, sub) => { button.value = sub; }", f"hanako-{uuid4().hex[:8]}")
    page.locator("button").first.click()

    page.wait_for_url(f"{site.url}/")
    expect(window.composer).to_be_focused()
    expect(page.get_by_text("Hanako-", exact=False).first).to_be_visible()


def test_comes_back_to_the_address_asked_for(open_window: OpenWindow, site: Site) -> None:
    path = f"/c/{uuid4()}"
    window = open_window(path, signed_in=False)
    window.allowed_origins.add(site.stack.settings.complete()["OIDC_ISSUER"])
    window.page.get_by_role("link", name="Sign in with Google").click()
    window.page.get_by_role("button", name="Alice").click()
    window.page.wait_for_url(f"{site.url}{path}")
    expect(window.page.get_by_text("This conversation is not here")).to_be_visible()


def test_sees_who_is_signed_in_and_signs_out(window: Window, visitor: Visitor, site: Site) -> None:
    menu = window.page.get_by_role("button", name="Account and settings")
    expect(menu).to_contain_text("Hanako")
    menu.click()
    expect(window.page.get_by_text(f"Signed in as {visitor.email}")).to_be_visible()
    window.page.get_by_role("menuitem", name="Sign out").click()
    expect(window.page.get_by_text("Sign in with Google")).to_be_visible()
    assert site.rows("SELECT count(*) FROM sessions WHERE user_id = :id", id=visitor.id)[0][0] == 0


def test_what_was_not_sent_or_not_yet_deleted_does_not_outlive_the_session(
    open_window: OpenWindow, visitor: Visitor, site: Site
) -> None:
    conversation = site.exchange(visitor, "Q", "A", title="Gone")
    window = open_window()
    window.composer.fill("half a thought")
    drafts = "Object.keys(localStorage).filter(key => key.startsWith('nanoka.draft'))"
    window.page.wait_for_function(f"() => {drafts}.length === 1")
    window.choose("Gone", "Delete")
    expect(window.page.get_by_role("button", name="Undo")).to_be_visible()
    window.page.get_by_role("button", name="Account and settings").click()
    window.page.get_by_role("menuitem", name="Sign out").click()
    expect(window.page.get_by_text("Sign in with Google")).to_be_visible()
    assert window.page.evaluate(drafts) == []
    assert site.rows("SELECT count(*) FROM conversations WHERE id = :id", id=conversation) == [[0]]


def test_deletes_the_account_after_a_clear_confirmation(window: Window, visitor: Visitor, site: Site) -> None:
    site.exchange(visitor, "Forget this", "I shall")
    window.page.get_by_role("button", name="Account and settings").click()
    window.page.get_by_role("menuitem", name="Settings").click()
    window.page.get_by_role("button", name="Delete account").click()
    dialog = window.page.get_by_role("alertdialog").or_(window.page.get_by_role("dialog")).last
    expect(dialog).to_contain_text(visitor.email)
    confirm = dialog.get_by_role("button", name="Delete account")
    expect(confirm).to_be_disabled()
    dialog.get_by_role("checkbox").check()
    confirm.click()
    expect(window.page.get_by_text("Sign in with Google")).to_be_visible()
    for table, column in (("users", "id"), ("conversations", "user_id"), ("sessions", "user_id")):
        assert site.rows(f"SELECT count(*) FROM {table} WHERE {column} = :id", id=visitor.id)[0][0] == 0
