"""Take the next due delivery of a destination, so that nobody else sends it meanwhile.

The destination's row is locked for the length of the claim: claims of one destination queue up,
which makes "at most four at once, over all processes" true. Procrastinate's own locks cannot say
that: a job with a lock waits for every earlier job of that lock, even one due tomorrow.
"""

from __future__ import annotations

import logging
import uuid
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, exists, func, insert, or_, select, true, update
from sqlalchemy.orm import Session, aliased

from app.core import clock, events
from app.core.db import transaction
from app.core.queue import ALONE, defer
from app.delivery.destinations import KNOWN_AGAIN_FOR, Outgoing, kind_of
from app.delivery.outbox import DELIVER, TEST
from app.delivery.schedule import RETRY_DELAYS, is_probing, next_attempt
from app.models import Delivery, DeliveryAttempt, Destination
from app.models.delivery import FINAL_STATUSES

logger = logging.getLogger(__name__)

MOST_AT_ONCE = 4
#: Kinds that have a rate to keep (`destinations.LETTER_SECONDS`).
FEWER_AT_ONCE = {"email": 1}
#: Longer than an attempt can take (20 s), so that only a dead worker loses its claim.
CLAIM_FOR = timedelta(seconds=35)
#: After these the receiver may have had it.
UNSURE_ERRORS = ("timeout", "closed", "garbage", "interrupted", "still_sending")
UNCLAIMED: dict[str, Any] = {"claim_token": None, "claimed_until": None}
OPEN_STATUSES = ("pending", "failed")
#: key, consecutive_failures, blocked_until, paused_at
DestinationRow = Row[str, int, datetime | None, datetime | None]
DeliveryRow = Row[*tuple[Any, ...]]
#: So many times it is tried again at once, as after a kill; then after growing pauses.
INTERRUPTIONS_AT_ONCE = 2


def claim(destination_key: str, *, with_suspects: bool = True) -> Outgoing | None:
    """The delivery to send now, in a transaction of its own; None when there is nothing to do.

    `with_suspects`: also one that may have killed a worker, and may kill the next one, too.
    """
    with transaction() as session:
        destination = locked(session, destination_key)
        if destination is None or _is_busy(session, destination, with_suspects):
            return None
        while row := _next_due(session, destination, with_suspects):
            if row.claim_token is not None and not _survived(session, row):
                continue
            if _may_arrive_twice(session, row):
                _leave_to_a_person(session, row)
                continue
            return _taken(session, row)
        return None


def most_at_once(destination_key: str) -> int:
    return FEWER_AT_ONCE.get(kind_of(destination_key), MOST_AT_ONCE)


def locked(session: Session, destination_key: str) -> DestinationRow | None:
    """The destination's state; its row stays locked. Enqueuing a delivery to it need not wait."""
    return session.execute(
        select(
            Destination.key,
            Destination.consecutive_failures,
            Destination.blocked_until,
            Destination.paused_at,
        )
        .where(Destination.key == destination_key)
        .with_for_update(key_share=True)
    ).one_or_none()


def _is_busy(session: Session, destination: DestinationRow, with_suspects: bool) -> bool:
    """Whether as many are being sent as may be. Suspects go first: they wait for a process of
    their own, and would never find room beside all the others.
    """
    now = clock.now()
    live = session.scalar(
        select(func.count()).where(
            Delivery.destination_key == destination.key,
            Delivery.claim_token.is_not(None),
            Delivery.claimed_until > now,
        )
    )
    most = most_at_once(destination.key)
    most = 1 if is_probing(destination.consecutive_failures) else most
    if not with_suspects:
        most -= _suspects_due(session, destination, now)
    return (live or 0) >= most


def _suspects_due(session: Session, destination: DestinationRow, now: datetime) -> int:
    """How many wait for a process of their own. A paused destination gets none but tests."""
    due = session.scalar(
        select(func.count()).where(
            Delivery.destination_key == destination.key,
            Delivery.is_suspect,
            Delivery.status.in_(OPEN_STATUSES),
            Delivery.next_attempt_at <= now,
            or_(Delivery.claimed_until.is_(None), Delivery.claimed_until <= now),
            _may_go(session, destination, now),
        )
    )
    return due or 0


def _next_due(
    session: Session, destination: DestinationRow, with_suspects: bool
) -> DeliveryRow | None:
    now = clock.now()
    earlier = aliased(Delivery)
    waits_for_earlier = exists().where(
        earlier.lead_id == Delivery.lead_id,
        earlier.destination_key == Delivery.destination_key,
        earlier.number < Delivery.number,
        earlier.status.not_in(FINAL_STATUSES),
    )
    return session.execute(
        select(
            Delivery.id,
            Delivery.destination_key,
            Delivery.event,
            Delivery.body,
            Delivery.session_id,
            Delivery.attempt_count,
            Delivery.claim_token,
            Delivery.claimed_until,
            Delivery.is_withdrawn,
            Delivery.interruptions,
            Delivery.is_suspect,
        )
        .where(
            Delivery.destination_key == destination.key,
            Delivery.status.in_(OPEN_STATUSES),
            Delivery.next_attempt_at <= now,
            or_(Delivery.claimed_until.is_(None), Delivery.claimed_until <= now),
            # Below an OR, PostgreSQL asks row by row along the index of what is due, and stops at
            # the first. Alone it would join the whole backlog: 500 ms where 200,000 wait.
            or_(Delivery.lead_id.is_(None), ~waits_for_earlier),
            _may_go(session, destination, now),
            true() if with_suspects else ~Delivery.is_suspect,
        )
        .order_by(Delivery.next_attempt_at)
        .limit(1)
        .with_for_update(skip_locked=True, key_share=True)
    ).one_or_none()


