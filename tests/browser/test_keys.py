"""Keys and settings in a real browser: by keyboard, in both themes, on a desk and on a phone."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from app.core.db import transaction
from tests.browser.screens import Axe, assert_fine
from tests.browser.signed_in import sign_in
from tests.factories import make_site
from tests.web.signed_in import make_user

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture
def page(new_context: Callable[..., BrowserContext], server: str) -> Page:
    """Signed in as an admin."""
    make_user()
    page = new_context().new_page()
    sign_in(page.context, server)
    page.goto(f"{server}/keys")
    return page


def test_a_key_is_made_copied_and_revoked_without_a_mouse(
    page: Page, axe: Axe, server: str
) -> None:
    with transaction() as session:
        make_site(session, key="harbour", name="Harbour Kitchens and Bathrooms of Bristol")
    assert_fine(page, axe, "keys_none")
    page.reload()

    page.get_by_label("What is it for?").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#name-error")).to_have_text("Please say what the key is for.")
    expect(page.locator("#scopes-error")).to_have_text("Please choose at least one.")
    assert_fine(page, axe, "keys_wrong")
    page.get_by_label("What is it for?").fill(f"N8n of the shop {'long' * 12}")
    for title in ("Send in sessions", "Report errors"):
        page.get_by_role("checkbox", name=title).focus()
        page.keyboard.press("Space")
    page.get_by_label("For which site?").focus()
    page.keyboard.type("Harb")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")

    shown = page.get_by_label("The key", exact=True)
    expect(shown).to_have_value(re.compile("^p5_"))
    plain = shown.input_value()
    page.get_by_role("button", name="Copy").press("Enter")
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    page.get_by_label("What is it for?").press("Control+v")
    expect(page.get_by_label("What is it for?")).to_have_value(plain)
    assert_fine(page, axe, "keys_made")

    page.goto(f"{server}/keys")
    assert plain not in page.content()
    page.get_by_role("link", name="Revoke N8n of the shop").press("Enter")
    assert_fine(page, axe, "keys_revoke")
    page.get_by_role("button", name="Revoke it").press("Enter")
    page.get_by_text("1 revoked key").click()
    assert_fine(page, axe, "keys_revoked")


def test_the_settings_on_every_screen(page: Page, axe: Axe, server: str) -> None:
    page.goto(f"{server}/settings")
    assert_fine(page, axe, "settings")
    page.get_by_role("button", name="Send a test letter to me").press("Enter")
    expect(page.get_by_text("The test letter is shown on the console")).to_be_visible()
