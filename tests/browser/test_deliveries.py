"""Deliveries in a real browser: counts and rows live, sent again together, on every screen."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta

from playwright.sync_api import Page, expect
from sqlalchemy import update

from app.core import clock, events
from app.core.db import transaction
from app.models import Delivery
from tests.browser.screens import assert_fine
from tests.browser.test_dashboard import Axe, dashboard
from tests.reporting.test_deliveries import make_attempt, make_delivery
from tests.web.delivery_body import BODY

__all__ = ["dashboard"]

Dashboard = Callable[..., Page]


def fill() -> list[Delivery]:
    """Three that were given up, newest first, and some others."""
    with transaction() as session:
        dead = []
        for place in range(3):
            moment = clock.now() - timedelta(minutes=place)
            each = make_delivery(
                session, status="dead", created_at=moment, body=json.dumps(BODY), attempt_count=12
            )
            make_attempt(session, each, error="status", status_code=500, answer="y" * 400)
            make_attempt(session, each, error="timeout", duration_ms=20004)
            dead.append(each)
        for status in ("pending", "delivered", "unknown", "cancelled", "failed"):
            make_delivery(session, "console", status=status, next_attempt_at=clock.now())
    return dead


def test_chosen_ones_are_sent_again_and_every_part_is_live(dashboard: Dashboard) -> None:
    dead = fill()
    page = dashboard("/deliveries?destination=n8n")
    send = page.get_by_role("button", name="Send 2 again")
    expect(send).to_be_hidden()
    boxes = page.locator("[data-list-rows] input[type=checkbox]")
    boxes.nth(0).check()
    boxes.nth(1).check()
    expect(send).to_be_visible()
    with transaction() as session:  # a row drawn anew keeps its tick
        session.execute(update(Delivery).where(Delivery.id == dead[0].id).values(attempt_count=13))
        events.announce(session, "deliveries", dead[0].id)
    expect(page.get_by_text("tried 13 times")).to_be_visible()
    expect(send).to_be_visible()
    send.click()
    expect(page.get_by_text("2 are being sent again.")).to_be_visible()
    expect(page.get_by_text("Send the one to N8n again")).to_be_visible()
    with transaction() as session:
        delivered = update(Delivery).where(Delivery.id == dead[2].id)
        session.execute(delivered.values(status="delivered"))
        events.announce(session, "deliveries", dead[2].id)
    expect(page.get_by_text("Send the one to N8n again")).to_have_count(0)
    expect(page.get_by_title("someone has to look")).to_have_text("1")  # it may have arrived
    expect(page.locator(f"#delivery-{dead[2].id}").get_by_text("Sent to N8n")).to_be_visible()


def test_every_screen_without_a_barrier(dashboard: Dashboard, axe: Axe, server: str) -> None:
    page = dashboard("/deliveries")
    expect(page.get_by_text("Nothing sent yet")).to_be_visible()
    assert_fine(page, axe, "deliveries, none")
    dead = fill()
    for path in ("/deliveries", f"/deliveries/{dead[0].id}"):
        page.goto(server + path)
        if path != "/deliveries":
            page.get_by_role("button", name="Show personal details").click()
            expect(page.get_by_text("ann@example.com").first).to_be_visible()
        assert_fine(page, axe, path)
