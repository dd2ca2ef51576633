"""Deliveries that somebody, or the clock, sets going again. All under the id they had."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, case, exists, or_, select, update
from sqlalchemy.orm import Session

from app.core import clock, events
from app.core.queue import defer_alone
from app.delivery import letters, payload
from app.delivery.claim import OPEN_STATUSES, most_at_once
from app.delivery.destinations import kind_of
from app.delivery.health import call_drainers
from app.delivery.outbox import DELIVER, TEST, enqueue
from app.delivery.settings import current
from app.models import Delivery, Destination

#: What a person may send again.
REPEATABLE_STATUSES = ("dead", "unknown", "failed")
#: A due delivery has a job of its own; this long after, that job must have been lost.
OVERDUE = timedelta(seconds=10)
#: So many at one press: they are written down in one transaction.
MOST_AT_ONCE = 5_000


@dataclass(frozen=True, slots=True)
class Repeated:
    """`ids`: what goes out again. `left_out`: how many of the others there are, by why: `sent`,
    `under_way`, `cancelled`, `gone`.
    """

    ids: list[uuid.UUID]
    left_out: dict[str, int] = field(default_factory=dict)


def send_chosen_again(session: Session, delivery_ids: Iterable[uuid.UUID]) -> Repeated:
    """As `send_again`, and why the others are left as they are. A second person's press waits for
    the first one's, and then finds them under way.
    """
    asked = set(delivery_ids)
    sent = send_again(session, asked)
    others = asked.difference(sent)
    rows = session.execute(select(Delivery.id, _why_left_out()).where(Delivery.id.in_(others)))
    found = {delivery_id: why for delivery_id, why in rows}  # noqa: C416 - rows are no pairs
    left_out: dict[str, int] = {}
    for each in others:
        why = found.get(each, "gone")
        left_out[why] = left_out.get(why, 0) + 1
    return Repeated(sent, left_out)


def _why_left_out() -> ColumnElement[str]:
    return case(
        (Delivery.status == "delivered", "sent"),
        (or_(Delivery.status == "cancelled", Delivery.is_withdrawn), "cancelled"),
        else_="under_way",
    )


def send_again(session: Session, delivery_ids: Iterable[uuid.UUID]) -> list[uuid.UUID]:
    """Make these due now, their schedule anew; earlier attempts stay. Gives those it applied to:
    what is delivered, cancelled or on its way already is left as it is.
    """
    return _due_now(session, Delivery.id.in_(list(delivery_ids)))


def send_all_again(
    session: Session, destination_key: str | None = None, status: str = "dead"
) -> list[uuid.UUID]:
    """The same for all of a status, at one destination or at every one: at most MOST_AT_ONCE, the
    oldest first.
    """
    chosen: list[ColumnElement[bool]] = [Delivery.status == status]
    if destination_key is not None:
        chosen.append(Delivery.destination_key == destination_key)
    return _due_now(session, and_(*chosen))


def paused(session: Session, delivery_ids: Collection[uuid.UUID]) -> list[str]:
    """The keys of the paused destinations that these wait for."""
    if not delivery_ids:
        return []
    waiting = exists().where(
        Delivery.destination_key == Destination.key, Delivery.id.in_(delivery_ids)
    )
    keys = select(Destination.key).where(Destination.paused_at.is_not(None), waiting)
    return list(session.scalars(keys.order_by(Destination.key)))


def send_test(session: Session, destination_key: str, asked_by: str = "") -> uuid.UUID:
    """Have one made-up lead, or a letter to who asks (an e-mail address), sent, even to a paused
    destination: its success resumes that. Gives the delivery's id.
    """
    if kind_of(destination_key) == "email":
        return letters.enqueue_test(session, asked_by)
    content = payload.sample(current().public_url)
    return enqueue(session, TEST, content, [destination_key])[0]


def rescue(session: Session) -> list[str]:
    """Defer jobs where deliveries are due but nobody comes: their job or their worker was lost.

    Gives the keys of the destinations concerned.
    """
    now = clock.now()
    is_forgotten = exists().where(
        Delivery.destination_key == Destination.key,
        Delivery.status.in_(OPEN_STATUSES),
        Delivery.next_attempt_at < now - OVERDUE,
        or_(Delivery.claimed_until.is_(None), Delivery.claimed_until <= now),
        or_(
            Delivery.event == TEST,
            and_(
                Destination.paused_at.is_(None),
                or_(Destination.blocked_until.is_(None), Destination.blocked_until <= now),
            ),
        ),
    )
    unharmed = is_forgotten.where(~Delivery.is_suspect)
    keys = list(session.scalars(select(Destination.key).where(unharmed)))
    for key in keys:
        call_drainers(session, key)
    # What may have killed a worker is sent where nothing else runs.
    suspect = is_forgotten.where(Delivery.is_suspect)
    alone = list(session.scalars(select(Destination.key).where(suspect)))
    for key in alone:
        defer_alone(session, DELIVER, {"destination_key": key}, at_most=most_at_once(key))
    return sorted({*keys, *alone})


def _due_now(session: Session, chosen: ColumnElement[bool]) -> list[uuid.UUID]:
    values: dict[str, Any] = {
        "status": "pending",
        "attempt_count": 0,
        "next_attempt_at": Delivery.created_at,  # the oldest goes first
        "finished_at": None,
    }
    now = clock.now()
    # In one order, so that two who press at once do not wait for each other in a circle.
    locked = (
        select(Delivery.id)
        .where(
            chosen,
            Delivery.status.in_(REPEATABLE_STATUSES),
            ~Delivery.is_withdrawn,
            or_(Delivery.claimed_until.is_(None), Delivery.claimed_until <= now),
        )
        .order_by(Delivery.number)
        .limit(MOST_AT_ONCE)
        .with_for_update()
        .cte("locked")
    )
    rows = session.execute(
        update(Delivery)
        .where(Delivery.id.in_(select(locked.c.id)))
        .values(values)
        .returning(Delivery.id, Delivery.session_id, Delivery.destination_key)
        .execution_options(synchronize_session=False)
    ).all()
    for row in rows:
        events.announce(session, "deliveries", row.id)
        if row.session_id:
            events.announce(session, "sessions", row.session_id)
    keys = [row.destination_key for row in rows]
    for key in sorted(set(keys)):
        call_drainers(session, key, keys.count(key))
    return [row.id for row in rows]
