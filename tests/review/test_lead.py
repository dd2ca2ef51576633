"""Editing a lead: against what others changed meanwhile, and what destinations are told of it."""

from __future__ import annotations

import contextvars
import json
import threading
import uuid

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.completion.complete import complete
from app.core import clock
from app.core.db import transaction
from app.core.errors import Conflict, Invalid, NotFound
from app.models import ChatSession, Delivery, Lead, LeadChange, Site
from app.models.transcript import Answer, Draft
from app.review.lead import edit_lead
from app.upkeep.doctor_check import HIGHEST_NUMBER, HIGHEST_UUID, Span
from app.upkeep.doctor_leads import CHECKS
from tests.factories import make_chat, make_lead, make_message

SEEN = {"name": "Ann Lee", "email": "ann@example.com", "phone": "+442079460958"}


def save(
    session: Session,
    chat: ChatSession,
    typed: dict[str, str],
    version: int = 1,
    seen: dict[str, str] | None = None,
) -> list[str]:
    return edit_lead(session, chat.id, typed, version=version, seen=seen or SEEN, user_id=None)


def lead_of(session: Session, chat: ChatSession) -> Lead:
    session.expire_all()
    return session.scalars(select(Lead).where(Lead.session_id == chat.id)).one()


def told(session: Session) -> list[str]:
    return list(session.scalars(select(Delivery.event).order_by(Delivery.created_at)))


def completed(session: Session) -> ChatSession:
    chat = make_chat(session)
    make_message(session, chat, text="I am Ann Lee, ann@example.com, +44 20 7946 0958")
    site = session.get_one(Site, chat.site_id).profile()
    complete(session, chat.id, site, cause="user")
    session.expire_all()
    return chat


def test_a_completed_sessions_edit_is_sent_once_with_the_new_values(session: Session) -> None:
    chat = completed(session)
    assert save(session, chat, {"phone": "020 7946 0001"}) == ["phone"]
    assert told(session) == ["lead.completed", "lead.updated"]
    body = session.scalars(select(Delivery.body).where(Delivery.event == "lead.updated")).one()
    assert json.loads(body)["data"]["lead"]["phone"] == "+442079460001"
    again = {**SEEN, "phone": "+442079460001"}
    assert save(session, chat, {"phone": "+44 20 7946 0001"}, 2, again) == []
    assert told(session) == ["lead.completed", "lead.updated"]
    assert lead_of(session, chat).version == 2


def test_an_open_sessions_edit_sends_nothing_and_completing_sends_it(session: Session) -> None:
    chat = make_chat(session)
    make_lead(session, chat)
    save(session, chat, {"email": "right@example.com"})
    assert told(session) == []
    make_message(session, chat, text="Write to wrong@example.com")
    site = session.get_one(Site, chat.site_id).profile()
    complete(session, chat.id, site, cause="user")
    body = session.scalars(select(Delivery.body)).one()
    assert json.loads(body)["data"]["lead"]["email"] == "right@example.com"
    # The doctor finds nothing to put right.
    ids, numbers = (uuid.UUID(int=0), HIGHEST_UUID), (0, HIGHEST_NUMBER)
    for check in CHECKS:
        ends = numbers if check.table == "lead_events" else ids
        assert check.find(session, Span(*ends, clock.now(), HIGHEST_NUMBER)) == [], check.key


def test_nothing_is_saved_over_what_somebody_changed_meanwhile(session: Session) -> None:
    chat = make_chat(session)
    make_lead(session, chat)
    save(session, chat, {"phone": "020 7946 0001"})
    with pytest.raises(Conflict):
        save(session, chat, {"phone": "020 7946 0002"})
    assert lead_of(session, chat).phone == "+442079460001"
    seen = {**SEEN, "phone": "+442079460001"}
    save(session, chat, {"phone": "020 7946 0002"}, 2, seen)
    assert lead_of(session, chat).phone == "+442079460002"
    assert len(session.scalars(select(LeadChange)).all()) == 2


def test_a_lead_is_made_where_there_is_none_with_what_was_said_so_far(session: Session) -> None:
    draft = Draft().with_answer("service", Answer("Kitchen")).with_answer("name", Answer("An"))
    chat = make_chat(session, draft=draft.to_json())
    with pytest.raises(Invalid):
        save(session, chat, {"name": ""}, 0, {})
    save(session, chat, {"name": "Ann Lee", "phone": "020 7946 0001", "service": ""}, 0, {})
    lead = lead_of(session, chat)
    assert (lead.name, lead.phone) == ("Ann Lee", "+442079460001")
    assert lead.qualification == {"service": "Kitchen"}
    assert lead.missing == ["email"]
    with pytest.raises(Conflict):  # two made it at once
        save(session, chat, {"name": "Anna"}, 0, {})


def test_who_completes_at_the_same_moment_sends_what_a_person_saves(database: Flask) -> None:
    with transaction() as session:
        chat = make_chat(session)
        make_lead(session, chat)
        make_message(session, chat, text="Write to wrong@example.com")
        site = session.get_one(Site, chat.site_id).profile()
        chat_id = chat.id

    def finish() -> None:
        with database.app_context(), transaction() as session:
            complete(session, chat_id, site, cause="user")

    other = threading.Thread(target=contextvars.Context().run, args=(finish,))
    with transaction() as session:
        edit_lead(
            session,
            chat_id,
            {"email": "right@example.com"},
            version=1,
            seen={},
            user_id=None,
        )
        other.start()
        other.join(timeout=0.5)
        assert other.is_alive()  # it waits for the session's row
    other.join(timeout=10)
    with transaction() as session:
        body = session.scalars(select(Delivery.body)).one()
    assert json.loads(body)["data"]["lead"]["email"] == "right@example.com"


def test_a_session_that_is_gone_is_said_so(session: Session) -> None:
    with pytest.raises(NotFound):
        edit_lead(session, uuid.uuid4(), {}, version=0, seen={}, user_id=None)
