"""`flask worker` as a real process: in time, killed, stopped, and just once."""

from __future__ import annotations

import signal
import time
import uuid
from collections.abc import Callable

from sqlalchemy import text

from app.chat.turn import receive
from app.core.db import transaction
from app.core.queue import worker_seen_seconds_ago
from tests.delivery.conftest import Outbox
from tests.factories import make_chat
from tests.fakes.n8n import N8n
from tests.jobs.workers import PATIENCE_SECONDS, Start, let_a_minute_pass


def test_a_failed_lead_is_tried_again_after_five_real_seconds(
    outbox_of: Outbox, n8n: N8n, start_worker: Start
) -> None:
    n8n.behave(500)
    delivery = outbox_of.enqueue()
    start_worker()

    n8n.wait_for(1, within_seconds=PATIENCE_SECONDS)
    _until(lambda: outbox_of.state(delivery).status == "failed")
    n8n.wait_for(2)

    gap = (n8n.received[1].at - n8n.received[0].at).total_seconds()
    assert 4.5 <= gap <= 7
    _until(lambda: outbox_of.state(delivery).status == "delivered")
    assert n8n.ids == [str(delivery)] * 2
    assert outbox_of.errors(delivery) == ["status", None]
    with transaction() as session:
        seen = worker_seen_seconds_ago(session)
    assert seen is not None
    assert seen < 15


def test_a_worker_killed_in_mid_delivery_loses_nothing(
    outbox_of: Outbox, n8n: N8n, start_worker: Start
) -> None:
    n8n.behave("hang", "hang")
    delivery = outbox_of.enqueue()
    for kills, arguments in enumerate([(), ("--once",)], start=1):
        worker = start_worker(*arguments)
        n8n.wait_for(kills, within_seconds=PATIENCE_SECONDS)
        worker.kill()
        worker.wait()
        let_a_minute_pass()

    start_worker()
    _until(lambda: outbox_of.state(delivery).status == "delivered", within_seconds=PATIENCE_SECONDS)
    n8n.release()

    assert n8n.ids == [str(delivery)] * 3
    assert outbox_of.errors(delivery) == ["interrupted", "interrupted", None]
    _until(lambda: _jobs("doing", "deliver") == 0)  # nothing is left of the dead workers' jobs


def test_a_stopped_worker_finishes_what_it_is_sending(
    outbox_of: Outbox, n8n: N8n, start_worker: Start
) -> None:
    n8n.takes_seconds = 1
    deliveries = [outbox_of.enqueue() for _ in range(12)]
    worker = start_worker()
    n8n.wait_for(1, within_seconds=PATIENCE_SECONDS)

    worker.send_signal(signal.SIGTERM)
    assert worker.wait(timeout=60) == 0

    states = [outbox_of.state(delivery) for delivery in deliveries]
    delivered = [state for state in states if state.status == "delivered"]
    assert 1 <= len(delivered) == len(n8n.received) <= 8
    assert all(state.claim_token is None for state in states)
    assert _jobs("doing") == 0
    assert _jobs("todo") > 0


def test_once_does_what_is_due_and_ends(outbox_of: Outbox, n8n: N8n, start_worker: Start) -> None:
    n8n.behave(500)  # to whichever of them is the first to arrive
    enqueued = [outbox_of.enqueue() for _ in range(6)]
    with transaction() as session:  # their jobs were lost, and nobody came
        session.execute(text("DELETE FROM procrastinate_jobs"))
        session.execute(text("UPDATE deliveries SET next_attempt_at = now() - interval '1 hour'"))

    assert start_worker("--once").wait(timeout=PATIENCE_SECONDS) == 0

    statuses = sorted(outbox_of.state(each).status for each in enqueued)
    assert statuses == [*["delivered"] * 5, "failed"]
    with transaction() as session:
        assert worker_seen_seconds_ago(session) is None
    assert _jobs("todo") == 1  # the retry, which is not due


def test_a_message_whose_answerer_died_is_answered(outbox_of: Outbox, start_worker: Start) -> None:
    with transaction() as session:
        chat = make_chat(session)
    receive(chat.id, uuid.uuid4(), "Hello?")  # and then the web process dies
    with transaction() as session:
        session.execute(text("UPDATE turns SET expires_at = now() - interval '1 minute'"))

    assert start_worker("--once").wait(timeout=PATIENCE_SECONDS) == 0

    with transaction() as session:
        roles = session.scalars(text("SELECT role FROM messages ORDER BY id")).all()
    assert roles == ["visitor", "assistant"]


def _until(is_so: Callable[[], bool], within_seconds: float = PATIENCE_SECONDS) -> None:
    deadline = time.monotonic() + within_seconds
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _jobs(status: str, task: str = "%") -> int:
    statement = text(
        "SELECT count(*) FROM procrastinate_jobs WHERE status = :status AND task_name LIKE :task"
    )
    with transaction() as session:
        return session.scalar(statement, {"status": status, "task": task}) or 0
