"""What each filter of the session list lets through, page by page, and what it costs."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete, text
from sqlalchemy.orm import Session

from app.core import clock
from app.core.errors import NotFound
from app.models import ChatSession, Delivery, Destination, Lead, Message
from app.models.chat_session import QA_STATUSES
from app.reporting import session_filter, sessions
from app.reporting.pages import cursor_after
from app.reporting.sessions import SessionFilter
from tests.factories import make_chat, make_lead, make_message, make_site
from tests.reporting.queries import counted

EVERYTHING = SessionFilter()
ARCHIVES = ("active", "archived", "archived", "active")


def newest_first(session: Session, count: int) -> list[ChatSession]:
    site, now = make_site(session), clock.now()
    return [make_chat(session, site, started_at=now - timedelta(minutes=i)) for i in range(count)]


def make_delivery(session: Session, lead: Lead, status: str, **values: Any) -> None:
    defaults = {"event": "lead.updated", "lead_id": lead.id, "session_id": lead.session_id}
    session.add(
        Delivery(
            destination_key="n8n", status=status, body="{}", created_at=clock.now(),
            **{**defaults, **values},
        )
    )  # fmt: skip
    session.flush()


@pytest.mark.parametrize("is_looked_up", [True, False])
def test_sessions_by_how_their_deliveries_fare(
    session: Session, monkeypatch: pytest.MonkeyPatch, is_looked_up: bool
) -> None:
    monkeypatch.setattr(session_filter, "MOST_LED", 1_000 if is_looked_up else 0)
    session.add(Destination(key="n8n", kind="n8n"))
    cases = {
        ("delivered", "cancelled"): {"arrived"},
        ("delivered", "pending"): {"waiting"},
        ("failed",): {"waiting"},
        ("delivered", "dead"): {"problem"},
        ("unknown", "failed"): {"problem", "waiting"},
        ("cancelled",): set(),
        (): set(),
    }
    expected: dict[str, set[uuid.UUID]] = {"arrived": set(), "waiting": set(), "problem": set()}
    for statuses, states in cases.items():
        chat = make_chat(session)
        lead = make_lead(session, chat)
        for status in statuses:
            make_delivery(session, lead, status)
        # A letter about the session is no delivery of its lead.
        make_delivery(session, lead, "dead", lead_id=None, event="qa.issue")
        for state in states:
            expected[state].add(chat.id)
    for state, ids in expected.items():
        wanted = SessionFilter(delivery=state)
        assert {row.session.id for row in sessions.list_page(session, wanted).items} == ids
        everything = [row.session.id for row in sessions.list_page(session, EVERYTHING).items]
        assert {row.session.id for row in sessions.by_ids(session, everything, wanted)} == ids
        assert sessions.counted(session, wanted) == len(ids)


FILTERS: list[dict[str, Any]] = [
    {"completion_status": "in_progress"},
    {"qa_status": "unchecked", "archive_status": "active"},
    {"has_contact": True},
    {"channel": "web", "assistant_engaged": False},
    {"words": "hello"},
]


@pytest.mark.parametrize("wanted", FILTERS)
def test_pages_of_a_filter_lead_through_it_and_back(
    session: Session, wanted: dict[str, Any]
) -> None:
    """Statuses are mixed, so that several parts of an index are merged."""
    fitting = []
    for number, chat in enumerate(newest_first(session, 24)):
        make_message(session, chat)
        make_lead(session, chat)
        if number % 2:
            make_message(session, chat)
            fitting.append(chat.id)
            chat.archive_status = "active" if "archive_status" in wanted else ARCHIVES[number % 4]
            chat.qa_status = "unchecked" if "qa_status" in wanted else QA_STATUSES[number % 3]
        else:
            _unlike(session, chat, wanted)
    session.flush()
    filter_ = SessionFilter(**wanted)
    seen, cursor, pages = [], None, []
    while not pages or cursor:
        page = sessions.list_page(session, filter_, limit=5, cursor=cursor)
        pages.append(page)
        seen += [row.session.id for row in page.items]
        cursor = page.next_cursor
    assert seen == fitting
    assert len(pages) == 3
    back = sessions.list_page(session, filter_, limit=5, cursor=pages[2].previous_cursor)
    assert back.items == pages[1].items
    assert sessions.counted(session, filter_) == 12
    assert sessions.counted(session, filter_, most=7) == 8
    for newer, middle, older in zip(fitting, fitting[1:], fitting[2:], strict=False):
        assert sessions.neighbours(session, filter_, middle) == (newer, older)
    assert sessions.neighbours(session, filter_, fitting[0]) == (None, fitting[1])
    assert sessions.neighbours(session, filter_, fitting[-1]) == (fitting[-2], None)
    session.expunge_all()
    with counted() as queries:
        sessions.list_page(session, filter_, limit=20)
    assert len(queries) <= 3


def _unlike(session: Session, chat: ChatSession, wanted: dict[str, Any]) -> None:
    """A session that just does not fit."""
    unlike = {"completion_status": "completed", "qa_status": "issue", "channel": "api"}
    column = next(iter(wanted))
    if column == "has_contact":
        session.execute(delete(Lead).where(Lead.session_id == chat.id))
    elif column == "words":
        session.execute(delete(Message).where(Message.session_id == chat.id))
    else:
        setattr(chat, column, unlike[column])
        if column == "completion_status":
            chat.completed_at, chat.completion_cause = clock.now(), "user"


def test_a_page_that_stops_looking_says_so_and_goes_on(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session_filter, "MOST_ASKED", 4)
    monkeypatch.setattr(sessions, "COUNTED_SHARE", 1)
    chats = newest_first(session, 10)
    for chat in (chats[1], chats[9]):
        make_lead(session, chat)
    wanted = SessionFilter(has_contact=True)
    first = sessions.list_page(session, wanted)
    assert [row.session.id for row in first.items] == [chats[1].id]
    assert first.looked_back_to == chats[3].started_at
    assert str(sessions.counted(session, wanted)) == "1+"
    second = sessions.list_page(session, wanted, cursor=first.next_cursor)
    assert (second.items, second.looked_back_to) == ([], chats[7].started_at)
    third = sessions.list_page(session, wanted, cursor=second.next_cursor)
    assert [row.session.id for row in third.items] == [chats[9].id]
    assert (third.next_cursor, third.looked_back_to) == (None, None)
    assert sessions.neighbours(session, wanted, chats[1].id) == (None, None)


def test_neighbours_of_a_session_that_is_not_there(session: Session) -> None:
    with pytest.raises(NotFound):
        sessions.neighbours(session, EVERYTHING, uuid.uuid4())


WALKED: list[dict[str, Any]] = [
    {"completion_status": "completed"},
    {"qa_status": "issue"},
    {"archive_status": "active", "qa_status": "passed"},
    {"channel": "web"},
    {"site_id": uuid.uuid4(), "qa_status": "passed"},
]
MANY = text("""
    INSERT INTO chat_sessions (id, site_id, channel, visitor_id, started_at, qa_status, draft)
    SELECT gen_random_uuid(), :site, (ARRAY['web', 'api'])[1 + n % 2], n::text,
           now() - n * interval '1 minute',
           (ARRAY['unchecked', 'passed', 'issue', 'fixed'])[1 + n % 4], '{}'
      FROM generate_series(1, 3000) n
""")


def test_a_filter_walks_an_index_in_its_order(session: Session) -> None:
    """Nothing is sorted or skipped, at any depth."""
    session.execute(MANY, {"site": make_site(session).id})
    session.execute(text("ANALYZE chat_sessions"))
    cursor = cursor_after((clock.now(), uuid.uuid4()))
    for wanted in WALKED:
        page = session_filter.choose(session, SessionFilter(**wanted)).cut(50, cursor)
        compiled = page.compile(session.connection(), compile_kwargs={"literal_binds": True})
        plan = session.scalars(text(f"EXPLAIN {str(compiled).replace(':', chr(92) + ':')}")).all()
        scans = [line for line in plan if "Scan" in line and "Subquery" not in line]
        assert scans
        assert all("ix_chat_sessions_" in line for line in scans), plan
        assert not any("->  Sort" in line for line in plan), plan
        assert not any("Filter" in line and "_status" in line for line in plan), plan
