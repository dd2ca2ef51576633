"""A letter about QA arrives once, by real HTTP, although workers are killed while they send it."""

from __future__ import annotations

import subprocess
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from flask import Flask
from sqlalchemy import select, text

from app import delivery
from app.core.db import transaction
from app.models import ChatSession, Delivery, DeliveryAttempt
from config import Settings
from tests.fakes.resend import KEY, Refusal, Resend, running_resend
from tests.jobs.workers import PATIENCE_SECONDS, Start, let_a_minute_pass, workers
from tests.review.test_qa import decide, talk
from tests.web.signed_in import make_user

DEVELOPER = "dev@example.com"
SENDER = "desk@example.com"
HANGS = Refusal(manner="hang")

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture
def resend(settings: Settings) -> Iterator[Resend]:
    """Resend runs, and letters go there; issues are sent to one developer."""
    with running_resend() as fake:
        delivery.configure(
            replace(
                settings,
                resend_api_key=KEY,
                resend_from=SENDER,
                resend_api_url=fake.url,
                qa_notify_emails=(DEVELOPER,),
            )
        )
        yield fake
        delivery.configure(settings)


@pytest.fixture
def start_worker(database_url: str, resend: Resend) -> Iterator[Start]:
    settings = {
        "RESEND_API_KEY": KEY,
        "RESEND_FROM": SENDER,
        "RESEND_API_URL": resend.url,
        "QA_NOTIFY_EMAILS": DEVELOPER,
    }
    with workers(database_url, **settings) as start:
        yield start


def test_once_although_workers_are_killed_in_mid_delivery(
    database: Flask, resend: Resend, start_worker: Start
) -> None:
    ann = make_user("ann@example.com").id
    resend.behave(HANGS)  # the letter is taken, and nobody hears of it
    _report(ann, "The first")
    _kill_when_taken(start_worker(), resend, mails=1)
    worker = start_worker()
    _until(lambda: _statuses() == ["delivered"])
    _report(ann, "The second")
    _report(ann, "The third")

    resend.behave(HANGS)
    _ten_minutes_pass()
    _kill_when_taken(worker, resend, mails=2)
    start_worker()
    _until(lambda: _statuses() == ["delivered", "delivered"])
    resend.release()

    first, digest = resend.mails
    assert [mail.payload["to"] for mail in resend.mails] == [[DEVELOPER], [DEVELOPER]]
    assert "The first" in first.payload["text"]
    assert digest.payload["subject"] == "2 new issues"
    assert all(each in digest.payload["text"] for each in ("The second", "The third"))
    assert resend.requests == [first.key, first.key, digest.key, digest.key]
    assert _errors() == ["interrupted", None, "interrupted", None]


def test_notices_whose_job_was_lost_go_out_all_the_same(
    database: Flask, resend: Resend, start_worker: Start
) -> None:
    ann = make_user("ann@example.com").id
    for note in ("The first", "The second"):
        _report(ann, note)
    with transaction() as session:
        session.execute(text("DELETE FROM procrastinate_jobs"))
    _ten_minutes_pass()
    assert start_worker("--once").wait(timeout=PATIENCE_SECONDS) == 0

    assert [mail.payload["subject"][:11] for mail in resend.mails] == ["New issue: ", "1 new issue"]
    assert len(resend.requests) == 2


def _report(user_id: uuid.UUID, note: str) -> None:
    with transaction() as session:
        decide(session, session.get_one(ChatSession, talk(session).id), user_id, "issue", note=note)


def _kill_when_taken(worker: subprocess.Popen[bytes], resend: Resend, *, mails: int) -> None:
    resend.wait_for(mails)
    worker.kill()
    worker.wait()
    let_a_minute_pass()


def _ten_minutes_pass() -> None:
    with transaction() as session:
        session.execute(text("UPDATE qa_notices SET sent_at = sent_at - interval '11 minutes'"))
        session.execute(
            text(
                "UPDATE procrastinate_jobs SET scheduled_at = now() - interval '1 second'"
                " WHERE task_name = 'gather_qa_notices' AND status = 'todo'"
            )
        )
        session.execute(
            text("UPDATE deliveries SET next_attempt_at = now() WHERE status = 'pending'")
        )


def _statuses() -> list[str]:
    with transaction() as session:
        return list(session.scalars(select(Delivery.status).order_by(Delivery.number)))


def _errors() -> list[str | None]:
    with transaction() as session:
        return list(session.scalars(select(DeliveryAttempt.error).order_by(DeliveryAttempt.id)))


def _until(is_so: Callable[[], bool], within_seconds: float = PATIENCE_SECONDS) -> None:
    deadline = time.monotonic() + within_seconds
    while not is_so():
        assert time.monotonic() < deadline, _statuses()
        time.sleep(0.05)
