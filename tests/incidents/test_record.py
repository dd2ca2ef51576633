"""Alike errors are one incident, counted right however many come at once."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import delete, func, select, text, update
from sqlalchemy.orm import Session

from app.core import clock
from app.core.db import db, transaction
from app.incidents.record import MOST_REPORTS, Noted, Seen, note
from app.models import ChatSession, Incident, IncidentReport
from tests.factories import make_chat

SEEN = Seen("n8n", ("W1", "Send", "NodeError"), "Lead intake", "It did not answer.")


def at_once(app: Flask, work: Callable[[int], Any], number: int = 50) -> list[Any]:
    """What `work` gives for 0 … number - 1, each begun at the same moment in its own thread."""
    start = threading.Barrier(number)
    results: list[Any] = [None] * number

    def run(index: int) -> None:
        with app.app_context():
            start.wait()
            try:
                results[index] = work(index)
            except Exception as error:
                results[index] = error

    threads = [threading.Thread(target=run, args=(index,)) for index in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def note_alone(seen: Seen) -> Noted:
    with transaction() as session:
        return note(session, seen)


def test_fifty_alike_errors_at_once_are_one_incident_counted_fifty(database: Flask) -> None:
    noted = at_once(database, lambda n: note_alone(replace(SEEN, external_id=f"run-{n}")))
    assert sorted(each.count for each in noted) == list(range(1, 51))
    assert db.session().scalars(select(Incident.count)).all() == [50]


def test_one_error_told_fifty_times_at_once_counts_once(database: Flask) -> None:
    note_alone(replace(SEEN, external_id="run-6"))
    noted = at_once(database, lambda _: note_alone(replace(SEEN, external_id="run-7")))
    assert {each.count for each in noted} == {2}
    assert db.session().scalars(select(Incident.count)).all() == [2]
    assert db.session().scalar(select(func.count()).select_from(IncidentReport)) == 2


def test_errors_and_the_deletion_of_their_sessions_do_not_block_each_other(
    database: Flask,
) -> None:
    with transaction() as session:
        chats = [make_chat(session).id for _ in range(10)]

    def delete_or_note(number: int) -> None:
        chat = chats[number % len(chats)]
        if number >= 40:
            with transaction() as session:
                session.execute(delete(ChatSession).where(ChatSession.id == chat))
            return
        for _ in range(5):
            note_alone(replace(SEEN, session_id=chat))

    assert at_once(database, delete_or_note) == [None] * 50
    incident = db.session().scalars(select(Incident)).one()
    assert (incident.count, incident.session_id) == (200, None)


def test_another_group_or_source_is_another_incident(session: Session) -> None:
    first = note(session, SEEN)
    others = [replace(SEEN, group=("W2", "Send", "NodeError")), replace(SEEN, source="assistant")]
    ids = {first.id, *(note(session, other).id for other in others)}
    assert len(ids) == 3


def test_an_incident_knows_its_latest_session_and_words(session: Session) -> None:
    chat = make_chat(session)
    note(session, SEEN)
    with clock.moved(timedelta(hours=1)):
        note(session, replace(SEEN, session_id=chat.id, site_id=chat.site_id, problem="Worse."))
        noted = note(session, replace(SEEN, problem="Worst."))
    incident = session.get_one(Incident, noted.id)
    assert (noted.count, noted.session_id) == (3, chat.id)
    assert (incident.problem, incident.site_id) == ("Worst.", chat.site_id)
    assert incident.last_at - incident.first_at >= timedelta(hours=1)


def test_a_resolved_incident_that_happens_again_is_open_again(session: Session) -> None:
    noted = note(session, replace(SEEN, external_id="run-1"))
    session.execute(update(Incident).values(resolved_at=clock.now()))
    note(session, replace(SEEN, external_id="run-1"))
    assert _resolved_at(session, noted.id) is not None
    note(session, replace(SEEN, external_id="run-2"))
    assert _resolved_at(session, noted.id) is None


def test_the_newest_reports_are_kept_and_all_are_counted(session: Session) -> None:
    for number in range(MOST_REPORTS + 10):
        noted = note(session, replace(SEEN, external_id=f"run-{number}"))
    kept = set(session.scalars(select(IncidentReport.external_id)))
    assert kept == {f"run-{number}" for number in range(10, MOST_REPORTS + 10)}
    assert noted.count == MOST_REPORTS + 10


def test_an_old_report_that_somebody_holds_is_not_waited_for(database: Flask) -> None:
    for _ in range(MOST_REPORTS):
        note_alone(SEEN)
    with db.engine.begin() as other:
        other.execute(select(IncidentReport).with_for_update())
        with transaction() as session:
            session.execute(text("SET LOCAL lock_timeout = '5s'"))
            assert note(session, SEEN).count == MOST_REPORTS + 1
    note_alone(SEEN)
    assert db.session().scalar(select(func.count()).select_from(IncidentReport)) == MOST_REPORTS


@pytest.mark.parametrize("session_id", [None, uuid.uuid4()])
def test_a_session_that_is_gone_is_not_named(
    session: Session, session_id: uuid.UUID | None
) -> None:
    assert note(session, replace(SEEN, session_id=session_id)).session_id is None


def _resolved_at(session: Session, incident_id: uuid.UUID) -> Any:
    return session.scalar(select(Incident.resolved_at).where(Incident.id == incident_id))
