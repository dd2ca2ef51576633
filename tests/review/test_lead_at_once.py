"""People, the visitor, a completion and the sending at the same moment: no word is lost."""

from __future__ import annotations

import contextvars
import threading
import uuid
from collections.abc import Callable
from itertools import pairwise

import pytest
from flask import Flask
from sqlalchemy import select

from app.completion.complete import complete
from app.core.db import transaction
from app.core.errors import Conflict
from app.delivery.send import drain
from app.leads.changes import take_over
from app.leads.edit import value_of
from app.models import ChatSession, Delivery, Lead, LeadChange, Site
from app.models.transcript import Answer, Draft
from app.review.lead import edit_lead
from tests.delivery.conftest import Outbox, n8n, outbox_of
from tests.factories import make_chat, make_lead, make_message
from tests.fakes.n8n import N8n

__all__ = ["n8n", "outbox_of"]

SEEN = {"name": "Ann Lee", "email": "ann@example.com", "phone": "+442079460958"}
ROUNDS = 12


def at_once(database: Flask, *acts: Callable[[], object]) -> None:
    """Each act in a thread of its own, all at the same moment; what goes wrong there, goes here."""
    start, wrong = threading.Barrier(len(acts)), list[BaseException]()

    def run(act: Callable[[], object]) -> None:
        with database.app_context():
            start.wait(10)
            try:
                act()
            except BaseException as error:
                wrong.append(error)

    threads = [threading.Thread(target=contextvars.Context().run, args=(run, act)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert not any(thread.is_alive() for thread in threads)
    assert wrong == []


def stand() -> uuid.UUID:
    with transaction() as session:
        chat = make_chat(session)
        make_message(session, chat, text="I am Ann Lee, ann@example.com, +44 20 7946 0958")
        make_lead(session, chat)
        return chat.id


def said(values: dict[str, str]) -> Draft:
    draft = Draft()
    for key, value in {**SEEN, **values}.items():
        draft = draft.with_answer(key, Answer(value))
    return draft


def visitor_says(chat_id: uuid.UUID, values: dict[str, str]) -> None:
    """As the end of a turn does: the session's row first, then its lead."""
    with transaction() as session:
        chat = session.scalars(
            select(ChatSession).where(ChatSession.id == chat_id).with_for_update()
        ).one()
        chat.draft = said(values).to_json()
        site = session.get_one(Site, chat.site_id).profile()
        take_over(session, chat_id, site, said(values), chat.completion_status == "completed")


def finish(chat_id: uuid.UUID) -> None:
    with transaction() as session:
        chat = session.get_one(ChatSession, chat_id)
        site = session.get_one(Site, chat.site_id).profile()
        complete(session, chat_id, site, cause="user")


def save(chat_id: uuid.UUID, typed: dict[str, str], outcomes: list[str]) -> None:
    try:
        with transaction() as session:
            edit_lead(session, chat_id, typed, version=1, seen=SEEN, user_id=None)
    except Conflict:
        outcomes.append("told")
    else:
        outcomes.append("saved")


@pytest.mark.parametrize("visitors", [{"email": "new@example.com"}, {"company": "Lee Ltd"}])
def test_what_a_person_saves_while_the_visitor_writes_is_kept_or_told_and_arrives_last(
    outbox_of: Outbox, n8n: N8n, database: Flask, visitors: dict[str, str]
) -> None:
    for _ in range(ROUNDS):
        chat_id, outcomes = stand(), list[str]()
        n8n.received.clear()
        typed = {**SEEN, "email": "right@example.com", "name": "Anne Lee"}
        at_once(
            database,
            lambda: save(chat_id, typed, outcomes),  # noqa: B023 - run before the next round
            lambda: visitor_says(chat_id, visitors),  # noqa: B023
            lambda: finish(chat_id),  # noqa: B023
            lambda: drain("n8n"),
            lambda: drain("n8n"),
        )
        drain("n8n")
        with transaction() as session:
            lead = session.scalars(select(Lead).where(Lead.session_id == chat_id)).one()
            session.refresh(lead)
            if outcomes == ["saved"]:
                assert (lead.name, lead.email) == ("Anne Lee", "right@example.com")
            else:
                assert outcomes == ["told"]
                assert (
                    session.scalars(select(LeadChange).where(LeadChange.lead_id == lead.id)).all()
                    == []
                )
            events = [each.event for each in n8n.received]
            types = [each["type"] for each in events]
            assert types[0] == "lead.completed"
            assert types.count("lead.completed") == 1
            assert len(set(n8n.ids)) == len(n8n.ids)
            # What arrives last is what stands; nothing is sent that changes nothing.
            told = events[-1]["data"]["lead"]
            assert {key: told[key] for key in (*SEEN, "company")} == {
                key: value_of(lead, key) for key in (*SEEN, "company")
            }
            leads = [each["data"]["lead"] for each in events]
            assert all(one != other for one, other in pairwise(leads))


def test_of_two_who_save_at_once_the_second_is_told(
    outbox_of: Outbox, n8n: N8n, database: Flask
) -> None:
    for _ in range(ROUNDS):
        chat_id, outcomes = stand(), list[str]()
        finish(chat_id)
        at_once(
            database,
            lambda: save(chat_id, {**SEEN, "name": "Anne Lee"}, outcomes),  # noqa: B023
            lambda: save(chat_id, {**SEEN, "phone": "020 7946 0001"}, outcomes),  # noqa: B023
            lambda: drain("n8n"),
        )
        assert sorted(outcomes) == ["saved", "told"]
        with transaction() as session:
            events = list(
                session.scalars(
                    select(Delivery.event)
                    .where(Delivery.session_id == chat_id)
                    .order_by(Delivery.number)
                )
            )
        assert events == ["lead.completed", "lead.updated"]
