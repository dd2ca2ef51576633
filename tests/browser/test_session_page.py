"""One session in real browsers: its lead edited by two at once, the archive, paper, screens."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta
from itertools import product

from playwright.sync_api import Page, expect
from sqlalchemy.orm import Session

from app.core import clock
from app.core.db import transaction
from app.models import Lead, Message
from app.models.transcript import Answer, Draft
from app.review.archive import archive
from app.review.lead import edit_lead
from tests.browser.test_dashboard import Axe, NewContext, assert_accessible, dashboard
from tests.browser.test_session_moves import promise, second, talk, user_id
from tests.factories import make_chat, make_lead, make_message

__all__ = ["dashboard"]
Dashboard = Callable[..., Page]
LONG = "Maximiliane Wolfeschlegelsteinhausenbergerdorff-Featherstonehaugh"

KNOWN = {"name": "Ann", "email": "ann@example.com", "company": "Oak & Sons", "service": "Kitchen"}


def rich(person: uuid.UUID) -> uuid.UUID:
    """A session with one of everything, on two days."""
    with transaction() as session:
        now = clock.now()
        began = now - timedelta(days=1, hours=2)
        draft = Draft()
        for key, value in KNOWN.items():
            draft = draft.with_answer(key, Answer(value))
        chat = talk(session, started_at=began, visitor_id="one-browser", draft=draft.to_json())
        make_lead(session, chat)
        for message in session.query(Message).filter_by(session_id=chat.id):
            message.created_at = began + timedelta(minutes=message.id % 60)
        promise(session, chat)
        for values in ({"name": LONG}, {"phone": "020 7946 0001"}, {"company": ""}):
            save(session, chat.id, person, **values)
        archive(session, [chat.id], person)
        for days in range(13):
            other = make_chat(session, started_at=now - timedelta(days=days))
            make_lead(
                session, other, created_at=other.started_at, name=LONG if days == 1 else "Ann"
            )
        make_message(session, chat, role="system", text="The visitor was handed over.")
        return chat.id


def save(session: Session, chat_id: uuid.UUID, person: uuid.UUID, **typed: str) -> None:
    version = session.query(Lead.version).filter_by(session_id=chat_id).scalar()
    edit_lead(session, chat_id, typed, version=version, seen={}, user_id=person)


def test_every_screen_of_a_rich_session(dashboard: Dashboard, server: str, axe: Axe) -> None:
    page = dashboard("/sessions")
    chat_id = rich(user_id())
    page.goto(f"{server}/sessions/{chat_id}?archive_status=all")
    page.locator("#lead-edit > summary").click()
    page.get_by_label("E-mail").fill("no address")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("This is no e-mail address")).to_be_in_viewport()
    expect(page.get_by_label("E-mail")).to_be_focused()
    page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true })")
    for theme, width in product(("light", "dark"), (1440, 768, 390)):
        page.evaluate("theme => document.documentElement.dataset.bsTheme = theme", theme)
        page.set_viewport_size({"width": width, "height": 844})
        assert_accessible(page, axe, theme, width)


def test_what_is_being_typed_survives_what_another_saves_and_both_are_shown(
    dashboard: Dashboard, new_context: NewContext, server: str
) -> None:
    with transaction() as session:
        chat = talk(session)
        make_lead(session, chat, qualification={"service": "Kitchen"})
        chat_id = chat.id
    path = f"/sessions/{chat_id}"
    ours = dashboard(path)
    theirs = second(new_context, server, path)
    ours.locator("#lead-edit > summary").click()
    phone = ours.get_by_label("Phone")
    phone.fill("020 7946 0002")
    phone.press("ArrowLeft")
    theirs.locator("#lead-edit > summary").click()
    theirs.get_by_label("Phone").fill("020 7946 0001")
    theirs.get_by_role("button", name="Save").click()
    expect(theirs.get_by_text("The lead is saved.")).to_be_visible()
    # The other page shows it, and says so, without touching what is being typed.
    expect(ours.locator("[data-part=lead]")).to_contain_text("+442079460001")
    expect(ours.locator("[data-part=lead-changes]")).to_contain_text("changed the phone from")
    expect(ours.get_by_text("This lead has just changed")).to_be_visible()
    expect(phone).to_have_value("020 7946 0002")
    expect(phone).to_be_focused()
    assert ours.evaluate("document.activeElement.selectionStart") == 12
    assert ours.evaluate("window.wasNotReloaded")
    ours.get_by_role("button", name="Save").click()
    expect(ours.get_by_text("changed this lead meanwhile")).to_be_visible()
    expect(ours.locator("#lead-phone-meanwhile")).to_contain_text("+442079460001")
    expect(ours.locator("[data-live-state]")).to_have_attribute("data-is", "live")
    ours.wait_for_timeout(1200)  # the first live update came and left it alone
    expect(ours.get_by_label("Phone")).to_have_value("020 7946 0002")
    ours.get_by_role("button", name="Save these values").click()
    expect(theirs.locator("[data-part=lead]")).to_contain_text("+442079460002")


def test_archive_and_steps_by_keys_the_link_and_the_paper(
    dashboard: Dashboard, new_context: NewContext, server: str
) -> None:
    with transaction() as session:
        began = clock.now() - timedelta(hours=1)
        older = talk(session, started_at=began, visitor_id="one-browser").id
        chat_id = talk(session, visitor_id="one-browser").id
    ours = dashboard(f"/sessions/{chat_id}")
    theirs = second(new_context, server, f"/sessions/{chat_id}")
    ours.keyboard.press("e")
    expect(ours.get_by_role("button", name="Bring back")).to_be_visible()
    for part in ("head", "timeline", "transcript"):
        expect(theirs.locator(f"[data-part={part}]")).to_contain_text("Archived")
    expect(theirs.get_by_role("button", name="Bring back")).to_be_visible()
    assert theirs.evaluate("window.wasNotReloaded")
    ours.keyboard.press("j")
    ours.wait_for_url(f"**/sessions/{older}")
    expect(ours.locator("[data-part=people]")).to_contain_text("Archived")
    theirs.get_by_role("button", name="Bring back").click()
    expect(ours.locator("[data-part=people]")).not_to_contain_text("Archived")
    with transaction() as session:
        archive(session, [chat_id], None)
    ours.reload()
    ours.keyboard.press("k")  # archived: not in the list any more
    expect(ours.locator("[data-part=steps] [rel=prev]")).to_have_count(0)
    ours.context.grant_permissions(["clipboard-read", "clipboard-write"])
    ours.get_by_role("button", name="Copy link").click()
    expect(ours.get_by_role("button", name="Link copied")).to_be_visible()
    assert ours.evaluate("navigator.clipboard.readText()") == f"{server}/sessions/{older}"
    ours.evaluate("window.print = () => { window.wasPrinted = true }")
    ours.get_by_role("button", name="Print").click()
    assert ours.evaluate("window.wasPrinted")
    ours.emulate_media(media="print")
    expect(ours.locator(".side")).to_be_hidden()
    expect(ours.get_by_role("region", name="Conversation")).to_be_visible()
    expect(ours.locator("[data-part=lead]")).to_be_visible()
    expect(ours.get_by_role("button")).to_have_count(0)
