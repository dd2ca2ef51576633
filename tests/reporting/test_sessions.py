from __future__ import annotations

import base64
import uuid
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core import clock
from app.core.db import db
from app.core.errors import Invalid, NotFound
from app.models import ChatSession, SessionEvent
from app.reporting import sessions
from app.reporting.sessions import SessionFilter
from tests.factories import make_chat, make_lead, make_message, make_site
from tests.reporting.queries import counted

EVERYTHING = SessionFilter()


def make_chats(session: Session, count: int, *, same_moment: bool = False) -> list[ChatSession]:
    """Newest first."""
    site, now = make_site(session), clock.now()
    step = timedelta(0) if same_moment else timedelta(minutes=1)
    chats = [make_chat(session, site, started_at=now - step * i) for i in range(count)]
    return sorted(chats, key=lambda chat: (chat.started_at, chat.id), reverse=True)


@pytest.mark.parametrize("same_moment", [False, True])
def test_pages_lead_through_the_whole_list_and_back(session: Session, same_moment: bool) -> None:
    expected = [chat.id for chat in make_chats(session, 7, same_moment=same_moment)]
    first = sessions.list_page(session, EVERYTHING, limit=3)
    second = sessions.list_page(session, EVERYTHING, limit=3, cursor=first.next_cursor)
    third = sessions.list_page(session, EVERYTHING, limit=3, cursor=second.next_cursor)
    assert [row.session.id for page in (first, second, third) for row in page.items] == expected
    assert first.previous_cursor is None
    assert third.next_cursor is None
    back = sessions.list_page(session, EVERYTHING, limit=3, cursor=third.previous_cursor)
    assert back.items == second.items
    start = sessions.list_page(session, EVERYTHING, limit=3, cursor=back.previous_cursor)
    assert start.items == first.items
    assert start.previous_cursor is None


def test_a_page_of_any_length_is_one_query(session: Session) -> None:
    for chat in make_chats(session, 20):
        make_lead(session, chat)
        make_message(session, chat)
    session.expunge_all()
    with counted() as seen:
        rows = sessions.list_page(session, EVERYTHING, limit=20).items
        shown = {
            (row.lead and row.lead.name, row.last_message and row.last_message.text) for row in rows
        }
    assert len(rows) == 20
    assert shown == {("Ann Lee", "Hello")}
    assert len(seen) == 1


def test_a_row_shows_the_last_message_cut(session: Session) -> None:
    chat = make_chat(session)
    make_message(session, chat, text="first")
    make_message(session, chat, role="assistant", text="é" * 1500)
    row = sessions.one(session, chat.id)
    assert row.last_message is not None
    assert (row.last_message.role, len(row.last_message.text)) == ("assistant", 1000)


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({"completion_status": "completed"}, {"completed"}),
        ({"completion_status": "in_progress"}, {"plain", "archived"}),
        ({"archive_status": "archived"}, {"archived"}),
        ({"qa_status": "issue"}, {"archived"}),
        ({"channel": "messenger"}, {"completed"}),
        ({"site_key": "clinic"}, {"completed"}),
        ({"site_key": "no-such-site"}, set()),
        ({"has_contact": True}, {"completed"}),
        ({"has_contact": False}, {"plain", "archived"}),
        ({"assistant_engaged": True}, {"archived"}),
        ({"assistant_engaged": False}, {"plain", "completed"}),
        ({"site_key": "clinic", "channel": "messenger"}, {"completed"}),
        ({"site_key": "clinic", "channel": "web"}, set()),
        ({"completion_status": "completed", "has_contact": True}, {"completed"}),
        ({"completion_status": "completed", "has_contact": False}, set()),
        ({"completion_status": "completed", "archive_status": "archived"}, set()),
    ],
)
def test_filters(session: Session, wanted: dict[str, Any], expected: set[str]) -> None:
    clinic = make_site(session, key="clinic")
    completed = make_chat(session, clinic, completion_status="completed", channel="messenger")
    make_lead(session, completed, phone=None)
    plain = make_chat(session)
    make_lead(session, plain, email=None, phone=None)
    archived = make_chat(
        session, archive_status="archived", qa_status="issue", assistant_engaged=True
    )
    names = {completed.id: "completed", plain.id: "plain", archived.id: "archived"}
    page = sessions.list_page(session, SessionFilter(**wanted))
    assert {names[row.session.id] for row in page.items} == expected


def test_the_start_of_a_time_range_is_included_and_its_end_is_not(session: Session) -> None:
    newest, middle, oldest = make_chats(session, 3)
    page = sessions.list_page(
        session,
        SessionFilter(started_from=oldest.started_at, started_to=newest.started_at),
    )
    assert [row.session.id for row in page.items] == [middle.id, oldest.id]


@pytest.mark.parametrize(
    "cursor",
    ["", "x", "é", "bmV4dA==", "bmV4dCAyMDI2LTExLTIyVDE3OjEyOjAwWiB4", "\x00", "a" * 400],
)
def test_a_wrong_cursor_is_refused_by_name(session: Session, cursor: str) -> None:
    with pytest.raises(Invalid) as refused:
        sessions.list_page(session, EVERYTHING, cursor=cursor)
    assert list(refused.value.errors) == ["cursor"]


def test_messages_come_oldest_first_by_time_and_page_on(session: Session) -> None:
    chat, now = make_chat(session), clock.now()
    late = make_message(session, chat, text="late", created_at=now)
    early = make_message(session, chat, text="early", created_at=now - timedelta(minutes=1))
    first = sessions.messages_page(session, chat.id, limit=1)
    second = sessions.messages_page(session, chat.id, limit=1, cursor=first.next_cursor)
    assert [m.id for m in (*first.items, *second.items)] == [early.id, late.id]
    assert second.next_cursor is None
    newest = sessions.latest_messages(session, chat.id, limit=1)
    assert [m.id for m in newest.items] == [late.id]
    assert sessions.latest_messages(session, chat.id, limit=1, cursor=newest.next_cursor).items == [
        early
    ]


def test_a_session_that_is_not_there(session: Session) -> None:
    with pytest.raises(NotFound):
        sessions.one(session, uuid.uuid4())
    with pytest.raises(NotFound):
        sessions.messages_page(session, uuid.uuid4())


def test_the_timeline_is_in_order(session: Session) -> None:
    chat, now = make_chat(session), clock.now()
    for minutes, kind in ((1, "completed"), (3, "reopened"), (2, "left_open")):
        at = now + timedelta(minutes=minutes)
        session.add(SessionEvent(session_id=chat.id, at=at, kind=kind, cause="user"))
    session.flush()
    found = [entry.event.kind for entry in sessions.timeline(session, chat.id)]
    assert found == ["completed", "left_open", "reopened"]


def test_a_deep_page_is_found_by_index(database: Flask) -> None:
    """The database walks the index from the cursor, instead of sorting or skipping rows."""
    key = f"next 2026-11-22T17:12:00Z {uuid.uuid4()}"
    cursor = base64.urlsafe_b64encode(key.encode()).decode()
    page = sessions.NEWEST_FIRST.cut(select(ChatSession.id), 50, cursor)
    compiled = page.compile(db.engine, compile_kwargs={"literal_binds": True})
    with db.engine.connect() as connection:
        connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        connection.exec_driver_sql("SET LOCAL enable_bitmapscan = off")
        connection.exec_driver_sql("SET LOCAL enable_sort = off")  # cheap where there are few
        plan = connection.exec_driver_sql(f"EXPLAIN {compiled}").scalars().all()
    assert any("ix_chat_sessions_started_at_id" in line for line in plan), plan
    assert not any("Sort" in line for line in plan), plan
