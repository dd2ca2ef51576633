"""Enqueue: a delivery and its job are rows of the transaction that causes them (rule 2)."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable

from sqlalchemy import text
from sqlalchemy.orm import Session

from app.core import clock, events
from app.core.queue import defer
from app.delivery.destinations import active_destinations, kind_of
from app.delivery.payload import Content

DELIVER = "deliver"
TEST = "lead.test"


# A destination is made when first used; lead.completed goes out once per lead and destination.
_INSERT = text("""
    WITH known AS (
        INSERT INTO destinations (key, kind) VALUES (:destination_key, :kind)
        ON CONFLICT DO NOTHING
    )
    INSERT INTO deliveries (id, destination_key, event, lead_id, session_id, body, status,
                            next_attempt_at, created_at)
    VALUES (:id, :destination_key, :event, CAST(:lead_id AS uuid), CAST(:session_id AS uuid),
            :body, 'pending', :now, :now)
    ON CONFLICT DO NOTHING
    RETURNING id
""")


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
    delivery_id = uuid.uuid4()
    connection = session.connection()
    stored = connection.execute(
        _INSERT,
        {
            "id": delivery_id,
            "destination_key": key,
            "kind": kind_of(key),
            "event": event,
            "lead_id": content.lead_id,
            "session_id": content.session_id,
            "body": body,
            "now": clock.now(),
        },
    ).one_or_none()
    if stored is None:
        return None
    defer(session, DELIVER, destination_key=key)
    events.announce(session, "deliveries", delivery_id)
    return delivery_id


def _frozen(event: str, content: Content) -> str:
    """Compact JSON in plain UTF-8: what N8n's own `JSON.stringify` would write, too."""
    body = {"type": event, "timestamp": clock.iso(clock.now()), "data": content.data}
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"))
