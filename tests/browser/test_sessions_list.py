"""The list of sessions in a real browser: by keyboard, live without moving, on every screen."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

from playwright.sync_api import Page, expect
from sqlalchemy import delete, update

from app.core import clock, events
from app.core.db import transaction
from app.models import ChatSession
from tests.browser.screens import put_on
from tests.browser.signed_in import sign_in
from tests.browser.test_dashboard import Axe, NewContext, dashboard
from tests.factories import make_chat, make_lead, make_message, make_site
from tests.web.signed_in import make_user

__all__ = ["dashboard"]

Dashboard = Callable[..., Page]
NAMES = ("Ann Lee", "María-José Fernández de la Vega y Hohenstaufen", "محمد علي", "Ida", "Bo")


def make_sessions(number: int) -> list[str]:
    """Newest first."""
    with transaction() as session:
        site = make_site(session, name="Harbour Dental and Sons of the Northern Shore")
        chats = []
        for place in range(number):
            chat = make_chat(session, site, started_at=clock.now() - timedelta(minutes=place))
            make_lead(session, chat, name=NAMES[place % len(NAMES)], email=f"v{place}@example.com")
            make_message(session, chat, text=f"Tooth {place} " + "hurts " * 30)
            chats.append(str(chat.id))
    return chats


def change(chat_id: str, **values: object) -> None:
    with transaction() as session:
        session.execute(update(ChatSession).where(ChatSession.id == chat_id).values(**values))
        events.announce(session, "sessions", chat_id)


def come(**values: object) -> str:
    with transaction() as session:
        chat = make_chat(session, **values)
        events.announce(session, "sessions", chat.id)
    return str(chat.id)


def test_the_list_is_worked_through_by_keyboard(dashboard: Dashboard) -> None:
    chats = make_sessions(5)
    page = dashboard("/sessions")
    focused = page.locator("li:focus-within")

    def press(*keys: str) -> None:
        for key in keys:
            page.keyboard.press(key)

    press("j")
    expect(focused).to_have_id(f"session-{chats[0]}")
    press("j", "j", "k")
    expect(page.locator(f"#session-{chats[1]} .row-link")).to_be_focused()
    press("x", "j", "x")
    expect(page.get_by_text("2 selected")).to_be_visible()
    press("Control+e", "Shift+E", "Alt+x")  # with a modifier they are somebody else's
    press("/")
    expect(page.get_by_label("Search", exact=True)).to_be_focused()
    press("e", "x", "j", "?")
    expect(page.get_by_label("Search", exact=True)).to_have_value("exj?")
    expect(page.get_by_role("dialog")).to_be_hidden()
    page.locator(f"#session-{chats[2]} .row-link").focus()
    press("e")
    expect(page.get_by_text("2 sessions archived.")).to_be_visible()
    expect(page.locator("[data-list-rows] > li")).to_have_count(3)
    expect(focused).to_have_id(f"session-{chats[3]}")  # the neighbour of what has gone
    expect(page.locator("[data-part=count]")).to_contain_text("3 sessions")
    press("e")
    expect(page.get_by_text("1 session archived.")).to_be_visible()
    expect(page.locator("[data-list-rows] > li")).to_have_count(2)
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(f"#session-{chats[3]}")).to_be_visible()
    press("?")
    shortcuts = page.get_by_role("dialog", name="Keyboard shortcuts")
    expect(shortcuts).to_contain_text("Archive what is selected")
    press("j", "Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    page.get_by_label("Select all on this page").first.check()
    expect(page.get_by_text("3 selected")).to_be_visible()
    press("Escape")
    expect(page.locator("[data-number]")).to_be_empty()
    assert page.evaluate("window.wasNotReloaded")
    page.goto(page.url + "?archive_status=archived")
    press("j", "e")
    expect(page.get_by_text("1 session brought back.")).to_be_visible()
    expect(page.locator("[data-list-rows] > li")).to_have_count(1)
    press("j", "Enter")
    page.wait_for_url(re.compile(r"/sessions/[0-9a-f-]{36}\?archive_status=archived$"))
    page.go_back()
    expect(focused).to_have_count(1)  # where one was


def test_undo_brings_back_what_was_moved_and_nothing_else(dashboard: Dashboard) -> None:
    chats = make_sessions(3)
    change(chats[1], archive_status="archived")
    page = dashboard("/sessions?archive_status=all")
    page.get_by_label("Select all on this page").first.check()
    page.get_by_role("button", name="Archive", exact=True).click()
    expect(page.get_by_text("2 sessions archived.")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("2 sessions brought back.", exact=True)).to_be_visible()
    expect(page.locator("[data-archive=active]")).to_have_count(2)
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("2 sessions archived.", exact=True)).to_be_visible()
    expect(page.locator("[data-archive=archived]")).to_have_count(3)


def test_nothing_moves_under_ones_eyes(dashboard: Dashboard) -> None:
    chats = make_sessions(60)
    page = dashboard("/sessions")
    page.wait_for_timeout(1200)
    rows = page.locator("[data-list-rows] > li")
    expect(rows).to_have_count(50)
    page.locator(f"#session-{chats[20]} .row-link").focus()
    read = page.locator(f"#session-{chats[21]}")
    read.scroll_into_view_if_needed()
    page.wait_for_timeout(100)
    before = read.bounding_box()
    with transaction() as session:
        session.execute(delete(ChatSession).where(ChatSession.id == chats[0]))
        events.announce(session, "sessions", chats[0])
    expect(page.locator(f"#session-{chats[0]}")).to_have_count(0)
    expect(page.locator("[data-part=count]")).to_contain_text("59")
    expect(rows).to_have_count(50)  # the next page's first has moved up
    expect(rows.last).to_have_id(f"session-{chats[50]}")
    expect(page.locator(f"#session-{chats[20]} .row-link")).to_be_focused()
    place = read.bounding_box()
    assert place == before
    new = [come(started_at=clock.now() + timedelta(seconds=number)) for number in (1, 2, 3)]
    bar = page.get_by_role("button", name="3 new sessions")
    expect(bar).to_be_visible()
    expect(page.locator("[data-part=count]")).to_contain_text("62")
    change(chats[21], qa_status="issue", completion_status="completed", completed_at=clock.now())
    expect(read).to_contain_text("Issue")
    assert read.bounding_box() == place
    change(new[0], archive_status="archived")
    expect(page.get_by_role("button", name="2 new sessions")).to_be_visible()
    page.keyboard.press("n")
    expect(page.locator(f"#session-{new[2]} .row-link")).to_be_focused()
    expect(rows).to_have_count(50)
    expect(page.get_by_role("button", name="new session")).to_have_count(0)
    page.get_by_role("link", name="Older").click()
    expect(page.locator("[data-list-rows] > li")).to_have_count(11)
    come()
    page.wait_for_timeout(1500)
    expect(page.get_by_role("button", name="new session")).to_have_count(0)  # not of this page


def test_filters_are_chosen_shown_and_kept_as_a_view(dashboard: Dashboard) -> None:
    make_sessions(3)
    page = dashboard("/sessions")
    page.get_by_label("Booking").select_option("Completed")
    page.wait_for_url("**/sessions?completion_status=completed")
    expect(page.get_by_label("Booking")).to_be_focused()
    expect(page.get_by_text("Nothing that is not archived fits")).to_be_visible()
    page.get_by_role("link", name="Booking: Completed").click()
    page.wait_for_url("**/sessions")
    page.get_by_label("Search", exact=True).fill("tooth 1")
    page.keyboard.press("Enter")
    page.wait_for_url("**/sessions?q=tooth+1")
    expect(page.locator(".said mark").first).to_have_text("Tooth")
    page.get_by_label("Started").select_option("Own dates…")
    expect(page.get_by_label("From")).to_be_focused()
    page.get_by_label("From").fill("2026-01-02")
    page.get_by_role("button", name="Show").click()
    page.wait_for_url("**/sessions?q=tooth+1&from=2026-01-02")
    page.get_by_label("Started").select_option("Today")
    page.wait_for_url("**/sessions?q=tooth+1&period=today")
    page.get_by_text("Save as a view").click()
    page.get_by_label("Name of the view").fill("Teeth")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("link", name="Teeth")).to_have_attribute("aria-current", "page")
    page.get_by_role("link", name="Clear all").click()
    page.wait_for_url("**/sessions")
    page.set_viewport_size({"width": 390, "height": 844})
    expect(page.get_by_label("Booking")).to_be_hidden()
    page.get_by_text("Filters", exact=True).click()
    expect(page.get_by_label("Booking")).to_be_visible()
    expect(page.get_by_label("Site")).to_be_visible()


def test_without_javascript_the_list_is_filtered_and_archived_from(
    new_context: NewContext, server: str
) -> None:
    make_user()
    chats = make_sessions(3)
    page = new_context(java_script_enabled=False).new_page()
    sign_in(page.context, server)
    page.goto(f"{server}/sessions")
    page.get_by_label("Review").select_option("Unchecked")
    page.get_by_role("button", name="Show").click()
    assert page.url == f"{server}/sessions?qa_status=unchecked"
    for chat_id in chats[:2]:
        page.locator(f"#session-{chat_id}").get_by_role("checkbox").check()
    page.get_by_role("button", name="Archive").click()
    expect(page.get_by_text("2 sessions archived.")).to_be_visible()
    assert page.url == f"{server}/sessions?qa_status=unchecked"
    expect(page.locator("[data-list-rows] > li")).to_have_count(1)


def test_no_barrier_and_no_sideways_scroll(dashboard: Dashboard, server: str, axe: Axe) -> None:
    page = dashboard("/sessions")
    looks = [(theme, width) for width in (1440, 768, 390) for theme in ("light", "dark")]

    def look(prepare: Callable[[], object] = lambda: None) -> None:
        for theme, width in looks:
            put_on(page, theme, width)
            prepare()
            assert axe(page, colours_only=theme == "dark") == [], (page.url, theme, width)
            assert page.evaluate("document.documentElement.scrollWidth") <= width, page.url

    look()  # nothing yet
    make_sessions(4)
    page.goto(f"{server}/sessions?q=tooth&from=yesterday&has_contact=yes&archive_status=all")
    come(started_at=clock.now() + timedelta(seconds=1))
    page.locator("[data-list-rows] [type=checkbox]").first.check()
    page.locator(".view-menu summary").click()
    look(
        lambda: page.evaluate(
            "document.querySelectorAll('.filter-bar details').forEach((d) => d.open = true)"
        )
    )
    page.goto(f"{server}/sessions?q=nothing-like-it")
    page.keyboard.press("?")
    look()
