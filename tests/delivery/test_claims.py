"""Who may send what, and when: order, numbers at once, workers that die or come late."""

from __future__ import annotations

import contextvars
import threading
import uuid
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text, update

from app.core import clock
from app.core.db import db, transaction
from app.delivery import repeat
from app.delivery.claim import CLAIM_FOR, INTERRUPTIONS_AT_ONCE, MOST_AT_ONCE, claim, locked
from app.delivery.destinations import Outcome
from app.delivery.record import record
from app.delivery.repeat import OVERDUE, rescue
from app.delivery.schedule import JITTER, RETRY_DELAYS
from app.delivery.send import attempt, drain
from app.models import Delivery, Destination
from tests.delivery.conftest import Outbox
from tests.fakes.n8n import N8n

LATER = timedelta(seconds=6)
DELIVERED = Outcome("delivered", 200)
FAILED = Outcome("failed", 500, "status")


def test_a_later_event_of_a_lead_waits_for_the_earlier_one(outbox_of: Outbox, n8n: N8n) -> None:
    n8n.behave(500)
    ann, ben = outbox_of.lead(), outbox_of.lead()
    completed = outbox_of.enqueue(ann)
    updated = outbox_of.enqueue(ann, "lead.updated")
    other = outbox_of.enqueue(ben)

    assert drain("n8n") == 2  # the first fails; another lead is not held up
    assert n8n.ids == [str(completed), str(other)]
    assert outbox_of.state(updated).status == "pending"
    assert outbox_of.attempts(updated) == []

    with clock.moved(LATER):
        assert drain("n8n") == 2  # the same drain takes what it set free
    assert n8n.ids[2:] == [str(completed), str(updated)]


@pytest.mark.parametrize("status", ["dead", "cancelled"])
def test_nothing_waits_for_what_is_given_up(outbox_of: Outbox, n8n: N8n, status: str) -> None:
    ann = outbox_of.lead()
    completed = outbox_of.enqueue(ann)
    updated = outbox_of.enqueue(ann, "lead.updated")
    with transaction() as session:
        session.execute(
            text("UPDATE deliveries SET status = :status WHERE id = :id"),
            {"status": status, "id": completed},
        )
    assert drain("n8n") == 1
    assert n8n.ids == [str(updated)]


def test_each_destination_has_its_own_order(outbox_of: Outbox, n8n: N8n) -> None:
    ann = outbox_of.lead()
    outbox_of.enqueue(ann)
    outbox_of.enqueue(ann, "lead.updated", key="console")
    assert drain("console") == 1
    assert n8n.received == []


def test_the_oldest_goes_first(outbox_of: Outbox, n8n: N8n) -> None:
    deliveries = [str(outbox_of.enqueue()) for _ in range(5)]
    drain("n8n")
    assert n8n.ids == deliveries


def test_at_most_four_are_sent_at_once_and_none_is_forgotten(
    outbox_of: Outbox, n8n: N8n, app: Flask
) -> None:
    n8n.takes_seconds = 0.05
    for _ in range(60):
        outbox_of.enqueue()

    sent = _in_threads(app, 8)

    assert n8n.most_at_once == 4
    assert n8n.count() == len(n8n.received) == sum(sent) == 60


def test_who_comes_fifth_gets_nothing_and_does_not_wait(outbox_of: Outbox, n8n: N8n) -> None:
    for _ in range(5):
        outbox_of.enqueue()
    *four, fifth = [claim("n8n") for _ in range(5)]
    assert None not in four
    assert fifth is None


def test_a_failing_destination_gets_one_at_a_time(outbox_of: Outbox, n8n: N8n, app: Flask) -> None:
    n8n.takes_seconds = 0.2
    for _ in range(8):
        outbox_of.enqueue()
    with transaction() as session:
        session.execute(text("UPDATE destinations SET consecutive_failures = 10"))
    n8n.always(500)

    _in_threads(app, 4)

    assert n8n.most_at_once == 1
    assert len(n8n.received) == 1


def test_no_connection_is_held_while_the_receiver_thinks(outbox_of: Outbox, n8n: N8n) -> None:
    outbox_of.enqueue()
    delivery = claim("n8n")
    assert delivery is not None
    held = []

    class Watching:
        def send(self, _delivery: Any) -> Outcome:
            held.append(db.engine.pool.checkedout())  # type: ignore[attr-defined]
            return DELIVERED

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("app.delivery.send.client_for", lambda _key: Watching())
        attempt(delivery)
    assert held == [0]


