from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session

from app.core import clock
from app.core.errors import NotFound
from app.models import Delivery, DeliveryAttempt, Destination
from app.reporting import deliveries
from app.reporting.deliveries import DeliveryFilter
from tests.factories import make_chat, make_lead
from tests.reporting.queries import counted


def make_delivery(session: Session, destination: str = "n8n", **values: Any) -> Delivery:
    """A delivery of a lead of its own; the destination is made when it is new."""
    if session.get(Destination, destination) is None:
        session.add(Destination(key=destination, kind=destination))
        session.flush()
    chat = make_chat(session)
    lead = make_lead(session, chat)
    defaults = {
        "destination_key": destination,
        "event": "lead.completed",
        "lead_id": lead.id,
        "session_id": chat.id,
        "body": "{}",
        "created_at": clock.now(),
    }
    delivery = Delivery(**{**defaults, **values})
    session.add(delivery)
    session.flush()
    return delivery


def make_attempt(session: Session, delivery: Delivery, **values: Any) -> DeliveryAttempt:
    attempt = DeliveryAttempt(
        **{"delivery_id": delivery.id, "at": clock.now(), "duration_ms": 80, **values}
    )
    session.add(attempt)
    session.flush()
    return attempt


def test_a_page_is_one_query_and_shows_the_latest_try(session: Session) -> None:
    for i in range(12):
        delivery = make_delivery(session, created_at=clock.now() - timedelta(minutes=i))
        make_attempt(session, delivery, error="timeout")
        make_attempt(session, delivery, error="status", status_code=500)
    session.expunge_all()
    with counted() as seen:
        page = deliveries.list_page(session, DeliveryFilter(), limit=10)
        shown = [
            (row.destination.key, row.lead_name, row.last_attempt and row.last_attempt.status_code)
            for row in page.items
        ]
    assert shown == [("n8n", "Ann Lee", 500)] * 10
    assert len(seen) == 1
    rest = deliveries.list_page(session, DeliveryFilter(), limit=10, cursor=page.next_cursor)
    assert len(rest.items) == 2


def test_filters(session: Session) -> None:
    dead = make_delivery(session, status="dead")
    console = make_delivery(session, "console", status="delivered")

    def found(**wanted: str) -> list[uuid.UUID]:
        page = deliveries.list_page(session, DeliveryFilter(**wanted))
        return [row.delivery.id for row in page.items]

    assert found(status="dead") == [dead.id]
    assert found(destination="console") == [console.id]
    assert found(status="dead", destination="console") == []


def test_a_sessions_deliveries_take_the_same_number_of_queries_for_any_number(
    session: Session,
) -> None:
    delivery = make_delivery(session)
    for event in ("lead.updated", "lead.updated", "lead.updated"):
        other = make_delivery(session, event=event, session_id=delivery.session_id)
        make_attempt(session, other)
    session.expunge_all()
    with counted() as seen:
        found = deliveries.of_session(session, delivery.session_id)  # type: ignore[arg-type]
        assert [len(d.attempts) for d in found] == [0, 1, 1, 1]
        assert {d.destination.kind for d in found} == {"n8n"}
    assert len(seen) == 2


def test_what_is_not_there(session: Session) -> None:
    with pytest.raises(NotFound):
        deliveries.one(session, uuid.uuid4())
    for key in ("n8n", "", "\x00"):
        with pytest.raises(NotFound):
            deliveries.destination(session, key)
