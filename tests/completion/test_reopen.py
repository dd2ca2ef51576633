"""A person's word stands: what was opened again stays open until something newer is promised."""

from __future__ import annotations

import json
import logging
import uuid
from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import select, text

from app.chat.ingest import Incoming, Outside, ingest
from app.completion.complete import complete
from app.completion.judge import judge
from app.completion.known_sites import known_site
from app.completion.sweep import sweep
from app.core import clock, logs
from app.core.db import db, transaction
from app.delivery import outbox
from app.delivery.send import drain
from app.models import ChatSession, Delivery, Site
from app.review.completion import complete_by_hand, reopen_by_hand
from app.sync import manual, runs
from app.sync.memory import read_new
from app.upkeep import doctor
from tests.delivery.conftest import Outbox, n8n, outbox_of  # noqa: F401 - fixtures
from tests.factories import make_chat, make_message, make_site
from tests.fakes.n8n import N8n

PROMISE = "Thank you! We will contact you within 24 hours."
TABLE = "n8n_chat_histories"


@pytest.fixture
def chat_id(database: Flask) -> uuid.UUID:
    """A session of N8n that was completed by what its memory said, then opened again."""
    with db.engine.begin() as connection:
        connection.execute(
            text(
                f"CREATE TABLE IF NOT EXISTS {TABLE} (id SERIAL PRIMARY KEY,"
                " session_id VARCHAR(255) NOT NULL, message JSONB NOT NULL)"
            )
        )
    with transaction() as session:
        make_site(session, key="clinic")
    say((1, "human", "Hello, ann@example.com"), (2, "ai", PROMISE))
    read_new(None, cause="auto_sync")
    with transaction() as session:
        chat = session.scalars(select(ChatSession)).one()
        assert chat.completion_status == "completed"
        assert reopen_by_hand(session, chat.id, None) is not None
    return chat.id


@pytest.fixture(autouse=True)
def _without_table(database: Flask) -> object:
    yield
    with db.engine.begin() as connection:
        connection.execute(text(f"DROP TABLE IF EXISTS {TABLE}"))


def say(*rows: tuple[int, str, str]) -> None:
    with transaction() as session:
        for row, kind, words in rows:
            message = json.dumps({"type": kind, "content": words})
            session.execute(
                text(f"INSERT INTO {TABLE} VALUES (:id, 'S-1', CAST(:message AS jsonb))"),  # noqa: S608
                {"id": row, "message": message},
            )


def status(chat_id: uuid.UUID) -> str:
    with transaction() as session:
        session.expunge_all()
        return session.get_one(ChatSession, chat_id).completion_status


def everything_again() -> None:
    """Every layer, whatever was judged before, and a repair."""
    with transaction() as session:
        session.execute(text("UPDATE messages SET is_checked = false"))
    sweep(5.0)
    with transaction() as session:
        ids = session.scalars(select(ChatSession.id)).all()
        for cause in ("live", "auto_sync", "sweep", "manual_sync"):
            judge(session, ids, cause)
    read_new(None, cause="auto_sync")
    with transaction() as session:
        run_id = runs.start(session, None)
    manual.work(run_id)
    doctor.examine(fix=True)


def events(chat_id: uuid.UUID) -> list[str]:
    query = text("SELECT kind FROM session_events WHERE session_id = :id ORDER BY id")
    with transaction() as session:
        return list(session.scalars(query, {"id": chat_id}))


def test_what_was_opened_again_stays_open_through_every_layer(chat_id: uuid.UUID) -> None:
    everything_again()
    assert status(chat_id) == "in_progress"
    assert events(chat_id) == ["completed", "reopened"]


def test_a_row_that_comes_late_but_was_written_before_is_no_newer_evidence(
    chat_id: uuid.UUID,
) -> None:
    say((5, "human", "Are you there?"))
    read_new(None, cause="auto_sync")
    with transaction() as session:
        complete_by_hand(session, chat_id, None)
        reopen_by_hand(session, chat_id, None)
    say((4, "ai", PROMISE))  # before the visitor's last line, seen only now
    read_new(None, cause="auto_sync")
    everything_again()
    assert status(chat_id) == "in_progress"


def by_memory(chat_id: uuid.UUID) -> None:
    say((9, "ai", PROMISE))
    read_new(None, cause="auto_sync")


def by_api(chat_id: uuid.UUID) -> None:
    with transaction() as session:
        site_id = session.get_one(ChatSession, chat_id).site_id
        line = Incoming("assistant", PROMISE, external_id="new")
        ingest(session, [Outside(site_id, "n8n", str(chat_id), [line])], cause="live")


def by_sql(chat_id: uuid.UUID) -> None:
    with transaction() as session:
        session.execute(
            text(
                "INSERT INTO messages (session_id, role, text, created_at)"
                " VALUES (:id, 'assistant', :words, :now)"
            ),
            {"id": chat_id, "words": PROMISE, "now": clock.now()},
        )
    sweep(5.0)


