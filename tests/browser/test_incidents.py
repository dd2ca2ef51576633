"""The incidents in a real browser: live, resolved by a click, in both themes, on a phone."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import replace

import pytest
from playwright.sync_api import Page, expect

from app.core.db import transaction
from app.incidents.record import Seen, note
from app.incidents.resolve import open_again, resolve
from tests.browser.screens import assert_fine
from tests.browser.signed_in import sign_in
from tests.browser.test_dashboard import Axe, NewContext, dashboard
from tests.factories import make_chat, make_site
from tests.web.signed_in import make_user

__all__ = ["dashboard"]
pytestmark = pytest.mark.usefixtures("database")
SEEN = Seen("n8n", ("W1",), "Lead intake, at “Send mail”", "Could not mail [e-mail]")


def tell(**values: object) -> uuid.UUID:
    with transaction() as session:
        return note(session, replace(SEEN, **values)).id  # type: ignore[arg-type]


def fill() -> None:
    """One of everything."""
    with transaction() as session:
        site = make_site(session, name="Harley Street Dental and Implant Centre")
        chat = make_chat(session, site)
        done = note(session, replace(SEEN, group=("done",), problem="Was broken"))
        resolve(session, done.id, None)
    for _ in range(3):
        tell(
            session_id=chat.id,
            site_id=site.id,
            source="assistant",
            title="The language model of Harley Street Dental and Implant Centre",
            problem="It did not begin to answer in time.",
        )
    tell(group=("long",), title="x" * 120, problem=f"{'A long sentence. ' * 20}{'y' * 150}")
    tell(group=("arabic",), title="مهمة العملاء", problem="لم يتم العثور على الصفحة")
    tell(group=("2",), session_id=chat.id, url="https://n8n.example/workflow/1/executions/7")
    tell()


def test_no_barrier_and_no_sideways_scroll(
    dashboard: Callable[..., Page], server: str, axe: Axe
) -> None:
    page = dashboard("/incidents")
    page.get_by_text("Have N8n report its errors here").click()
    assert_fine(page, axe, page.url)  # with nothing to show
    fill()
    for path in ("/incidents", "/incidents?show=all", "/incidents?cursor=x"):
        page.goto(server + path)
        assert_fine(page, axe, page.url)


def test_incidents_appear_count_up_and_go_without_a_reload(
    dashboard: Callable[..., Page],
) -> None:
    page = dashboard("/incidents")
    expect(page.get_by_text("All is well")).to_be_visible()
    tell()
    rows = page.locator("[data-list-rows] > li")
    expect(rows).to_have_count(1)
    expect(page.get_by_text("All is well")).to_be_hidden()
    expect(rows).to_contain_text("Once")
    incident_id = tell(problem="Could not mail [e-mail] again")
    expect(rows).to_contain_text("Twice")
    expect(rows).to_contain_text("Could not mail [e-mail] again")
    with transaction() as session:
        resolve(session, incident_id, None)
    expect(rows).to_have_count(0)
    expect(page.get_by_text("All is well")).to_be_visible()
    with transaction() as session:
        open_again(session, incident_id)
    expect(rows).to_have_count(1)
    assert page.evaluate("window.wasNotReloaded")


def test_an_incident_is_resolved_and_opened_again_by_a_click(
    dashboard: Callable[..., Page],
) -> None:
    tell()
    page = dashboard("/incidents")
    page.get_by_role("button", name="Mark as resolved").click()
    expect(page.get_by_text("Marked as resolved.")).to_be_visible()
    expect(page.get_by_text("All is well")).to_be_visible()
    page.get_by_role("link", name="All", exact=True).click()
    page.get_by_role("button", name="Open again").click()
    expect(page.get_by_role("button", name="Mark as resolved")).to_be_visible()


def test_without_javascript_incidents_are_resolved_all_the_same(
    new_context: NewContext, server: str
) -> None:
    make_user()
    tell()
    page = new_context(java_script_enabled=False).new_page()
    sign_in(page.context, server)
    page.goto(f"{server}/incidents")
    page.get_by_role("button", name="Mark as resolved").click()
    expect(page.get_by_text("All is well")).to_be_visible()
