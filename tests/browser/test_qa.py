"""QA in real browsers: three sessions without a mouse, two reviewers at once, every screen."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from datetime import timedelta

from playwright.sync_api import Page, expect
from sqlalchemy import select

from app.core import clock
from app.core.db import transaction
from app.models import ChatSession, Message, QaMove, User
from app.review import qa
from app.review.qa import Decision
from tests.browser.screens import assert_fine
from tests.browser.signed_in import sign_in
from tests.browser.test_dashboard import Axe, NewContext, dashboard
from tests.factories import make_chat, make_lead, make_message, make_site
from tests.web.signed_in import make_user

__all__ = ["dashboard"]

Dashboard = Callable[..., Page]
WRONG = "It says 25 o'clock"
NAMES = ("Ann Lee", "María-José Fernández de la Vega y Hohenstaufen", "محمد علي")


def talks(names: Sequence[str] = NAMES) -> list[uuid.UUID]:
    """Conversations to check, the oldest first."""
    with transaction() as session:
        site = make_site(session, name="Harbour Dental")
        ids = []
        for number, name in enumerate(names):
            started_at = clock.now() - timedelta(hours=len(names) - number)
            chat = make_chat(session, site, started_at=started_at)
            make_lead(session, chat, name=name)
            make_message(session, chat, text="When do you open? " + "A long question " * number)
            make_message(session, chat, role="assistant", text="At 25 o'clock " + "z" * 99 * number)
            ids.append(chat.id)
        return ids


def decide(email: str, chat_id: uuid.UUID, *to_statuses: str) -> None:
    with transaction() as session:
        user_id = session.scalars(select(User.id).where(User.email == email)).one()
        message_id = session.scalar(select(Message.id).where(Message.session_id == chat_id))
        for to in to_statuses:
            status = session.get_one(ChatSession, chat_id).qa_status
            wanted = Decision(to, f"{WRONG}: {to}", "wrong_answer", message_id)
            qa.move(session, chat_id, user_id, wanted, expected_status=status)


def decided() -> list[tuple[str, str | None, bool]]:
    with transaction() as session:
        moves = session.scalars(select(QaMove).order_by(QaMove.id)).all()
        return [(move.to_status, move.note, move.undone_at is not None) for move in moves]


def test_three_sessions_without_a_mouse(dashboard: Dashboard) -> None:
    ids = talks()
    page = dashboard("/qa/numbers")
    keys = page.keyboard
    page.goto(page.url.replace("/qa/numbers", "/qa"))
    page.wait_for_url(f"**/qa/{ids[0]}*")
    keys.press("?")
    expect(page.get_by_role("dialog")).to_contain_text("Report an issue")
    keys.press("Escape")
    keys.press("s")
    page.wait_for_url(f"**/qa/{ids[1]}*")
    keys.press("j")
    page.wait_for_url(f"**/qa/{ids[2]}*")
    keys.press("j")
    page.wait_for_url(f"**/qa/{ids[0]}*")

    keys.press("p")
    page.wait_for_url(f"**/qa/{ids[1]}*")
    expect(page.get_by_role("status").filter(has_text="Marked as passed.")).not_to_have_count(0)
    keys.press("i")
    expect(page.get_by_label("What went wrong?")).to_be_focused()
    keys.type(f"{WRONG}, p and s are letters here")
    keys.press("Control+Enter")  # the browser itself asks for the kind of problem
    expect(page.get_by_label("What kind of problem is it?")).to_be_focused()
    keys.press("ArrowDown")
    keys.press("Tab")
    keys.press("ArrowDown")
    line = page.locator(".line.is-wrong")
    expect(line).to_contain_text("25 o'clock")
    keys.press("Control+Enter")
    page.wait_for_url(f"**/qa/{ids[2]}*")
    keys.press("u")
    page.wait_for_url(f"**/qa/{ids[1]}*")
    expect(page.locator(".is-undone")).to_contain_text("reported an issue: wrong answer")
    keys.press("p")
    page.wait_for_url(f"**/qa/{ids[2]}*")
    expect(page.get_by_text("1 is left")).to_be_visible()
    keys.press("p")
    expect(page.get_by_role("heading", name="All conversations are checked")).to_be_visible()
    assert decided() == [
        ("passed", None, False),
        ("issue", f"{WRONG}, p and s are letters here", True),
        ("passed", None, False),
        ("passed", None, False),
    ]


def test_two_at_once_are_told_and_keep_what_they_typed(
    dashboard: Dashboard, new_context: NewContext, server: str
) -> None:
    first, second, *_ = talks()
    ours = dashboard(f"/sessions/{first}")
    make_user("bob@example.com", role="agent")
    theirs = new_context().new_page()
    sign_in(theirs.context, server, "bob@example.com")
    theirs.goto(f"{server}/qa")
    theirs.wait_for_url(f"**/qa/{first}*")

    ours.get_by_text("Something is wrong").click()
    ours.get_by_label("What went wrong?").fill(WRONG)
    theirs.get_by_role("button", name="Passed").click()
    theirs.wait_for_url(f"**/qa/{second}*")
    told = ours.locator(".qa").get_by_role("alert")
    expect(told).to_contain_text("Meanwhile: bob@example.com passed it.")
    expect(ours.get_by_label("What went wrong?")).to_have_value(WRONG)
    ours.get_by_label("What kind of problem is it?").select_option("tone")
    ours.get_by_label("Which message is it about?").select_option(index=1)
    ours.get_by_role("button", name="Report the issue").click()
    expect(ours.locator(".qa")).to_contain_text("ann@example.com reported an issue: wrong tone")
    expect(theirs.locator(".tabs")).to_contain_text("Issues to fix 1")

    theirs.locator(".line-assistant").get_by_role("button", name="This is wrong").click()
    expect(theirs.get_by_label("Which message is it about?")).not_to_have_value("")
    theirs.get_by_label("What went wrong?").fill("Mine")
    decide("ann@example.com", second, "issue")
    expect(theirs.locator(".qa")).to_contain_text("Meanwhile: ann@example.com")
    expect(theirs.get_by_label("What you wrote")).to_have_value("Mine")
    theirs.keyboard.press("Escape")
    theirs.get_by_role("link", name="Skip to the next").click()
    theirs.wait_for_url(lambda address: str(second) not in address)


def test_every_screen(dashboard: Dashboard, axe: Axe) -> None:
    page = dashboard("/qa", reduced_motion="reduce")
    server = page.url.removesuffix("/qa")
    assert_fine(page, axe, "done")
    page.goto("about:blank")
    to_check, wrong, fixed = talks()
    decide("ann@example.com", wrong, "issue", "fixed", "issue")
    decide("ann@example.com", fixed, "issue", "fixed")
    for name in ("?tab=issue", "?tab=fixed", "/numbers", f"/{wrong}?tab=issue", f"/{to_check}"):
        page.goto(f"{server}/qa{name}")
        assert_fine(page, axe, f"qa{name}")
    page.get_by_text("Something is wrong").click()
    page.get_by_text("Add a note").click()
    assert_fine(page, axe, "opened")
