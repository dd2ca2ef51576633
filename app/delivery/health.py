"""How a destination is doing: failing, blocked, paused, well again. Its row is locked meanwhile."""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.core import events
from app.core.queue import defer
from app.delivery.claim import MOST_AT_ONCE, OPEN_STATUSES, DestinationRow, locked
from app.delivery.outbox import DELIVER
from app.delivery.schedule import blocked_until, is_probing
from app.models import Delivery, Destination

logger = logging.getLogger(__name__)


def count_success(session: Session, destination: DestinationRow) -> None:
    """It took one. If it had been failing, whatever waited goes now."""
    if not destination.consecutive_failures:
        return
    _set(session, destination.key, consecutive_failures=0, blocked_until=None)
    if is_probing(destination.consecutive_failures):
        call_drainers(session, destination.key)


def count_failure(session: Session, destination: DestinationRow, now: datetime) -> None:
    """From the tenth in a row on, the rest wait while one delivery at a time probes."""
    failures = destination.consecutive_failures + 1
    until = blocked_until(failures, now)
    _set(session, destination.key, consecutive_failures=failures, blocked_until=until)
    if until:
        defer(session, DELIVER, at=until, destination_key=destination.key)


def pause(session: Session, destination: DestinationRow, reason: str, now: datetime) -> None:
    """Nothing but a test goes until somebody resumes it."""
    if destination.paused_at is None:
        _set(session, destination.key, paused_at=now, pause_reason=reason)
        logger.warning("destination paused", extra={"destination": destination.key})


def resume(session: Session, destination_key: str) -> int:
    """Everything that waits there is due now, its schedule anew. Gives how many wait."""
    locked(session, destination_key)
    _set(
        session,
        destination_key,
        consecutive_failures=0,
        blocked_until=None,
        paused_at=None,
        pause_reason=None,
    )
    # In the order of whoever sends again or opens a session again, so that none waits in a circle.
    open_now = (
        select(Delivery.id)
        .where(Delivery.destination_key == destination_key, Delivery.status.in_(OPEN_STATUSES))
        .order_by(Delivery.number)
        .with_for_update(key_share=True)
        .cte("open_now")
    )
    waiting = session.scalars(
        update(Delivery)
        .where(Delivery.id.in_(select(open_now.c.id)))
        .values(next_attempt_at=Delivery.created_at, attempt_count=0)  # the oldest goes first
        .returning(Delivery.id)
        .execution_options(synchronize_session=False)
    ).all()
    for delivery_id in waiting:
        events.announce(session, "deliveries", delivery_id)
    call_drainers(session, destination_key, len(waiting))
    logger.info(
        "destination resumed", extra={"destination": destination_key, "waiting": len(waiting)}
    )
    return len(waiting)


def call_drainers(session: Session, destination_key: str, waiting: int = MOST_AT_ONCE) -> None:
    """As many jobs as may send at once; each goes on until nothing is due."""
    for _ in range(min(waiting, MOST_AT_ONCE)):
        defer(session, DELIVER, destination_key=destination_key)


def _set(session: Session, destination_key: str, **values: Any) -> None:
    session.execute(update(Destination).where(Destination.key == destination_key).values(values))
    events.announce(session, "destinations", destination_key)
