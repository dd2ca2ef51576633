"""What only a phone needs."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.test_dashboard import dashboard

__all__ = ["dashboard"]


def test_a_phone_shows_in_which_page_one_is(dashboard: Callable[..., Page], server: str) -> None:
    page = dashboard("/sessions", viewport={"width": 390, "height": 844})
    for name, path in (("Sessions", "/sessions"), ("Deliveries", "/deliveries"), ("Keys", "/keys")):
        page.goto(server + path)
        here = page.get_by_role("navigation", name="Pages").get_by_role("link", name=name)
        expect(here).to_be_in_viewport(ratio=1)
