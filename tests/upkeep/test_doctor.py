"""A rule of leads or deliveries is broken by hand: found, repaired, and nothing sent twice."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select, text

from app.completion.reopen import reopen
from app.core import clock
from app.core.db import db, transaction
from app.delivery import health
from app.delivery.claim import locked
from app.delivery.send import drain
from app.leads.partial import send_abandoned
from app.models import ChatSession, Delivery, Run
from app.upkeep import doctor
from tests.factories import make_lead
from tests.fakes.n8n import N8n
from tests.upkeep.by_hand import flask, found, number, settle, sql, talk

pytestmark = pytest.mark.usefixtures("healthy")


def test_a_healthy_database_is_well(database: Flask) -> None:
    output = flask(database)
    assert output.exit_code == 0, output.output
    assert "All is well" in output.output
    assert number("SELECT count(*) FROM runs WHERE report = '{\"findings\": []}'") == 1


def test_a_completed_session_without_its_lead_gets_one(n8n: N8n) -> None:
    chat_id = talk(("visitor", "Hi, ann@example.com"), ("assistant", "Thanks"))
    settle(chat_id, is_sent=False)
    sql("DELETE FROM leads WHERE session_id = :id", id=chat_id)
    assert found() == {"leads": 1}
    assert found(fix=True) == {"leads": 1}
    assert found() == {}
    drain("n8n")
    newest = n8n.received[-1].event
    assert newest["type"] == "lead.completed"
    assert newest["data"]["session"]["id"] == str(chat_id)
    assert newest["data"]["lead"]["email"] == "ann@example.com"


def test_a_lead_event_without_its_delivery_gets_one(n8n: N8n) -> None:
    lead_id = settle(talk(), is_sent=False)
    sql("DELETE FROM deliveries WHERE lead_id = :id", id=lead_id)
    assert found() == {"events": 1}
    assert found(fix=True) == {"events": 1}
    drain("n8n")
    assert [each.event["type"] for each in n8n.received].count("lead.completed") == 2
    assert number("SELECT count(*) FROM lead_events WHERE lead_id = :id", id=lead_id) == 1


def test_a_completed_lead_that_was_never_passed_on_is(n8n: N8n) -> None:
    lead_id = settle(talk(), is_sent=False)
    sql("DELETE FROM lead_events WHERE lead_id = :id", id=lead_id)  # takes its deliveries along
    assert found() == {"completions": 1}
    assert found(fix=True) == {"completions": 1}
    drain("n8n")
    assert n8n.received[-1].event["data"]["lead"]["id"] == str(lead_id)


def test_an_unfinished_lead_whose_delivery_is_gone_is_sent(n8n: N8n) -> None:
    chat_id = talk()
    with transaction() as session:
        lead = make_lead(session, session.get_one(ChatSession, chat_id))
    with clock.moved(timedelta(minutes=31)):
        assert send_abandoned() == 1
    sql("DELETE FROM deliveries WHERE lead_id = :id", id=lead.id)
    assert found(fix=True) == {"events": 1}
    drain("n8n")
    assert n8n.received[-1].event["type"] == "lead.partial"


def test_a_delivery_without_a_job_gets_one() -> None:
    lead_id = settle(talk(), is_sent=False)
    sql("UPDATE deliveries SET next_attempt_at = now() - interval '1 hour' WHERE lead_id = :id",
        id=lead_id)  # fmt: skip
    assert found() == {}
    sql("DELETE FROM procrastinate_jobs")
    assert found() == {"jobs": 1}
    assert found(fix=True) == {"jobs": 1}
    assert number("SELECT count(*) FROM procrastinate_jobs") == 1


def test_a_delivery_that_nobody_will_try_is_made_due() -> None:
    lead_id = settle(talk(), is_sent=False)
    sql(
        "UPDATE deliveries SET status = 'failed', next_attempt_at = NULL WHERE lead_id = :id",
        id=lead_id,
    )
    assert found(fix=True) == {"jobs": 1}
    assert drain("n8n") == 1


def test_a_delivered_lead_set_back_by_hand_is_not_sent_again() -> None:
    lead_id = settle(talk())
    sql(
        "UPDATE deliveries SET status = 'pending', finished_at = NULL, next_attempt_at = NULL"
        " WHERE lead_id = :id",
        id=lead_id,
    )
    assert found(fix=True) == {"jobs": 1}
    assert drain("n8n") == 0


@pytest.mark.parametrize("case", ["paused", "blocked", "later", "being sent", "behind another"])
def test_what_waits_for_a_reason_is_well(case: str) -> None:
    chat_id = talk()
    lead_id = settle(chat_id, is_sent=False)
    sql(
        "UPDATE deliveries SET next_attempt_at = now() - interval '1 hour' WHERE status = 'pending'"
    )
    sql("DELETE FROM procrastinate_jobs")
    if case == "paused":
        with transaction() as session:
            destination = locked(session, "n8n")
            assert destination is not None
            health.pause(session, destination, "gone", clock.now())
        sql("UPDATE deliveries SET next_attempt_at = NULL WHERE status = 'pending'")
    else:
        sql(
            {
                "blocked": "UPDATE destinations SET blocked_until = now() + interval '1 minute'",
                "later": "UPDATE deliveries SET next_attempt_at = now() + interval '1 hour'",
                "being sent": "UPDATE deliveries SET claim_token = gen_random_uuid(),"
                " claimed_until = now() + interval '30 seconds' WHERE status = 'pending'",
                "behind another": "UPDATE deliveries SET status = 'unknown'"
                " WHERE status = 'pending'",
            }[case]
        )
    if case == "behind another":
        with transaction() as session:
            session.execute(
                text(
                    "INSERT INTO deliveries (id, destination_key, event, lead_id, session_id, body,"
                    " status, next_attempt_at, created_at) SELECT gen_random_uuid(), 'n8n',"
                    " 'lead.updated', id, session_id, '{}', 'pending', now() - interval '1 hour',"
                    " now() FROM leads WHERE id = :id"
                ),
                {"id": lead_id},
            )
    assert found() == {}


def test_a_completed_lead_does_not_wait_to_be_sent_as_unfinished() -> None:
    lead_id = settle(talk())
    sql("UPDATE leads SET awaits_partial = true WHERE id = :id", id=lead_id)
    assert found(fix=True) == {"unfinished": 1}


def test_a_delivery_of_another_session_is_brought_back() -> None:
    lead_id = settle(talk())
    sql("UPDATE deliveries SET session_id = :other WHERE lead_id = :id", id=lead_id, other=talk())
    assert found(fix=True) == {"owners": 1}


def test_completed_anew_without_its_cancelled_lead_is_sent_it(n8n: N8n) -> None:
    chat_id = talk()
    lead_id = settle(chat_id, is_sent=False)
    sql("UPDATE deliveries SET status = 'cancelled', finished_at = now() WHERE lead_id = :id",
        id=lead_id)  # fmt: skip
    assert found(fix=True) == {"events": 1}
    drain("n8n")
    assert n8n.received[-1].event["data"]["lead"]["id"] == str(lead_id)


def test_reopened_cancelled_and_completed_again_is_well() -> None:
    chat_id = talk()
    settle(chat_id, is_sent=False)
    with transaction() as session:
        reopen(session, chat_id, None)
    assert found() == {}
    settle(chat_id)
    assert found() == {}


def test_the_command_says_what_is_wrong_and_what_it_repaired(database: Flask) -> None:
    chats = [talk() for _ in range(7)]
    sql("UPDATE chat_sessions SET message_count = 99 WHERE id = ANY(:ids)", ids=chats)
    output = flask(database)
    assert output.exit_code == 1
    assert "7 sessions with wrong counters" in output.output
    assert output.output.count("/sessions/") == 5
    assert "and 2 more" in output.output
    output = flask(database, "--fix")
    assert output.exit_code == 0, output.output
    assert "7 sessions with wrong counters, 7 repaired" in output.output
    output = flask(database)
    assert output.exit_code == 0
    assert "wrong" not in output.output
    with transaction() as session:
        reports = session.scalars(select(Run).order_by(Run.finished_at)).all()
    assert [[(f["count"], f["repaired"]) for f in each.report["findings"]] for each in reports] == [
        [(7, 0)],
        [(7, 7)],
        [],
    ]


def settled() -> uuid.UUID:
    settle(chat_id := talk())
    return chat_id


def test_a_row_that_cannot_be_repaired_keeps_no_other_from_it() -> None:
    chats = sorted(settled() for _ in range(3))
    sql("UPDATE chat_sessions SET draft = '[]' WHERE id = :id", id=chats[0])
    sql("DELETE FROM leads WHERE session_id = ANY(:ids)", ids=chats)
    sql("UPDATE chat_sessions SET message_count = 99 WHERE id = :id", id=chats[1])
    results = {
        each.check: (each.count, each.repaired) for each in doctor.examine(fix=True) if each.count
    }
    assert results == {"counters": (1, 1), "leads": (3, 2)}
    sql("UPDATE chat_sessions SET draft = '{}' WHERE id = :id", id=chats[0])
    assert found(fix=True) == {"leads": 1}


def test_chunks_leave_nothing_out(monkeypatch: pytest.MonkeyPatch) -> None:
    leads = [settle(talk(), is_sent=False) for _ in range(7)]
    small = tuple(replace(check, rows=2) for check in doctor.CHECKS)
    monkeypatch.setattr(doctor, "CHECKS", small)
    sql("UPDATE chat_sessions SET message_count = 99")
    sql("DELETE FROM deliveries WHERE lead_id = ANY(:ids)", ids=leads)
    assert found() == {"counters": 9, "events": 7}
    assert found(fix=True) == {"counters": 9, "events": 7}
    db.session.rollback()
    assert db.session.scalar(select(func.count()).select_from(Delivery)) == 8


def test_a_check_that_was_stopped_is_resumed_where_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(5):
        talk()
    small = tuple(replace(check, rows=2) for check in doctor.CHECKS)
    monkeypatch.setattr(doctor, "CHECKS", small)
    sql("UPDATE chat_sessions SET message_count = 99")
    with transaction() as session:
        run_id = doctor.create(session, fix=True).id
    chunks: list[str] = []
    status = "running"
    while status == "running":
        doctor.work(
            run_id,
            iter([False, True, True]).__next__,
            is_job=True,
            tell=lambda check, *_: chunks.append(check.key),
        )
        with transaction() as session:
            run = session.get_one(Run, run_id, populate_existing=True)
        status = run.status
    assert chunks.count("counters") == 4
    (result,) = doctor.findings(run)
    assert (status, result.check, result.count, result.repaired) == ("done", "counters", 7, 7)
    assert found() == {}


def test_a_check_that_a_person_interrupts_has_ended() -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        doctor.examine(fix=False, tell=interrupt)
    assert number("SELECT count(*) FROM runs WHERE status = 'cancelled'") == 1
    assert found() == {}