def test_a_dead_workers_delivery_is_taken_up_and_its_attempt_kept(
    outbox_of: Outbox, n8n: N8n
) -> None:
    delivery = outbox_of.enqueue()
    begun = clock.now()
    assert claim("n8n") is not None  # and then the worker dies

    assert drain("n8n") == 0
    with clock.moved(CLAIM_FOR + timedelta(seconds=1)):
        assert drain("n8n") == 1

    state = outbox_of.state(delivery)
    assert (state.status, state.attempt_count) == ("delivered", 2)
    assert outbox_of.errors(delivery) == ["interrupted", None]
    at = outbox_of.attempts(delivery)[0].at
    assert abs((at - begun).total_seconds()) < 1


def test_four_dead_workers_do_not_block_a_destination(outbox_of: Outbox, n8n: N8n) -> None:
    for _ in range(5):
        outbox_of.enqueue()
    for _ in range(4):
        assert claim("n8n") is not None
    assert claim("n8n") is None
    with clock.moved(CLAIM_FOR + timedelta(seconds=1)):
        assert drain("n8n") == 5


def test_what_keeps_killing_its_worker_waits_longer_each_time_and_is_given_up(
    outbox_of: Outbox, n8n: N8n
) -> None:
    delivery = outbox_of.enqueue()
    suspect(delivery)
    elapsed = timedelta(0)
    for deaths in range(13):
        if deaths > INTERRUPTIONS_AT_ONCE:
            with clock.moved(elapsed):
                assert claim("n8n") is None
            assert outbox_of.state(delivery).status == "failed"
            elapsed += RETRY_DELAYS[deaths - INTERRUPTIONS_AT_ONCE - 1] * (1 + JITTER)
        with clock.moved(elapsed):
            assert claim("n8n") is not None
        elapsed += CLAIM_FOR + timedelta(seconds=1)
    with clock.moved(elapsed):
        assert claim("n8n") is None
    state = outbox_of.state(delivery)
    assert (state.status, state.attempt_count, state.claim_token) == ("dead", 13, None)
    assert outbox_of.errors(delivery) == ["interrupted"] * 13


def test_what_may_have_killed_a_worker_is_left_to_a_process_of_its_own(
    outbox_of: Outbox, n8n: N8n
) -> None:
    poison, other = outbox_of.enqueue(), outbox_of.enqueue()
    assert claim("n8n") is not None
    suspect(poison)
    with clock.moved(CLAIM_FOR + OVERDUE + timedelta(seconds=1)):
        assert drain("n8n", with_suspects=False) == 1
        assert n8n.ids == [str(other)]
        with transaction() as session:
            assert rescue(session) == ["n8n"]
            assert rescue(session) == ["n8n"]
            alone = text("SELECT count(*) FROM procrastinate_jobs WHERE queue_name = 'alone'")
            # As many as may send at once, however often it is looked for.
            assert session.scalar(alone) == MOST_AT_ONCE
        assert drain("n8n") == 1
    assert n8n.ids == [str(other), str(poison)]
    state = outbox_of.state(poison)
    assert (state.interruptions, state.is_suspect) == (0, False)


def test_suspects_find_room_however_many_others_wait(outbox_of: Outbox) -> None:
    suspects = [outbox_of.enqueue() for _ in range(2)]
    for _ in range(8):
        outbox_of.enqueue()
    for each in suspects:
        suspect(each)
    others = [claim("n8n", with_suspects=False) for _ in range(MOST_AT_ONCE)]
    assert [each is not None for each in others] == [True, True, False, False]
    assert {claim("n8n").id for _ in suspects} == set(suspects)
    assert claim("n8n") is None


def test_suspects_of_a_paused_destination_leave_room_for_a_test(
    outbox_of: Outbox, n8n: N8n
) -> None:
    for _ in range(MOST_AT_ONCE):
        suspect(outbox_of.enqueue())
    with transaction() as session:
        session.execute(update(Destination).values(paused_at=clock.now()))
        test = repeat.send_test(session, "n8n")
    assert drain("n8n", with_suspects=False) == 1
    assert n8n.ids == [str(test)]
    assert outbox_of.destination().paused_at is None


def test_a_delivery_under_way_when_the_whole_service_is_killed_is_sent_by_anybody(
    outbox_of: Outbox, n8n: N8n
) -> None:
    delivery = outbox_of.enqueue()
    for deaths in range(1, 5):
        assert claim("n8n", with_suspects=False) is not None
        assert outbox_of.state(delivery).interruptions == 0
        assert outbox_of.errors(delivery) == ["interrupted"] * (deaths - 1)
        let_go_of(delivery)
    assert drain("n8n", with_suspects=False) == 1
    assert n8n.ids == [str(delivery)]


