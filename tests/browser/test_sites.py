"""The pages of sites in a real browser: tried while typing, tested while one looks on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page, expect

from app.completion import backtest
from app.core.db import transaction
from app.models import Run
from app.runs import engine
from tests.browser.screens import assert_fine
from tests.browser.test_dashboard import Axe, NewContext, dashboard
from tests.completion.history import make_history
from tests.factories import make_site

__all__ = ["dashboard"]

Dashboard = Callable[..., Page]


def fill(sessions: int = 60) -> dict[str, Any]:
    """A site with a history, and a test of each state."""
    proposed = (["within 24 hours", "you are booked"], ["not"])
    with transaction() as session:
        site = make_site(session, key="harbour", name="Harbour & Oak", exclusions=["not"])
        make_site(session, name="A very long name of a site that does not fit anywhere at all")
        make_history(session, site, sessions)
        ids = {
            state: backtest.start(session, site.id, *proposed, None).id
            for state in ("done", "failed", "running")
        }
        engine.finish(session.get_one(Run, ids["failed"]), engine.WENT_WRONG)
    backtest.run(ids["done"])
    return ids


def test_no_barrier_and_no_sideways_scroll(dashboard: Dashboard, server: str, axe: Axe) -> None:
    page = dashboard("/sites")
    assert_fine(page, axe, page.url)  # with nothing to show
    tests = fill()
    for path in ("/sites", *(f"/sites/harbour/backtests/{each}" for each in tests.values())):
        page.goto(server + path)
        assert_fine(page, axe, page.url)
    page.goto(f"{server}/sites/harbour")
    page.get_by_label("What the assistant might say").fill("Not within 24 hours.")
    expect(page.get_by_text("stands in the same sentence")).to_be_visible()
    assert_fine(page, axe, page.url)
    page.get_by_label("Phrases").fill("x" * 301)
    page.get_by_role("button", name="Test on past sessions").click()
    expect(page.get_by_text("at most 300")).to_be_visible()
    assert_fine(page, axe, page.url)


def test_a_message_is_tried_while_one_types(dashboard: Dashboard) -> None:
    fill(0)
    page = dashboard("/sites/harbour")
    message = page.get_by_label("What the assistant might say")
    message.fill("We call within 24h.")
    expect(page.get_by_text("This completes a session.")).to_be_visible()
    expect(page.locator("mark")).to_have_text("within 24h")
    page.get_by_label("Exclusions").fill("we call")
    expect(page.get_by_text("This does not complete a session.")).to_be_visible()
    expect(message).to_have_value("We call within 24h.")
    assert page.evaluate("window.wasNotReloaded")


def test_a_message_is_tried_without_javascript(
    new_context: NewContext, dashboard: Dashboard
) -> None:
    fill(0)
    page = dashboard("/sites/harbour")
    plain = new_context(java_script_enabled=False).new_page()
    plain.context.add_cookies(page.context.cookies())  # type: ignore[arg-type]
    plain.goto(page.url)
    plain.get_by_label("What the assistant might say").fill("We call within 24h.")
    plain.get_by_label("Exclusions").fill("never")
    plain.get_by_role("button", name="Try it").click()
    expect(plain.get_by_text("This completes a session.")).to_be_visible()
    expect(plain.get_by_label("Exclusions")).to_have_value("never")


def test_a_running_test_is_followed_to_its_end_and_saved(dashboard: Dashboard, server: str) -> None:
    running = fill()["running"]
    page = dashboard(f"/sites/harbour/backtests/{running}")
    expect(page.get_by_text("Reading past sessions")).to_be_visible()
    backtest.run(running)
    expect(page.get_by_text("Save these phrases")).to_be_visible()
    expect(page.locator(".finding").first).to_be_visible()
    assert page.evaluate("window.wasNotReloaded")
    page.get_by_label("Leave past sessions as they are").check()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Past sessions are being left as they are")).to_be_visible()
