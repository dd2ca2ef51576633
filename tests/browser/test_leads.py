"""The list of leads in a real browser: a person's row, live, on every screen."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from playwright.sync_api import Page, expect
from sqlalchemy import delete

from app.core import clock, events
from app.core.db import transaction
from app.models import ChatSession, Lead
from tests.browser.screens import assert_fine
from tests.browser.test_dashboard import Axe, dashboard
from tests.factories import make_chat, make_lead, make_site
from tests.reporting.test_leads import deliver

__all__ = ["dashboard"]

Dashboard = Callable[..., Page]


def come(name: str = "Ann Lee", minutes_ago: float = 0, **values: object) -> Lead:
    with transaction() as session:
        moment = clock.now() - timedelta(minutes=minutes_ago)
        site = make_site(session, name="Harbour Dental and Sons of the Northern Shore")
        chat = make_chat(session, site, started_at=moment)
        wants = {"service": "A new bath, " * 9, "preferred_time": "next week"}
        defaults = {"qualification": wants, "company": "Lee & Co", "created_at": moment}
        lead: Lead = make_lead(session, chat, name=name, **{**defaults, **values})
        events.announce(session, "sessions", chat.id)
    return lead


def test_a_person_comes_again_and_goes_without_a_reload(dashboard: Dashboard) -> None:
    first = come(minutes_ago=60)
    come("Bo", 30, email=None, phone=None)
    page = dashboard("/leads")
    rows = page.locator("[data-list-rows] > li")
    expect(rows).to_have_count(2)
    again = come(minutes_ago=1)
    button = page.get_by_role("button", name="1 new lead")
    expect(button).to_be_visible()
    button.click()
    expect(rows).to_have_count(2)  # the row they had has moved up
    row = page.locator(f"#session-{again.session_id}")
    expect(row).to_be_visible()
    row.get_by_text("Came 2 times").click()
    link = row.locator(f"a[href='/sessions/{first.session_id}']")
    expect(link).to_be_visible()
    with transaction() as session:
        deliver(session, session.merge(first), "dead")
        events.announce(session, "sessions", first.session_id)
    expect(row.locator(".others").get_by_text("Needs a look")).to_be_visible()
    expect(link).to_be_visible()  # what was unfolded stays so
    with transaction() as session:
        session.execute(delete(ChatSession).where(ChatSession.id == again.session_id))
        events.announce(session, "sessions", again.session_id)
    expect(row).to_have_count(0)
    # What they came for before takes its place.
    expect(page.locator(f"#session-{first.session_id}")).to_be_visible()
    assert page.evaluate("window.wasNotReloaded")


def test_every_screen_without_a_barrier(dashboard: Dashboard, axe: Axe, server: str) -> None:
    page = dashboard("/leads")
    expect(page.get_by_text("No leads yet")).to_be_visible()
    assert_fine(page, axe, "leads, none")
    names = ("Ann Lee", "María-José Fernández de la Vega y Hohenstaufen", "محمد علي", "Ida Poe")
    for place in range(3):
        come(minutes_ago=place, email="ann@a-very-long-company-name-of-somebody.example.com")
    for place, name in enumerate(names[1:]):
        come(name, 10 + place, email=f"v{place}@example.com", phone=None)
    come("", 40, email="no mail", invalid=["email"], phone=None, company=None, qualification={})
    for path in ("/leads?q=ann", "/leads"):
        page.goto(server + path)
        page.get_by_text("Came 3 times").click()
        assert_fine(page, axe, path)
