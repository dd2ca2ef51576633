"""An abandoned lead is sent once, and what comes after it is of the same lead."""

from __future__ import annotations

import contextvars
import threading
import time
import uuid
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select, text

from app.completion.complete import complete
from app.completion.reopen import reopen
from app.core import clock
from app.core.db import db, transaction
from app.leads.changes import take_over
from app.leads.partial import _DUE, forget_unwanted, send_abandoned
from app.models import ChatSession, Delivery, Lead, Site
from app.models.transcript import Answer, Draft
from tests.factories import make_chat, make_lead, make_message, make_site
from tests.fakes.n8n import N8n
from tests.jobs.workers import Start


def abandon(minutes: int = 31, lead: dict[str, Any] | None = None, **site: Any) -> uuid.UUID:
    """A session with a lead whose visitor has been away for so long."""
    left_at = clock.now() - timedelta(minutes=minutes)
    draft = Draft().with_answer("name", Answer("Ann Lee"))
    draft = draft.with_answer("email", Answer("ann@example.com"))
    with transaction() as session:
        chat = make_chat(session, make_site(session, **site), last_message_at=left_at)
        make_message(session, chat, text="ann@example.com", created_at=left_at)
        make_lead(session, chat, **(lead or {}))
        chat.draft = draft.to_json()
        return chat.id


def sent() -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(Delivery)) or 0


def awaits(chat_id: uuid.UUID) -> bool:
    db.session.rollback()
    found = db.session.scalar(select(Lead.awaits_partial).where(Lead.session_id == chat_id))
    return bool(found)


def finish(chat_id: uuid.UUID) -> None:
    with transaction() as session:
        site = session.get_one(Site, session.get_one(ChatSession, chat_id).site_id)
        complete(session, chat_id, site.profile(), cause="live", phrase="within 24 hours")


def test_partial_then_completed_then_updated_in_order_for_one_lead(
    database: Flask, n8n: N8n, start_worker: Start
) -> None:
    chat_id = abandon()
    n8n.behave(500)
    assert start_worker("--once").wait(timeout=30) == 0
    with transaction() as session:  # a worker may take its five seconds to start
        session.execute(text("UPDATE deliveries SET next_attempt_at = now() + interval '1 hour'"))
    finish(chat_id)
    with transaction() as session:
        chat = session.get_one(ChatSession, chat_id)
        site = session.get_one(Site, chat.site_id).profile()
        draft = Draft.from_json(chat.draft).with_answer("email", Answer("ann.lee@example.com"))
        take_over(session, chat_id, site, draft, is_completed=True)
    assert start_worker("--once").wait(timeout=30) == 0
    assert [request.event["type"] for request in n8n.received] == ["lead.partial"]

    with transaction() as session:  # its five seconds are over
        session.execute(
            text("UPDATE deliveries SET next_attempt_at = created_at - interval '1 hour'")
        )
    assert start_worker("--once").wait(timeout=30) == 0
    assert start_worker("--once").wait(timeout=30) == 0

    partial, *others = n8n.received
    assert [each.event["type"] for each in others] == [
        "lead.partial",
        "lead.completed",
        "lead.updated",
    ]
    assert len({each.event["data"]["lead"]["id"] for each in n8n.received}) == 1
    assert len({each.webhook_id for each in others}) == 3
    assert others[0].webhook_id == partial.webhook_id
    assert partial.event["data"]["session"]["completed_at"] is None
    assert others[2].event["data"]["lead"]["email"] == "ann.lee@example.com"
    assert all(each.is_verified for each in n8n.received)


def test_it_is_sent_once(database: Flask) -> None:
    chat_id = abandon()
    assert send_abandoned() == 1
    assert not awaits(chat_id)
    assert send_abandoned() == 0
    assert sent() == 1


def test_a_reopened_session_does_not_send_it_again(database: Flask) -> None:
    chat_id = abandon()
    send_abandoned()
    finish(chat_id)
    with transaction() as session:
        reopen(session, chat_id, None)
    assert send_abandoned() == 0


def test_one_completed_and_reopened_before_it_was_due_sends_none(database: Flask) -> None:
    chat_id = abandon()
    finish(chat_id)
    with transaction() as session:
        reopen(session, chat_id, None)
    assert send_abandoned() == 0


@pytest.mark.parametrize(
    "case",
    [
        {"minutes": 29},
        {"minutes": 44, "partial_after_minutes": 45},
        {"partial_after_minutes": 0, "minutes": 100_000},
        {"lead": {"email": None, "phone": None}},
    ],
)
def test_nothing_is_sent_too_early_or_without_a_contact(
    database: Flask, case: dict[str, Any]
) -> None:
    abandon(**case)
    assert send_abandoned() == 0
    assert sent() == 0


def test_a_message_that_comes_at_that_moment_keeps_it_waiting(database: Flask) -> None:
    chat_id = abandon()
    result: list[int] = []

    def send() -> None:
        with database.app_context():
            result.append(send_abandoned())

    thread = threading.Thread(target=contextvars.Context().run, args=(send,))
    with transaction() as session:  # somebody writes, and has not committed yet
        session.execute(
            text("UPDATE chat_sessions SET last_message_at = :now"), {"now": clock.now()}
        )
        thread.start()
        _wait_for_a_lock()
    thread.join()
    assert result == [0]
    assert awaits(chat_id)


def _wait_for_a_lock() -> None:
    for _ in range(500):
        with db.engine.connect() as connection:
            if connection.scalar(
                text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
            ):
                return
        time.sleep(0.01)
    raise AssertionError("nobody waited")


def test_two_workers_at_once_send_one(database: Flask) -> None:
    for _ in range(20):
        abandon()
    results: list[int] = []

    def send() -> None:
        with database.app_context():
            results.append(send_abandoned())

    threads = [threading.Thread(target=contextvars.Context().run, args=(send,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(results) == 20
    assert sent() == 20


def test_more_than_a_batch_is_sent_and_never_more_than_asked(database: Flask) -> None:
    for _ in range(7):
        abandon()
    assert send_abandoned(most=5) == 5
    assert send_abandoned(most=5) == 2


def test_leads_of_a_site_that_wants_none_stop_waiting_after_a_day(database: Flask) -> None:
    long_gone = abandon(minutes=25 * 60, partial_after_minutes=0)
    recent = abandon(minutes=60, partial_after_minutes=0)
    other = abandon(minutes=25 * 60)
    forget_unwanted()
    assert [awaits(each) for each in (long_gone, recent, other)] == [False, True, True]


def test_what_is_due_is_found_by_the_index_of_what_waits(database: Flask) -> None:
    abandon()
    with transaction() as session:
        session.execute(text("SET LOCAL enable_seqscan = off"))
        values = {"now": clock.now(), "after": uuid.UUID(int=0), "most": 100}
        plan = session.scalars(text(f"EXPLAIN {_DUE.text}"), values).all()
    assert "ix_leads_awaits_partial" in "\n".join(plan)
