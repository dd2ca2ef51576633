"""Enqueue: a delivery and its job are rows of the transaction that causes them (rule 2)."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.core import clock, events
from app.core.db import table_of
from app.core.queue import defer
from app.delivery.destinations import active_destinations, kind_of
from app.delivery.payload import Content
from app.models import Delivery, Destination

DELIVER = "deliver"
TEST = "lead.test"


_deliveries = table_of(Delivery)
_ENSURE_DESTINATION = insert(table_of(Destination)).on_conflict_do_nothing()
_INSERT = (
    insert(_deliveries)
    # lead.completed goes out once per lead and destination
    .on_conflict_do_nothing()
    .returning(_deliveries.c.id)
)


def enqueue(
    session: Session, event: str, content: Content, destinations: Iterable[str] | None = None
) -> list[uuid.UUID]:
    """Have the event delivered once the caller's transaction has committed.

    `destinations` are keys, by default the active ones. Gives the new deliveries' ids: none for a
    destination that has, or is being sent, this lead's `lead.completed` already.
    """
    keys = active_destinations() if destinations is None else tuple(destinations)
    body = _frozen(event, content)
    inserted = [_insert(session, key, event, content, body) for key in keys]
    new = [delivery_id for delivery_id in inserted if delivery_id]
    if content.session_id and new:
        events.announce(session, "sessions", content.session_id)
    return new


def _insert(
    session: Session, key: str, event: str, content: Content, body: str
) -> uuid.UUID | None:
    session.execute(_ENSURE_DESTINATION, {"key": key, "kind": kind_of(key)})
    now = clock.now()
    delivery_id: uuid.UUID | None = session.scalar(
        _INSERT,
        {
            "id": uuid.uuid4(),
            "destination_key": key,
            "event": event,
            "lead_id": content.lead_id,
            "session_id": content.session_id,
            "body": body,
            "status": "pending",
            "next_attempt_at": now,
            "created_at": now,
        },
    )
    if delivery_id:
        defer(session, DELIVER, destination_key=key)
        events.announce(session, "deliveries", delivery_id)
    return delivery_id


def _frozen(event: str, content: Content) -> str:
    """Compact JSON in plain UTF-8: what N8n's own `JSON.stringify` would write, too."""
    body = {"type": event, "timestamp": clock.iso(clock.now()), "data": content.data}
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"))
