"""The dashboard in a real browser: live without a reload, in both themes, on a phone."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from playwright.sync_api import BrowserContext, Page, expect
from sqlalchemy import update

from app.core import clock, events
from app.core.db import transaction
from app.delivery import repeat
from app.models import ChatSession, Destination, User
from config import Settings
from tests.browser.live import caught_up
from tests.browser.screens import assert_fine
from tests.browser.signed_in import sign_in
from tests.factories import make_chat, make_lead, make_message
from tests.reporting.test_deliveries import make_attempt, make_delivery
from tests.web.signed_in import PASSWORD, make_user

Axe = Callable[[Page], list[str]]
NewContext = Callable[..., BrowserContext]


@pytest.fixture
def dashboard(new_context: NewContext, server: str) -> Callable[..., Page]:
    """`dashboard(path, **options)`: that page, signed in as an admin, once it is live."""
    make_user()

    def visit(path: str, **options: Any) -> Page:
        page = new_context(**options).new_page()
        sign_in(page.context, server)
        page.goto(f"{server}{path}")
        caught_up(page)
        page.evaluate("window.wasNotReloaded = true")
        return page

    return visit


def fill() -> ChatSession:
    """One of everything; gives the newest session, completed and with deliveries."""
    with transaction() as session:
        for name in ("Ann Lee", "María-José Fernández de la Vega y Hohenstaufen", "محمد علي"):
            chat = make_chat(session, archive_status="archived")
            make_lead(session, chat, name=name)
            make_message(session, chat, text="A long text without an end " * 20 + "x" * 200)
        failed = make_delivery(session, status="failed", next_attempt_at=clock.now())
        make_attempt(session, failed, error="timeout")
        dead = make_delivery(session, status="dead")
        make_attempt(session, dead, error="status", status_code=500, answer="<html>" + "y" * 900)
        session.get_one(Destination, "n8n").paused_at = clock.now()
        chat = session.get_one(ChatSession, dead.session_id)
        chat.started_at = clock.now() + timedelta(seconds=1)
        chat.completion_status, chat.completed_at = "completed", clock.now()
        chat.completion_cause, chat.completion_phrase = "live", "within 24 hours"
        make_message(session, chat, text="مرحبا " + "z" * 300)
        said = make_message(session, chat, role="assistant", text="We call you within 24 hours.")
        chat.completion_message_id = said.id
    return chat


def say(chat: ChatSession, text: str) -> None:
    with transaction() as session:
        make_message(session, session.merge(chat), text=text)
        events.announce(session, "sessions", chat.id)


def test_no_barrier_and_no_sideways_scroll_on_any_page(
    new_context: NewContext,
    dashboard: Callable[..., Page],
    server: str,
    axe: Axe,
) -> None:
    outside = new_context().new_page()
    for path in ("/login", "/no-such-page"):
        outside.goto(server + path)
        assert_fine(outside, axe, outside.url)
    page = dashboard("/sessions")
    assert_fine(page, axe, page.url)  # with nothing to show
    chat = fill()
    for path in ("/sessions", f"/sessions/{chat.id}", "/deliveries", "/deliveries?status=dead"):
        page.goto(server + path)
        page.evaluate("document.querySelectorAll('main details').forEach((d) => { d.open = true })")
        assert_fine(page, axe, page.url)


def test_new_and_changed_sessions_appear_without_a_reload(dashboard: Callable[..., Page]) -> None:
    page = dashboard("/sessions")
    expect(page.get_by_text("No sessions yet")).to_be_visible()
    with transaction() as session:
        chat = make_chat(session)
        make_message(session, chat, text="Hello there")
        events.announce(session, "sessions", chat.id)
    rows = page.locator("[data-list-rows] > li")
    expect(rows).to_have_count(1)
    expect(page.get_by_text("No sessions yet")).to_be_hidden()
    say(chat, "<b>my tooth</b> hurts")
    expect(rows.first).to_contain_text("<b>my tooth</b> hurts")
    with transaction() as session:
        newer = make_chat(session, started_at=clock.now() + timedelta(seconds=1))
        make_lead(session, newer, name="Zoë")
        events.announce(session, "sessions", newer.id)
    page.get_by_role("button", name="1 new session").click()
    expect(rows.first).to_contain_text("Zoë")
    expect(rows).to_have_count(2)
    with transaction() as session:
        session.delete(session.merge(chat))
        events.announce(session, "sessions", chat.id)
    expect(rows).to_have_count(1)
    assert page.evaluate("window.wasNotReloaded")


def test_a_filtered_list_keeps_to_its_filter(dashboard: Callable[..., Page]) -> None:
    page = dashboard("/sessions?completion_status=completed")
    with transaction() as session:
        open_one, done = make_chat(session), make_chat(session, completion_status="completed")
        for chat in (open_one, done):
            events.announce(session, "sessions", chat.id)
    rows = page.locator("[data-list-rows] > li")
    expect(rows).to_have_count(1)
    expect(rows).to_have_attribute("data-id", str(done.id))


def test_a_burst_of_changes_is_few_requests(dashboard: Callable[..., Page]) -> None:
    with transaction() as session:
        chats = [make_chat(session) for _ in range(5)]
    page = dashboard("/sessions")
    page.wait_for_timeout(1200)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    began = time.monotonic()
    for number in range(20):
        for chat in chats:
            say(chat, f"line {number}")
    expect(page.get_by_text("line 19")).to_have_count(5)
    assert all("/sessions/rows?ids=" in url for url in asked), asked
    assert len(asked) <= 2 + time.monotonic() - began  # at most once a second


def test_the_session_page_follows_the_conversation(dashboard: Callable[..., Page]) -> None:
    with transaction() as session:
        delivery = make_delivery(session, status="pending")
        for _ in range(2):
            make_attempt(session, delivery, error="timeout")
    with transaction() as session:
        chat = session.get_one(ChatSession, delivery.session_id)
    page = dashboard(f"/sessions/{chat.id}")
    say(chat, "Are you there?")
    expect(page.locator(".line-text")).to_have_text("Are you there?")
    page.get_by_text("2 tries").click()
    with transaction() as session:
        session.merge(delivery).status = "dead"
        make_attempt(session, delivery, error="refused")
        events.announce(session, "deliveries", delivery.id)
    panel = page.locator("[data-part=deliveries]")
    expect(panel).to_contain_text("Could not reach N8n. We stopped trying")
    expect(panel.get_by_text("N8n did not answer in 20 s").first).to_be_visible()
    page.get_by_role("button", name="Send again").click()
    expect(page.get_by_text("It is being sent again.")).to_be_visible()
    expect(panel).to_contain_text("Waiting to be sent to N8n")


def test_a_pause_is_said_on_a_page_that_is_open(dashboard: Callable[..., Page]) -> None:
    with transaction() as session:
        make_delivery(session)
    page = dashboard("/sessions")
    with transaction() as session:
        session.get_one(Destination, "n8n").paused_at = clock.now()
        events.announce(session, "destinations", "n8n")
    expect(page.get_by_role("alert")).to_contain_text("N8n is paused.")
    page.get_by_role("button", name="Resume").click()
    expect(page.get_by_text("N8n is resumed.")).to_be_visible()
    expect(page.get_by_role("alert")).to_have_count(0)


def test_what_was_missed_offline_is_caught_up(dashboard: Callable[..., Page]) -> None:
    page = dashboard("/sessions")
    page.wait_for_timeout(1200)
    page.context.set_offline(True)
    page.evaluate("window.dispatchEvent(new Event('offline'))")
    with transaction() as session:
        chat = make_chat(session)
        events.announce(session, "sessions", chat.id)
    expect(page.locator("[data-live-state]")).to_have_text("Reconnecting…")
    page.context.set_offline(False)
    expect(page.locator(f"#session-{chat.id}")).to_be_visible()
    expect(page.locator("[data-live-state]")).to_have_text("Live")
    assert page.evaluate("window.wasNotReloaded")


def test_what_was_missed_while_the_listener_was_gone_is_caught_up(
    dashboard: Callable[..., Page], settings: Settings
) -> None:
    page = dashboard("/sessions")
    page.wait_for_timeout(1200)
    with transaction() as session:
        chat = make_chat(session)  # nobody is told, as if the listener had been away
    with psycopg.connect(settings.listen_url, autocommit=True) as connection:
        ended = connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname ="
            " current_database() AND application_name = 'platform-5ive live updates'"
        )
        assert ended.fetchall() == [(True,)]
    expect(page.locator(f"#session-{chat.id}")).to_be_visible()


def test_a_hidden_page_closes_its_stream_and_catches_up_when_seen(
    dashboard: Callable[..., Page],
) -> None:
    page = dashboard("/sessions")
    hide(page, True)
    with transaction() as session:
        chat = make_chat(session)
        events.announce(session, "sessions", chat.id)
    page.wait_for_timeout(1500)
    expect(page.locator(f"#session-{chat.id}")).to_have_count(0)
    hide(page, False)
    expect(page.locator(f"#session-{chat.id}")).to_be_visible()


def test_who_was_signed_out_is_asked_to_sign_in(dashboard: Callable[..., Page]) -> None:
    page = dashboard("/sessions")
    page.context.clear_cookies()
    with transaction() as session:
        # The answer to a request that is under way brings the cookie back: it must open nothing.
        session.execute(update(User).values(is_active=False))
        events.announce(session, "sessions", make_chat(session).id)
    page.wait_for_url(re.compile("/login"))


def test_the_focus_stays_on_a_row_that_changes(dashboard: Callable[..., Page]) -> None:
    with transaction() as session:
        chat = make_chat(session)
    page = dashboard("/sessions")
    page.locator(f"#session-{chat.id} a").focus()
    say(chat, "still here")
    expect(page.get_by_text("still here")).to_be_visible()
    expect(page.locator(f"#session-{chat.id} a")).to_be_focused()


def test_the_theme_is_chosen_and_kept(dashboard: Callable[..., Page]) -> None:
    page = dashboard("/sessions", color_scheme="dark")
    root = page.locator("html")
    expect(root).to_have_attribute("data-bs-theme", "dark")
    page.get_by_role("button", name="Theme: system").click()
    expect(root).to_have_attribute("data-bs-theme", "light")
    page.reload()
    expect(root).to_have_attribute("data-bs-theme", "light")
    expect(page.get_by_role("button", name="Theme: light")).to_be_visible()


def test_without_javascript_everything_is_there_but_live(
    new_context: NewContext, server: str
) -> None:
    make_user()
    chat = fill()
    page = new_context(java_script_enabled=False).new_page()
    page.goto(f"{server}/sessions/{chat.id}")
    page.get_by_label("E-mail").fill("ann@example.com")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator("mark")).to_have_text("within 24 hours")
    page.get_by_role("link", name="Deliveries").click()
    page.get_by_label("State").select_option("dead")
    page.get_by_role("button", name="Show").click()
    with transaction() as session:
        session.get_one(Destination, "n8n").paused_at = None
        repeat.send_all_again(session, "n8n")
    page.reload()
    expect(page.get_by_text("Nothing like this")).to_be_visible()


def hide(page: Page, is_hidden: bool) -> None:
    page.evaluate(
        """(hidden) => {
            Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
            document.dispatchEvent(new Event("visibilitychange"));
        }""",
        is_hidden,
    )


def assert_accessible(page: Page, axe: Axe, theme: str, width: int) -> None:
    """Drawn in that theme, without a barrier axe knows, and not wider than the screen."""
    assert page.locator("html").get_attribute("data-bs-theme") == theme
    assert axe(page) == [], page.url
    assert page.evaluate("document.documentElement.scrollWidth") <= width, page.url
