"""What people do with a session, in real browsers: by keyboard, live in two, on a phone."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable

from playwright.sync_api import BrowserContext, Page, expect
from sqlalchemy import update
from sqlalchemy.orm import Session

from app.completion.complete import complete
from app.completion.reopen import leave_open, reopen
from app.core import clock
from app.core.db import transaction
from app.models import ChatSession, Delivery, Message, SessionEvent, Site, User
from tests.browser.live import caught_up
from tests.browser.screens import assert_fine
from tests.browser.signed_in import sign_in
from tests.browser.test_dashboard import Axe, NewContext, dashboard
from tests.factories import make_chat, make_lead, make_message, make_site
from tests.web.signed_in import make_user

__all__ = ["dashboard"]

Dashboard = Callable[..., Page]
PHRASE = "within 24 hours"
PROMISE = f"Thank you! Somebody will call you {PHRASE}."


def talk(session: Session, lines: int = 4, **values: object) -> ChatSession:
    site = make_site(session, name="Harbour Dental", exclusions=["cannot"])
    chat = make_chat(session, site, **values)
    for number in range(lines):
        role = ("visitor", "assistant")[number % 2]
        text = f"{'My tooth hurts' if role == 'visitor' else 'Since when is that so?'} ({number})"
        make_message(session, chat, role=role, text=text)
    return chat


def promise(session: Session, chat: ChatSession, text: str = PROMISE) -> Message:
    message = make_message(session, chat, role="assistant", text=text)
    site = session.get_one(Site, chat.site_id)
    profile = site.profile()
    complete(session, chat.id, profile, cause="live", phrase=PHRASE, message_id=message.id)
    session.refresh(chat)
    return message


def open_one() -> uuid.UUID:
    with transaction() as session:
        chat = talk(session)
        make_lead(session, chat)
        return chat.id


def promised() -> uuid.UUID:
    with transaction() as session:
        chat = talk(session)
        make_lead(session, chat)
        promise(session, chat)
        return chat.id


def by_hand(user_id: uuid.UUID) -> uuid.UUID:
    with transaction() as session:
        chat = talk(session)
        site = session.get_one(Site, chat.site_id)
        complete(session, chat.id, site.profile(), cause="user", user_id=user_id)
        return chat.id


def opened_again(user_id: uuid.UUID) -> uuid.UUID:
    with transaction() as session:
        chat = talk(session)
        make_lead(session, chat)
        promise(session, chat)
        reopen(session, chat.id, user_id)
        return chat.id


def left_open(user_id: uuid.UUID) -> uuid.UUID:
    with transaction() as session:
        chat = talk(session)
        make_message(session, chat, role="assistant", text="You hear from us soon.")
        leave_open(session, chat.id, user_id)
        return chat.id


def from_n8n() -> uuid.UUID:
    with transaction() as session:
        external = "whatsapp:+44 20 7946 0958/2f0e9a1c-7d3b-4b59-9f51-" + "9" * 30
        return talk(session, channel="n8n", external_session_id=external).id


def much_happened(user_id: uuid.UUID) -> tuple[uuid.UUID, int]:
    """A long transcript and timeline; the message that completed it first is pages ago."""
    with transaction() as session:
        chat = talk(session)
        make_lead(session, chat)
        first = promise(session, chat, f"We cannot call {PHRASE}. We write {PHRASE}.")
        reopen(session, chat.id, user_id)
        for number in range(450):
            role = ("visitor", "assistant")[number % 2]
            make_message(session, chat, role=role, text=f"And so on, {number}")
        for _ in range(6):
            promise(session, chat)
            reopen(session, chat.id, user_id)
        promise(session, chat)
        return chat.id, first.id


def every_kind(user_id: uuid.UUID) -> dict[str, uuid.UUID]:
    return {
        "open": open_one(),
        "promised": promised(),
        "by_hand": by_hand(user_id),
        "opened_again": opened_again(user_id),
        "left_open": left_open(user_id),
        "n8n": from_n8n(),
        "long": much_happened(user_id)[0],
    }


def user_id() -> uuid.UUID:
    with transaction() as session:
        return session.query(User.id).scalar()  # the one who signed in


def second(new_context: NewContext, server: str, path: str) -> Page:
    """The same page in another browser, signed in by itself."""
    context: BrowserContext = new_context()
    page = context.new_page()
    sign_in(page.context, server)
    page.goto(f"{server}{path}")
    caught_up(page)
    page.evaluate("window.wasNotReloaded = true")
    page.wait_for_timeout(1200)  # what is asked at the start is over
    return page


def test_no_barrier_and_no_sideways_scroll_on_any_kind_of_session(
    dashboard: Dashboard, server: str, axe: Axe
) -> None:
    page = dashboard("/sessions")
    kinds = every_kind(user_id())
    for chat_id in kinds.values():
        page.goto(f"{server}/sessions/{chat_id}")
        for details in page.locator("details").all():
            details.locator("> summary").click()
        assert_fine(page, axe, page.url)
    page.goto(f"{server}/sessions/{kinds['promised']}/deletion")
    assert_fine(page, axe, page.url)


def test_every_move_is_made_by_keyboard(dashboard: Dashboard) -> None:
    chat_id = open_one()
    page = dashboard(f"/sessions/{chat_id}")
    booking = page.get_by_role("region", name="Booking")
    expect(booking).to_contain_text("This sends the lead to the console now")
    page.get_by_role("button", name="Mark as completed").focus()
    page.keyboard.press("Enter")
    expect(booking).to_contain_text("Marked as completed by hand")
    expect(booking).to_contain_text("ann@example.com")
    expect(booking).to_contain_text("This cancels 1 delivery to the console.")
    page.get_by_role("button", name="Open again").focus()
    page.keyboard.press("Enter")
    expect(booking).to_contain_text("Opened again by hand")
    page.reload()  # it goes on saying so
    expect(booking).to_contain_text(re.compile("ann@example.com · .* · 1 delivery was cancelled"))
    expect(booking).to_contain_text("promises until then do not count; a new one does")
    page.get_by_role("link", name="Delete this session").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Delete this session?")).to_be_visible()
    page.get_by_role("button", name="Delete for good").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("The session is deleted.")).to_be_visible()
    with transaction() as session:
        assert session.get(ChatSession, chat_id) is None


def test_what_was_sent_stays_and_is_told_again_as_an_update(dashboard: Dashboard) -> None:
    chat_id = promised()
    with transaction() as session:
        session.execute(
            update(Delivery).values(
                status="delivered", finished_at=clock.now(), next_attempt_at=None
            )
        )
    page = dashboard(f"/sessions/{chat_id}")
    booking = page.get_by_role("region", name="Booking")
    expect(booking).to_contain_text("What the console has received stays there.")
    page.get_by_role("button", name="Open again").click()
    expect(booking).to_contain_text("no delivery was cancelled")
    expect(booking).to_contain_text("had it before and gets it as an update")


def test_a_move_in_one_browser_shows_in_another_where_the_next_one_works(
    dashboard: Dashboard, new_context: NewContext, server: str
) -> None:
    chat_id = open_one()
    path = f"/sessions/{chat_id}"
    ours = dashboard(path)
    theirs, rows = second(new_context, server, path), second(new_context, server, "/sessions")
    row = rows.locator(f"#session-{chat_id}")
    ours.get_by_role("button", name="Mark as completed").click()
    expect(theirs.get_by_role("button", name="Open again")).to_be_visible()
    expect(row).to_contain_text("Completed")
    expect(theirs.locator("[data-part=timeline]")).to_contain_text("Marked as completed by hand")
    assert theirs.evaluate("window.wasNotReloaded")
    ours.wait_for_timeout(1200)
    theirs.get_by_role("button", name="Open again").click()  # of the piece that was swapped in
    expect(theirs.get_by_text("Opened again. 1 delivery was cancelled")).to_be_visible()
    booking = ours.get_by_role("region", name="Booking")
    expect(booking).to_contain_text("Opened again by hand")
    expect(row).to_contain_text("In progress")
    ours.wait_for_timeout(1200)
    ours.get_by_role("link", name="Delete this session").click()
    ours.get_by_role("button", name="Delete for good").click()
    expect(row).to_have_count(0)
    expect(theirs.get_by_text("It may have been deleted")).to_be_visible()
    assert rows.evaluate("window.wasNotReloaded")


def test_the_timeline_leads_to_the_phrase_even_pages_ago(dashboard: Dashboard) -> None:
    page = dashboard("/sessions")
    chat_id, first = much_happened(user_id())
    page.goto(page.url + f"/{chat_id}")
    happened = page.locator("[data-part=timeline]")
    happened.get_by_text("earlier changes").click()
    expect(happened.locator("li")).to_have_count(16)  # opened, 8 times completed, 7 times reopened
    expect(happened.get_by_text("1 delivery cancelled")).to_have_count(7)
    expect(page.locator("mark:not(.mark-past)")).to_have_count(1)
    expect(page.locator("mark.mark-past")).to_have_count(6)
    happened.get_by_role("link", name="this message").first.click()
    line = page.locator(f"#message-{first}")
    expect(line).to_be_in_viewport()
    expect(line.locator("mark")).to_have_text(PHRASE)
    assert line.locator(".line-text").evaluate("node => node.firstChild.data").endswith("We write ")
    shadow = "node => getComputedStyle(node).boxShadow"
    assert line.locator(".line-text").evaluate(shadow) != "none"
    page.get_by_role("link", name="Newest messages").click()
    expect(page.locator("mark:not(.mark-past)")).to_have_count(1)


def test_a_decision_about_phrases_is_not_called_a_reopening(dashboard: Dashboard) -> None:
    page = dashboard("/sessions")
    page.goto(page.url + f"/{left_open(user_id())}")
    booking = page.get_by_role("region", name="Booking")
    expect(booking).to_contain_text("Left open when the phrases were changed")
    expect(booking).not_to_contain_text("again")


def test_a_session_of_n8n_says_where_it_is_from(dashboard: Dashboard) -> None:
    page = dashboard(f"/sessions/{from_n8n()}")
    expect(page.get_by_role("heading", name="Visitor", level=1)).to_be_visible()
    expect(page.locator("[data-part=attribution]")).to_contain_text("whatsapp:+44 20 7946 0958")


def test_without_javascript_the_forms_work(new_context: NewContext, server: str) -> None:
    make_user()
    chat_id = open_one()
    page = new_context(java_script_enabled=False).new_page()
    sign_in(page.context, server)
    page.goto(f"{server}/sessions/{chat_id}")
    page.get_by_role("button", name="Mark as completed").click()
    page.get_by_role("button", name="Open again").click()
    page.get_by_role("link", name="Delete this session").click()
    page.get_by_role("link", name="Keep it").click()
    with transaction() as session:
        kinds = session.query(SessionEvent.kind).order_by(SessionEvent.id).all()
    assert [kind for (kind,) in kinds] == ["completed", "reopened"]
    page.get_by_role("link", name="Delete this session").click()
    page.get_by_role("button", name="Delete for good").click()
    expect(page.get_by_text("The session is deleted.")).to_be_visible()