def _may_go(session: Session, destination: DestinationRow, now: datetime) -> ColumnElement[bool]:
    """A test always goes. A blocked destination still gets a lead that waits there alone: blocking
    is for the sake of the rest and must not shift a lone delivery's own schedule.
    """
    is_blocked = destination.blocked_until is not None and destination.blocked_until > now
    if destination.paused_at or (is_blocked and _several_leads_wait(session, destination)):
        return Delivery.event == TEST
    return true()


def _several_leads_wait(session: Session, destination: DestinationRow) -> bool:
    one, other = aliased(Delivery), aliased(Delivery)
    found = session.scalar(
        select(
            exists().where(
                one.destination_key == destination.key,
                one.status.in_(OPEN_STATUSES),
                other.destination_key == destination.key,
                other.status.in_(OPEN_STATUSES),
                other.id != one.id,
                # Letters are nobody's lead: each is one of its own.
                or_(one.lead_id.is_(None), other.lead_id.is_distinct_from(one.lead_id)),
            )
        )
    )
    return bool(found)


def _survived(session: Session, row: DeliveryRow) -> bool:
    """Keep the attempt a dead worker left behind. False when that was the last of its schedule,
    its session was opened again meanwhile, or so many workers died of it that it has to wait.
    """
    session.execute(
        insert(DeliveryAttempt).values(
            delivery_id=row.id,
            at=row.claimed_until - CLAIM_FOR,
            duration_ms=0,
            error="interrupted",
        )
    )
    is_last = row.attempt_count + 1 > len(RETRY_DELAYS)
    interruptions = row.interruptions + int(row.is_suspect)
    values: dict[str, Any] = {
        "attempt_count": row.attempt_count + 1,
        "interruptions": interruptions,
    }
    waits = interruptions > INTERRUPTIONS_AT_ONCE and not (is_last or row.is_withdrawn)
    if waits:
        at = next_attempt(interruptions - INTERRUPTIONS_AT_ONCE, clock.now())
        values |= {"status": "failed", "next_attempt_at": at, **UNCLAIMED}
        defer(session, DELIVER, at=at, queue=ALONE, destination_key=row.destination_key)
    if is_last or row.is_withdrawn:
        values |= {
            "status": "cancelled" if row.is_withdrawn else "dead",
            "finished_at": clock.now(),
            "next_attempt_at": None,
            **UNCLAIMED,
        }
    session.execute(update(Delivery).where(Delivery.id == row.id).values(values))
    events.announce(session, "deliveries", row.id)
    logger.warning("delivery attempt interrupted", extra={"delivery_id": str(row.id)})
    return not (is_last or row.is_withdrawn or waits)


def _may_arrive_twice(session: Session, row: DeliveryRow) -> bool:
    """Whether a try of this schedule, whose end nobody knows, lies so far back that its receiver
    would not know the delivery again.
    """
    known_for = KNOWN_AGAIN_FOR.get(kind_of(row.destination_key))
    tries = row.attempt_count + (row.claim_token is not None)
    if known_for is None or not tries:
        return False
    latest = (
        select(DeliveryAttempt.at, DeliveryAttempt.error, DeliveryAttempt.status_code)
        .where(DeliveryAttempt.delivery_id == row.id)
        .order_by(DeliveryAttempt.id.desc())
        .limit(tries)
    )
    return any(
        at < clock.now() - known_for and (error in UNSURE_ERRORS or (status or 0) >= 500)
        for at, error, status in session.execute(latest)
    )


def _leave_to_a_person(session: Session, row: DeliveryRow) -> None:
    values = {"status": "unknown", "finished_at": clock.now(), "next_attempt_at": None}
    session.execute(update(Delivery).where(Delivery.id == row.id).values(values | UNCLAIMED))
    events.announce(session, "deliveries", row.id)
    if row.session_id:
        events.announce(session, "sessions", row.session_id)


def _taken(session: Session, row: DeliveryRow) -> Outgoing:
    token = uuid.uuid4()
    session.execute(
        update(Delivery)
        .where(Delivery.id == row.id)
        .values(claim_token=token, claimed_until=clock.now() + CLAIM_FOR)
    )
    return Outgoing(row.id, row.destination_key, row.event, row.body, token)
