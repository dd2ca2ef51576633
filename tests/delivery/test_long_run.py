"""The whole schedule, destinations that keep failing, and what people set going again."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import text

from app.core import clock
from app.core.db import transaction
from app.delivery import repeat
from app.delivery.schedule import RETRY_DELAYS
from app.delivery.send import drain
from tests.delivery.conftest import Outbox
from tests.fakes.n8n import N8n


def test_the_whole_schedule_to_its_end_and_sent_again(outbox_of: Outbox, n8n: N8n) -> None:
    n8n.always(500)
    delivery = outbox_of.enqueue()
    elapsed = timedelta(0)
    for tries in range(1, 14):
        with clock.moved(elapsed):
            assert drain("n8n") == 1, f"try {tries}"
            state = outbox_of.state(delivery)
            assert state.attempt_count == tries
            if tries == 13:
                break
            assert state.status == "failed"
            assert state.next_attempt_at is not None
            wait = state.next_attempt_at - clock.now()
            assert 0.89 <= wait / RETRY_DELAYS[tries - 1] <= 1.1
            with clock.moved(wait - timedelta(seconds=0.5)):
                assert drain("n8n") == 0  # never early, also when the destination is blocked
            elapsed += wait + timedelta(seconds=0.1)

    assert (state.status, state.next_attempt_at) == ("dead", None)
    assert state.finished_at is not None
    assert elapsed > timedelta(hours=76 * 0.9)
    with clock.moved(elapsed + timedelta(days=30)):
        assert drain("n8n") == 0
        with transaction() as session:
            assert repeat.send_again(session, [delivery]) == [delivery]
        assert outbox_of.state(delivery).status == "pending"
        assert drain("n8n") == 1
        state = outbox_of.state(delivery)
        assert (state.status, state.attempt_count) == ("failed", 1)  # its schedule anew
        assert len(outbox_of.attempts(delivery)) == 14  # and the old attempts kept
        n8n.always(200)
        with clock.moved(timedelta(seconds=6)):
            assert drain("n8n") == 1  # 14 failures in a row do not shift a lone delivery
    assert outbox_of.state(delivery).status == "delivered"
    assert set(n8n.ids) == {str(delivery)}
    assert all(request.is_verified for request in n8n.received)


def test_a_failing_destination_is_probed_while_the_rest_waits(outbox_of: Outbox, n8n: N8n) -> None:
    n8n.always(500)
    deliveries = [outbox_of.enqueue() for _ in range(30)]

    drain("n8n")

    assert len(n8n.received) == 10  # then nobody hammers any more
    assert outbox_of.destination().consecutive_failures == 10
    elapsed = timedelta(0)
    for seconds in (5, 10, 20, 40, 60, 60):
        elapsed += timedelta(seconds=seconds + 0.5)
        before = len(n8n.received)
        with clock.moved(elapsed):
            drain("n8n")
            drain("n8n")
        assert len(n8n.received) == before + 1, f"after {elapsed}"

    n8n.always(200)
    with clock.moved(elapsed + timedelta(seconds=61)):
        drain("n8n")
        drain("n8n")

    assert n8n.count() == 30
    states = [outbox_of.state(delivery).status for delivery in deliveries]
    assert set(states) == {"delivered"}
    assert outbox_of.destination().consecutive_failures == 0
    assert outbox_of.destination().blocked_until is None


def test_a_destination_that_recovers_gets_as_many_senders_as_it_may_have(
    outbox_of: Outbox, n8n: N8n
) -> None:
    n8n.always(500)
    for _ in range(12):
        outbox_of.enqueue()
    drain("n8n")
    jobs = _jobs()
    n8n.always(200)

    with clock.moved(timedelta(seconds=6)):
        drain("n8n")

    assert _jobs() == jobs + 4


def test_a_blocked_destination_gets_a_job_for_when_it_is_probed(
    outbox_of: Outbox, n8n: N8n
) -> None:
    n8n.always(500)
    for _ in range(11):
        outbox_of.enqueue()
    drain("n8n")
    blocked_until = outbox_of.destination().blocked_until
    with transaction() as session:
        times = session.scalars(text("SELECT scheduled_at FROM procrastinate_jobs")).all()
    assert blocked_until in times


def test_dead_deliveries_are_sent_again_in_bulk(outbox_of: Outbox, n8n: N8n) -> None:
    deliveries = [outbox_of.enqueue() for _ in range(3)]
    with transaction() as session:
        session.execute(
            text(
                "UPDATE deliveries SET status = 'dead', next_attempt_at = NULL, finished_at = now()"
            )
        )
        session.execute(text("UPDATE deliveries SET status = 'cancelled' WHERE number = 3"))

    with transaction() as session:
        assert repeat.send_all_again(session, "console") == []
        assert set(repeat.send_all_again(session, "n8n")) == set(deliveries[:2])
    drain("n8n")

    assert set(n8n.ids) == {str(delivery) for delivery in deliveries[:2]}


def test_what_is_delivered_is_not_sent_again(outbox_of: Outbox, n8n: N8n) -> None:
    delivery = outbox_of.enqueue()
    drain("n8n")
    with transaction() as session:
        assert repeat.send_again(session, [delivery]) == []
    assert drain("n8n") == 0
    assert len(n8n.received) == 1


def _jobs() -> int:
    with transaction() as session:
        return session.scalar(text("SELECT count(*) FROM procrastinate_jobs")) or 0