@pytest.mark.parametrize("late", [DELIVERED, FAILED])
def test_a_late_result_does_not_disturb_the_newer_claim(
    outbox_of: Outbox, n8n: N8n, late: Outcome
) -> None:
    delivery = outbox_of.enqueue()
    first = claim("n8n")
    with clock.moved(CLAIM_FOR + timedelta(seconds=1)):
        second = claim("n8n")
        assert first is not None
        assert second is not None
        record(first, late, clock.now(), 40_000)

        state = outbox_of.state(delivery)
        assert (state.status, state.claim_token) == ("pending", second.claim_token)
        assert outbox_of.destination().consecutive_failures == 0
        assert len(outbox_of.attempts(delivery)) == 2  # interrupted, and what came of it

        record(second, DELIVERED, clock.now(), 10)
        record(first, FAILED, clock.now(), 90_000)  # even later
    assert outbox_of.state(delivery).status == "delivered"
    assert len(outbox_of.attempts(delivery)) == 4


def test_a_slow_result_counts_while_nobody_else_took_over(outbox_of: Outbox, n8n: N8n) -> None:
    delivery = outbox_of.enqueue()
    claimed = claim("n8n")
    assert claimed is not None
    with clock.moved(CLAIM_FOR * 2):
        record(claimed, DELIVERED, clock.now(), 70_000)
    assert outbox_of.state(delivery).status == "delivered"


def test_what_was_cancelled_while_being_sent_stays_cancelled(outbox_of: Outbox, n8n: N8n) -> None:
    delivery = outbox_of.enqueue()
    claimed = claim("n8n")
    assert claimed is not None
    with transaction() as session:
        session.execute(text("UPDATE deliveries SET status = 'cancelled'"))
    record(claimed, FAILED, clock.now(), 10)
    state = outbox_of.state(delivery)
    assert (state.status, state.claim_token) == ("cancelled", None)


def test_what_was_erased_while_being_sent_leaves_no_trace(outbox_of: Outbox, n8n: N8n) -> None:
    outbox_of.enqueue()
    claimed = claim("n8n")
    assert claimed is not None
    with transaction() as session:
        session.execute(text("DELETE FROM chat_sessions"))
    record(claimed, DELIVERED, clock.now(), 10)
    with transaction() as session:
        assert session.scalar(text("SELECT count(*) FROM delivery_attempts")) == 0


def test_enqueuing_does_not_wait_for_a_claim(outbox_of: Outbox, n8n: N8n, app: Flask) -> None:
    content = outbox_of.lead()
    outbox_of.enqueue()
    with transaction() as session:
        assert locked(session, "n8n") is not None
        done = threading.Event()

        def visitor() -> None:
            with app.app_context():
                outbox_of.enqueue(content)
                done.set()

        thread = threading.Thread(target=contextvars.Context().run, args=(visitor,))
        thread.start()
        assert done.wait(60)
        thread.join()


def test_a_due_delivery_without_a_job_is_rescued(outbox_of: Outbox, n8n: N8n) -> None:
    outbox_of.enqueue()
    with transaction() as session:
        session.execute(text("DELETE FROM procrastinate_jobs"))
        assert repeat.rescue(session) == []  # not overdue yet
    with clock.moved(timedelta(seconds=11)), transaction() as session:
        assert repeat.rescue(session) == ["n8n"]
        assert session.scalar(text("SELECT count(*) FROM procrastinate_jobs")) == 4
    with transaction() as session:
        session.execute(text("UPDATE destinations SET paused_at = now()"))
    with clock.moved(timedelta(seconds=11)), transaction() as session:
        assert repeat.rescue(session) == []  # nobody may send it


def test_a_drain_that_is_asked_to_stop_leaves_a_job_for_the_rest(
    outbox_of: Outbox, n8n: N8n
) -> None:
    for _ in range(3):
        outbox_of.enqueue()
    with transaction() as session:
        session.execute(text("DELETE FROM procrastinate_jobs"))
    answers = iter([False, True])
    assert drain("n8n", lambda: next(answers)) == 1
    with transaction() as session:
        assert session.scalar(text("SELECT task_name FROM procrastinate_jobs")) == "deliver"


def _in_threads(app: Flask, count: int) -> list[int]:
    """What each of so many drains sent that begin at the same moment."""
    sent: list[int] = []
    begin = threading.Barrier(count)

    def work() -> None:
        begin.wait()
        with app.app_context():
            sent.append(drain("n8n"))

    threads = [
        threading.Thread(target=contextvars.Context().run, args=(work,)) for _ in range(count)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sent


def suspect(delivery_id: uuid.UUID) -> None:
    """As if the worker that sent it had died, and its supervisor had seen that."""
    with transaction() as session:
        session.execute(update(Delivery).where(Delivery.id == delivery_id).values(is_suspect=True))


def let_go_of(delivery_id: uuid.UUID) -> None:
    with transaction() as session:
        session.execute(
            update(Delivery)
            .where(Delivery.id == delivery_id)
            .values(claimed_until=clock.now() - timedelta(seconds=1))
        )
