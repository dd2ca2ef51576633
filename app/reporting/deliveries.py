"""Deliveries as people read them: the list, those of a session, and where they go."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Text, cast, column, func, literal, select, true, values
from sqlalchemy.orm import Session, aliased, contains_eager, defer, selectinload

from app.core.errors import NotFound
from app.models import Delivery, DeliveryAttempt, Destination, Lead
from app.models.delivery import STATUSES
from app.reporting.pages import AnySelect, Keyset, Page, number

NEWEST_FIRST = Keyset(Delivery.created_at, Delivery.number, number)
#: Of each destination and status, so many are counted; one more stands for more.
MOST_COUNTED = 999
#: Destinations that are counted at once. With one for every site there may be hundreds.
MOST_DESTINATIONS = 20


@dataclass(frozen=True, slots=True)
class DeliveryFilter:
    """Which deliveries; None: whatever. `destination` is a destination's key. `made_from` is
    included, `made_to` is not.
    """

    status: str | None = None
    destination: str | None = None
    made_from: datetime | None = None
    made_to: datetime | None = None


@dataclass(frozen=True, slots=True)
class DeliveryRow:
    """A delivery with its destination, the lead it is about and its latest try."""

    delivery: Delivery
    destination: Destination
    lead_name: str | None
    last_attempt: DeliveryAttempt | None


@dataclass(frozen=True, slots=True)
class DestinationCount:
    """`counts`: of every status, how many deliveries, up to MOST_COUNTED + 1."""

    destination: Destination
    counts: dict[str, int]


def list_page(
    session: Session, wanted: DeliveryFilter, *, limit: int = 50, cursor: str | None = None
) -> Page[DeliveryRow]:
    """One page, newest first, by one query. Raises Invalid for a wrong cursor."""
    ids = NEWEST_FIRST.cut(_filtered(select(Delivery.id), wanted), limit, cursor)
    return NEWEST_FIRST.page(
        _rows(session, ids),
        lambda row: (row.delivery.created_at, row.delivery.number),
        limit,
        cursor,
    )


def by_ids(
    session: Session, ids: Sequence[uuid.UUID], wanted: DeliveryFilter | None = None
) -> list[DeliveryRow]:
    """Those of these deliveries that still exist and pass the filter, newest first."""
    statement = select(Delivery.id).where(Delivery.id.in_(ids))
    return _rows(session, _filtered(statement, wanted or DeliveryFilter()))


def one(session: Session, delivery_id: uuid.UUID) -> DeliveryRow:
    """Raises NotFound."""
    rows = by_ids(session, [delivery_id])
    if not rows:
        raise NotFound("There is no delivery with this id. It may have been deleted.")
    return rows[0]


def body_of(session: Session, delivery_id: uuid.UUID) -> str:
    """What is sent, as it was frozen: JSON text. Raises NotFound."""
    body = session.scalar(select(Delivery.body).where(Delivery.id == delivery_id))
    if body is None:
        raise NotFound("There is no delivery with this id. It may have been deleted.")
    return body


def attempts_of(session: Session, delivery_id: uuid.UUID) -> list[DeliveryAttempt]:
    """All tries, the newest first."""
    statement = (
        select(DeliveryAttempt)
        .where(DeliveryAttempt.delivery_id == delivery_id)
        .order_by(DeliveryAttempt.id.desc())
    )
    return list(session.scalars(statement))


def counted(session: Session, wanted: DeliveryFilter) -> int:
    """How many pass the filter, up to MOST_COUNTED + 1."""
    found = _filtered(select(Delivery.id), wanted).limit(MOST_COUNTED + 1).subquery()
    return session.scalar(select(func.count()).select_from(found)) or 0


def counts(session: Session) -> list[DestinationCount]:
    """How many there are in every status, of the first destinations by key. One query, which looks
    at no more than it counts.
    """
    shown = (
        select(Destination.key).order_by(Destination.key).limit(MOST_DESTINATIONS).subquery("shown")
    )
    status = values(column("status", Text), name="each").data([(each,) for each in STATUSES])
    some = (
        select(literal(1).label("one"))
        .where(
            Delivery.destination_key == shown.c.key,
            Delivery.status == cast(status.c.status, Text),
        )
        .limit(MOST_COUNTED + 1)
        .correlate(shown, status)
        .subquery()
    )
    number = select(func.count()).select_from(some).scalar_subquery()
    statement = (
        select(Destination, status.c.status, number)
        .join(shown, shown.c.key == Destination.key)
        .join(status, true())
        .order_by(Destination.key)
    )
    found: dict[str, DestinationCount] = {}
    for destination, status_name, count in session.execute(statement):
        each = found.setdefault(destination.key, DestinationCount(destination, {}))
        each.counts[status_name] = count
    return list(found.values())


def of_session(session: Session, session_id: uuid.UUID) -> list[Delivery]:
    """A session's deliveries with destination and all attempts, oldest first."""
    statement = (
        select(Delivery)
        .join(Delivery.destination)
        .where(Delivery.session_id == session_id)
        .order_by(Delivery.created_at, Delivery.number)
        .options(
            contains_eager(Delivery.destination),
            selectinload(Delivery.attempts),
            defer(Delivery.body, raiseload=True),
        )
    )
    return list(session.scalars(statement))


def destinations(session: Session) -> list[Destination]:
    """Every destination that was ever used, by key."""
    return list(session.scalars(select(Destination).order_by(Destination.key)))


def destination(session: Session, key: str) -> Destination:
    """Raises NotFound."""
    found = session.get(Destination, key) if key.isprintable() else None
    if found is None:
        raise NotFound("There is no such destination.")
    return found


def _rows(session: Session, ids: AnySelect) -> list[DeliveryRow]:
    chosen = ids.subquery("chosen")
    last = (
        select(DeliveryAttempt)
        .where(DeliveryAttempt.delivery_id == Delivery.id)
        .order_by(DeliveryAttempt.id.desc())
        .limit(1)
        .lateral("last_attempt")
    )
    last_attempt = aliased(DeliveryAttempt, last)
    statement = (
        select(
            Delivery,
            Destination,
            func.coalesce(Lead.name, Lead.email, Lead.phone),
            last_attempt,
        )
        .join(chosen, chosen.c.id == Delivery.id)
        .join(Destination, Destination.key == Delivery.destination_key)
        .outerjoin(Lead, Lead.id == Delivery.lead_id)
        .outerjoin(last, true())
        .options(defer(Delivery.body, raiseload=True))
    )
    return [
        DeliveryRow(delivery, destination, lead_name, attempt)
        for delivery, destination, lead_name, attempt in session.execute(
            NEWEST_FIRST.order(statement)
        )
    ]


def _filtered(statement: AnySelect, wanted: DeliveryFilter) -> AnySelect:
    if wanted.status is not None:
        statement = statement.where(Delivery.status == wanted.status)
    if wanted.destination is not None:
        statement = statement.where(Delivery.destination_key == wanted.destination)
    elif wanted.status is not None and wanted.status != "delivered":
        # By the index of each destination and status: they lie far apart among those that arrived.
        keys = select(Destination.key)
        statement = statement.where(Delivery.destination_key.in_(keys))
    if wanted.made_from is not None:
        statement = statement.where(Delivery.created_at >= wanted.made_from)
    if wanted.made_to is not None:
        statement = statement.where(Delivery.created_at < wanted.made_to)
    return statement
