"""The warning of a check that found something, and what can be done about it, in a real browser."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page, expect

from app.upkeep.doctor import examine
from tests.browser.screens import assert_fine
from tests.browser.signed_in import sign_in
from tests.browser.test_dashboard import Axe, NewContext, dashboard
from tests.web.health_check import WARNING, break_something
from tests.web.signed_in import make_user

__all__ = ["dashboard"]


def test_no_barrier_in_the_warning_and_the_check(
    dashboard: Callable[..., Page], server: str, axe: Axe
) -> None:
    page = dashboard("/sync")
    assert_fine(page, axe, page.url)  # never checked
    break_something()
    examine(fix=False)
    page.goto(f"{server}/sync")
    expect(page.get_by_text(WARNING)).to_be_visible()
    assert_fine(page, axe, page.url)
    page.get_by_role("button", name="Repair").click()
    expect(page.get_by_text("A check is waiting")).to_be_visible()
    assert_fine(page, axe, page.url)
    examine(fix=True)
    page.goto(f"{server}/sync")
    expect(page.get_by_text("all repaired")).to_be_visible()
    expect(page.get_by_text(WARNING)).to_be_hidden()
    assert_fine(page, axe, page.url)


def test_a_check_is_asked_for_without_scripts(new_context: NewContext, server: str) -> None:
    make_user()
    page = new_context(java_script_enabled=False).new_page()
    sign_in(page.context, server)
    page.goto(f"{server}/sync")
    page.get_by_role("button", name="Check now").click()
    expect(page.get_by_text("The check has begun.")).to_be_visible()