@pytest.mark.parametrize("newer", [by_memory, by_api, by_sql])
def test_a_newer_promise_completes_it_once(
    chat_id: uuid.UUID, newer: Callable[[uuid.UUID], None]
) -> None:
    newer(chat_id)
    assert status(chat_id) == "completed"
    everything_again()
    assert events(chat_id) == ["completed", "reopened", "completed"]
    with transaction() as session:
        sent = session.execute(
            select(Delivery.event, Delivery.status).order_by(Delivery.number)
        ).all()
    assert [tuple(row) for row in sent] == [
        ("lead.completed", "cancelled"),
        ("lead.completed", "pending"),
    ]


def test_completed_by_hand_sends_the_lead_and_again_only_what_changed(
    outbox_of: Outbox,  # noqa: F811
    n8n: N8n,  # noqa: F811
) -> None:
    with transaction() as session:
        chat = make_chat(session)
        make_message(session, chat, text="Hello")
    with transaction() as session:
        assert complete_by_hand(session, chat.id, None)
    with transaction() as session:
        assert not complete_by_hand(session, chat.id, None)
    drain("n8n", lambda: False)
    assert [each.event["type"] for each in n8n.received] == ["lead.completed"]
    with transaction() as session:
        assert reopen_by_hand(session, chat.id, None) == 0
    with transaction() as session:
        assert complete_by_hand(session, chat.id, None)
    drain("n8n", lambda: False)
    types = [each.event["type"] for each in n8n.received]
    assert types == ["lead.completed", "lead.updated"]
    leads = {each.event["data"]["lead"]["id"] for each in n8n.received}
    assert len(leads) == 1


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("delivered", ["lead.completed", "lead.updated"]),
        ("dead", ["lead.completed", "lead.completed"]),
        ("failed", ["lead.completed", "lead.completed"]),
        ("pending", ["lead.completed", "lead.completed"]),
        ("unknown", ["lead.completed", "lead.updated"]),
    ],
)
def test_who_has_the_lead_is_told_of_a_change_who_has_not_gets_it(
    outbox_of: Outbox,  # noqa: F811
    before: str,
    after: list[str],
) -> None:
    with transaction() as session:
        chat = make_chat(session)
        complete_by_hand(session, chat.id, None)
        session.execute(text("UPDATE deliveries SET status = :status"), {"status": before})
    with transaction() as session:
        reopen_by_hand(session, chat.id, None)
    with transaction() as session:
        complete_by_hand(session, chat.id, None)
        events_sent = session.scalars(select(Delivery.event).order_by(Delivery.number)).all()
        statuses = session.scalars(select(Delivery.status).order_by(Delivery.number)).all()
    assert events_sent == after
    expected = before if before in ("delivered", "unknown") else "cancelled"
    assert statuses == [expected, "pending"]


def test_a_try_under_way_counts_again(outbox_of: Outbox) -> None:  # noqa: F811
    with transaction() as session:
        chat = make_chat(session)
        complete_by_hand(session, chat.id, None)
        session.execute(
            text("UPDATE deliveries SET claim_token = gen_random_uuid(), claimed_until = now()")
        )
    with transaction() as session:
        assert reopen_by_hand(session, chat.id, None) == 1
    with transaction() as session:
        assert session.scalars(select(Delivery.is_withdrawn)).all() == [True]
        complete_by_hand(session, chat.id, None)
        session.expire_all()
        sent = session.execute(
            select(Delivery.event, Delivery.is_withdrawn).order_by(Delivery.number)
        ).all()
    assert [tuple(row) for row in sent] == [("lead.completed", False), ("lead.updated", False)]


def test_each_change_is_one_structured_line(
    database: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    with transaction() as session:
        chat = make_chat(session)
        site = session.get_one(Site, chat.site_id)
        profile = known_site(site.id, site.updated_at, session).profile
    caplog.set_level(logging.INFO)
    with transaction() as session:
        complete(session, chat.id, profile, cause="sweep", phrase="within 24 hours", message_id=7)
    with transaction() as session:
        reopen_by_hand(session, chat.id, None)
    lines = [json.loads(logs._Json().format(each)) for each in caplog.records]
    about = [line for line in lines if line.get("session_id") == str(chat.id)]
    assert [line["message"] for line in about] == ["session completed", "session reopened"]
    assert about[0] | {"cause": "sweep", "phrase": "within 24 hours", "message_id": 7} == about[0]
    assert about[1]["cause"] == "user"


def test_withdrawing_counts_each_once(outbox_of: Outbox) -> None:  # noqa: F811
    with transaction() as session:
        chat = make_chat(session)
        complete_by_hand(session, chat.id, None)
        assert outbox.withdraw(session, chat.id) == 1
        assert outbox.withdraw(session, chat.id) == 0
