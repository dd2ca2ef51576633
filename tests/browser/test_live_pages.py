"""What an admin changes about users, keys and sites, another one sees without a reload, and that it
was done.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from app.accounts import audit
from app.core.db import transaction
from app.sites.edit import create_site
from tests.browser.test_dashboard import dashboard

__all__ = ["dashboard"]
Dashboard = Callable[..., Page]


@pytest.fixture
def other(dashboard: Dashboard) -> Page:
    """Somewhere else, what is done is done here."""
    return dashboard("/sessions")


def test_users_come_and_change(dashboard: Dashboard, other: Page, server: str) -> None:
    page = dashboard("/users")
    other.goto(f"{server}/users/new")
    other.get_by_label("E-mail").fill("new@example.com")
    other.get_by_role("button", name="Invite").click()
    # Said once, and not to an open page that only keeps itself up to date.
    expect(other.get_by_label("The link")).to_have_value(re.compile("/login/password/"))
    row = page.get_by_role("listitem").filter(has_text="new@example.com")
    expect(row).to_contain_text("Invited")
    assert page.evaluate("window.wasNotReloaded")

    row.get_by_role("link").click()
    page.evaluate("window.wasNotReloaded = true")
    expect(page.locator("[data-live-state]")).to_have_attribute("data-is", "live")
    page.get_by_label("Admin", exact=False).first.check()
    other.get_by_role("button", name="Deactivate").click()
    expect(page.locator("[data-part=state]")).to_contain_text("Deactivated")
    expect(page.get_by_role("button", name="Activate", exact=True)).to_be_visible()
    expect(page.get_by_label("Admin", exact=False).first).to_be_checked()  # not saved, not lost
    assert page.evaluate("window.wasNotReloaded")


def test_keys_and_sites_come_and_go(dashboard: Dashboard, other: Page, server: str) -> None:
    page = dashboard("/keys")
    page.get_by_label("What is it for?").fill("half a na")
    other.goto(f"{server}/keys")
    other.get_by_label("What is it for?").fill("N8n of the shop")
    other.get_by_role("checkbox", name="Report errors").check()
    other.get_by_role("button", name="Make the key").click()
    expect(page.get_by_role("list", name="Keys in use")).to_contain_text("N8n of the shop")
    other.get_by_role("link", name="Revoke").click()
    other.get_by_role("button", name=re.compile("Revoke")).click()
    expect(page.get_by_text("1 revoked key")).to_be_visible()
    expect(page.get_by_role("list", name="Keys in use")).not_to_contain_text("N8n of the shop")
    expect(page.get_by_label("What is it for?")).to_have_value("half a na")
    assert page.evaluate("window.wasNotReloaded")

    other.goto(f"{server}/sites")
    expect(other.locator("[data-live-state]")).to_have_attribute("data-is", "live")
    with transaction() as session:  # as `flask sites create` does
        create_site(session, "new-site")
        audit.note(session, None, "site.created", "site", "new-site")
    expect(other.get_by_role("list", name="Sites")).to_contain_text("new-site")


def test_the_log_waits_with_what_is_new(dashboard: Dashboard, other: Page, server: str) -> None:
    page = dashboard("/audit")
    rows = page.get_by_role("list", name="What was done").get_by_role("listitem")
    before = rows.count()
    with transaction() as session:
        audit.note(session, None, "site.created", "site", "new-site")
        audit.note(session, None, "site.created", "site", "another-site")
    page.get_by_role("button", name="2 new entries").click()
    expect(rows).to_have_count(before + 2)
    expect(rows.first).to_contain_text("made the site")
    assert page.evaluate("window.wasNotReloaded")
