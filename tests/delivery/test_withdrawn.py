"""What becomes of a delivery whose session is opened again while it is being sent."""

from __future__ import annotations

import pytest

from app.core import clock
from app.core.db import transaction
from app.delivery import outbox, repeat
from app.delivery.claim import CLAIM_FOR, claim
from app.delivery.destinations import Outcome
from app.delivery.record import record
from tests.delivery.conftest import Outbox


@pytest.mark.parametrize(
    ("outcome", "status"),
    [
        (Outcome("delivered", 200), "delivered"),
        (Outcome("failed", 500, "status"), "cancelled"),
        (Outcome("gone", 410, "status"), "cancelled"),
    ],
)
def test_a_try_under_way_decides(outbox_of: Outbox, outcome: Outcome, status: str) -> None:
    ann = outbox_of.lead()
    delivery_id = outbox_of.enqueue(ann)
    sending = claim("n8n")
    assert sending is not None
    assert ann.session_id is not None
    with transaction() as session:
        assert outbox.withdraw(session, ann.session_id) == 1
    record(sending, outcome, clock.now(), 5)
    assert outbox_of.state(delivery_id).status == status
    with transaction() as session:
        if status == "cancelled":
            assert repeat.send_again(session, [delivery_id]) == []


def test_a_dead_workers_try_is_cancelled(outbox_of: Outbox) -> None:
    ann = outbox_of.lead()
    delivery_id = outbox_of.enqueue(ann)
    assert claim("n8n") is not None
    assert ann.session_id is not None
    with transaction() as session:
        outbox.withdraw(session, ann.session_id)
    with clock.moved(CLAIM_FOR * 2):
        assert claim("n8n") is None
    assert outbox_of.state(delivery_id).status == "cancelled"
