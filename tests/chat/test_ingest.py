"""Conversations from outside become sessions and messages, once, in their writer's order."""

from __future__ import annotations

import uuid

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.chat.ingest import session_key_of
from app.completion import layers
from app.core import clock
from app.models import ChatSession, Delivery, Lead, Message, Site
from app.models.chat_session import DeletedSession
from tests.chat.outside import PROMISE, bring, check_counters, make_source, pushed, row, transcript
from tests.factories import make_chat, make_site

OWN = "0b1ed0e7-3a88-4f4c-9b39-6f6f3b9a8a11"


@pytest.fixture
def site(session: Session) -> Site:
    return make_site(session)


@pytest.fixture
def source(session: Session) -> int:
    return make_source(session)


@pytest.mark.parametrize(
    ("raw", "key"),
    [
        ("S-2__Postgres_Chat_Memory", "S-2"),
        ("S-1", "S-1"),
        (f"{OWN}__My_Memory", OWN),
        ("S-1__My_Memory", "S-1"),
        ("shop__A1", "shop__A1"),
        (f"{OWN}__1st_memory", OWN),
        ("a__b", "a__b"),
        ("a__b__Simple_Memory", "a__b"),
        ("a__Node__Other_Node", "a"),
        ("__Memory", "__Memory"),
        ("", ""),
    ],
)
def test_a_session_key_loses_the_name_of_its_node(raw: str, key: str) -> None:
    assert session_key_of(raw) == key


def test_rows_become_a_session_that_completes_with_its_lead(
    session: Session, site: Site, source: int
) -> None:
    lines = [
        row(1, "visitor", "Hello, I am Ann Lee"),
        row(2, "assistant", "Your e-mail?"),
        row(5, "visitor", "ann@example.com"),
        row(6, "assistant", PROMISE),
    ]
    done = bring(session, site, lines, key="S-1__Postgres_Chat_Memory", source=source)
    chat = session.scalars(select(ChatSession)).one()
    assert done.sessions == {"S-1__Postgres_Chat_Memory": chat.id}
    assert (done.sessions_created, done.messages_added, done.duplicates) == (1, 4, 0)
    assert (done.completions_found, done.leads_created, done.held) == (1, 1, [])
    assert done.deliveries_enqueued == session.scalar(select(func.count()).select_from(Delivery))
    assert (chat.external_session_id, chat.visitor_id, chat.channel) == ("S-1", "S-1", "n8n")
    assert (chat.completion_status, chat.completion_cause) == ("completed", "auto_sync")
    assert transcript(session, chat.id) == [(each.role, each.text) for each in lines]
    assert session.scalars(select(Lead)).one().email == "ann@example.com"
    assert session.scalars(select(Message.is_checked)).all() == [True] * 4
    check_counters(session, chat.id)


def test_what_is_stored_already_is_a_duplicate(session: Session, site: Site, source: int) -> None:
    lines = [row(1, "visitor", "Hello"), row(2, "assistant", PROMISE)]
    bring(session, site, lines, source=source)
    again = bring(session, site, [*lines, row(3, "visitor", "Thanks")], source=source)
    assert (again.messages_added, again.duplicates, again.completions_found) == (1, 2, 0)
    assert again.sessions_created == 0
    pair = [pushed("a", "visitor", "Hello"), pushed("a", "visitor", "Hello")]
    first = bring(session, site, pair, key="P", channel="api", cause="live")
    assert (first.messages_added, first.duplicates) == (1, 1)
    second = bring(session, site, pair[:1], key="P", channel="api", cause="live")
    assert (second.messages_added, second.duplicates) == (0, 1)
    assert list(second.sessions.values()) == list(first.sessions.values())
    assert session.scalar(select(func.count()).select_from(Lead)) == 1


def test_an_own_session_id_means_that_session(session: Session, site: Site) -> None:
    chat = make_chat(session)
    done = bring(session, site, [pushed("a", "agent", "Ann here")], key=str(chat.id))
    assert list(done.sessions.values()) == [chat.id]
    assert chat.site_id != site.id
    check_counters(session, chat.id)


def test_a_deleted_session_does_not_come_back(session: Session, site: Site, source: int) -> None:
    gone = uuid.uuid4()
    for session_id, key in ((gone, None), (uuid.uuid4(), "S-1")):
        session.add(
            DeletedSession(
                session_id=session_id,
                site_id=site.id,
                channel="n8n",
                external_session_id=key,
                deleted_at=clock.now(),
            )
        )
    session.flush()
    one = bring(session, site, [row(1, "visitor", "Hi")], key=f"{gone}__My_Memory", source=source)
    two = bring(
        session, site, [row(2, "visitor", "Hi")], key="S-1__Postgres_Chat_Memory", source=source
    )
    for done in (one, two):
        assert (done.duplicates, done.messages_added, done.sessions) == (1, 0, {})
    assert session.scalar(select(func.count()).select_from(ChatSession)) == 0


def test_a_switched_off_layer_stores_without_judging(
    session: Session, site: Site, source: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(layers, "_active", frozenset({"sweep"}))
    lines = [row(1, "visitor", "Hi"), row(2, "assistant", PROMISE)]
    done = bring(session, site, lines, source=source)
    assert (done.messages_added, done.completions_found) == (2, 0)
    assert session.scalars(select(Message.is_checked)).all() == [False, False]


def test_words_that_no_message_can_hold_are_made_to_fit(
    session: Session, site: Site, source: int
) -> None:
    lines = [
        row(1, "visitor", "nul\0 and half \ud83d here"),
        row(2, "visitor", " \n "),
        row(3, "assistant", "a" * 30_000 + "end"),
    ]
    done = bring(session, site, lines, source=source)
    assert (done.messages_added, done.duplicates) == (2, 0)
    (session_id,) = done.sessions.values()
    (_, first), (_, second) = transcript(session, session_id)
    assert first == "nul and half  here"
    assert len(second) <= 20_000
    assert second.startswith("aaa")
    assert " […] " in second
    assert second.endswith("end")


def test_a_contact_detail_without_completion_makes_a_lead_and_a_change_later_updates_it(
    session: Session, site: Site, source: int
) -> None:
    lines = [row(1, "visitor", "I am at ann@example.com"), row(2, "assistant", "Good.")]
    done = bring(session, site, lines, source=source)
    assert (done.leads_created, done.completions_found) == (1, 0)
    bring(session, site, [row(3, "assistant", PROMISE)], source=source)
    more = bring(
        session, site, [row(4, "visitor", "Sorry, I meant lee@example.com")], source=source
    )
    assert (more.leads_created, more.completions_found) == (0, 0)
    assert session.scalars(select(Lead)).one().email == "lee@example.com"
    events = session.scalars(select(Delivery.event).order_by(Delivery.created_at)).all()
    assert set(events) == {"lead.completed", "lead.updated"}
