"""Write down how an attempt went, and what follows from it."""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from app.core import clock, events
from app.core.db import transaction
from app.core.queue import defer
from app.delivery import health
from app.delivery.claim import (
    OPEN_STATUSES,
    UNCLAIMED,
    DeliveryRow,
    DestinationRow,
    locked,
)
from app.delivery.destinations import Outcome, Outgoing
from app.delivery.outbox import DELIVER, TEST
from app.delivery.schedule import next_attempt
from app.delivery.sealed import SEALED_EVENTS, emptied
from app.models import Delivery, DeliveryAttempt

logger = logging.getLogger(__name__)

PAUSE_REASONS = {
    "gone": "It answered 410 Gone: nothing listens at this address any more.",
    "key_refused": "Resend does not accept our key. Set RESEND_API_KEY to one that may send,"
    " start again, then resume.",
    "sender_refused": "Resend does not let us send from our address. Verify the domain of"
    " RESEND_FROM at Resend, then resume.",
}
_ENDS = {"delivered": "delivered", "unknown": "unknown"}
_SURVIVED: dict[str, Any] = {**UNCLAIMED, "interruptions": 0, "is_suspect": False}


def record(delivery: Outgoing, outcome: Outcome, at: datetime, duration_ms: int) -> None:
    """Keep the attempt begun `at`; move the delivery on if it is still ours to move.

    A result that comes after its claim was lost is kept as an attempt and changes nothing else:
    whoever holds the newer claim decides. A delivery that was erased meanwhile leaves no trace.
    """
    with transaction() as session:
        destination = locked(session, delivery.destination_key)
        row = session.execute(
            select(
                Delivery.id,
                Delivery.session_id,
                Delivery.event,
                Delivery.status,
                Delivery.attempt_count,
                Delivery.claim_token,
                Delivery.is_withdrawn,
            )
            .where(Delivery.id == delivery.id)
            .with_for_update(key_share=True)
        ).one_or_none()
        if destination is None or row is None:
            return
        _keep_attempt(session, delivery, outcome, at, duration_ms)
        if row.claim_token == delivery.claim_token:
            _move_on(session, delivery, row, destination, outcome)
        events.announce(session, "deliveries", row.id)
        if row.session_id:
            events.announce(session, "sessions", row.session_id)
    _log(delivery, outcome, duration_ms, is_late=row.claim_token != delivery.claim_token)


def _keep_attempt(
    session: Session, delivery: Outgoing, outcome: Outcome, at: datetime, duration_ms: int
) -> None:
    session.execute(
        insert(DeliveryAttempt).values(
            delivery_id=delivery.id,
            at=at,
            duration_ms=duration_ms,
            status_code=outcome.status_code,
            error=outcome.error,
            answer=outcome.answer,
        )
    )


def _move_on(
    session: Session,
    delivery: Outgoing,
    row: DeliveryRow,
    destination: DestinationRow,
    outcome: Outcome,
) -> None:
    now = clock.now()
    change = _after(row, outcome, now)
    if change.get("status") == "delivered" and row.event in SEALED_EVENTS:
        change["body"] = emptied(delivery.body)
    session.execute(update(Delivery).where(Delivery.id == row.id).values(_SURVIVED | change))
    if change.get("next_attempt_at"):
        defer(session, DELIVER, at=change["next_attempt_at"], destination_key=destination.key)
    if outcome.result == "gone":
        reason = PAUSE_REASONS.get(outcome.error or "", PAUSE_REASONS["gone"])
        health.pause(session, destination, reason, now)
    elif outcome.result == "failed":
        health.count_failure(session, destination, now)
    elif outcome.result == "delivered" and row.event == TEST and destination.paused_at:
        health.resume(session, destination.key)
    else:
        health.count_success(session, destination)


def _after(row: DeliveryRow, outcome: Outcome, now: datetime) -> dict[str, Any]:
    """What this outcome changes in the delivery."""
    if row.status not in OPEN_STATUSES:  # cancelled while it was being sent
        return {}
    if row.is_withdrawn and outcome.result != "delivered":
        # Its session was opened again meanwhile: not tried any more.
        return {
            "status": "cancelled",
            "attempt_count": row.attempt_count + 1,
            "next_attempt_at": None,
            "finished_at": now,
        }
    if outcome.result == "gone" and row.event != TEST:
        # Waits for "Resume"; nothing of its schedule is used up.
        return {"status": "failed", "next_attempt_at": None}
    count = row.attempt_count + 1
    retry_at = None
    if outcome.result == "failed" and row.event != TEST:  # a test is tried once
        retry_at = next_attempt(count, now, outcome.retry_after)
    if retry_at:
        return {"status": "failed", "attempt_count": count, "next_attempt_at": retry_at}
    return {
        "status": _ENDS.get(outcome.result, "dead"),
        "attempt_count": count,
        "next_attempt_at": None,
        "finished_at": now,
        "remote_id": outcome.remote_id,
    }


def _log(delivery: Outgoing, outcome: Outcome, duration_ms: int, *, is_late: bool) -> None:
    logger.info(
        "delivery attempt",
        extra={
            "delivery_id": str(delivery.id),
            "destination": delivery.destination_key,
            "event": delivery.event,
            "result": outcome.result,
            "status_code": outcome.status_code,
            "error": outcome.error,
            "duration_ms": duration_ms,
            **({"is_late": True} if is_late else {}),
        },
    )
