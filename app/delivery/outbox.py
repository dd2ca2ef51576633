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


# A destination is made when first used. Whoever is told goes down in the lead's event, so that a
# missing delivery can be noticed. The session's row is locked by who calls: no two at once.
_INSERT = text("""
    WITH wanted AS (
        SELECT * FROM unnest(CAST(:ids AS uuid[]), CAST(:keys AS text[]), CAST(:kinds AS text[]))
               AS w (id, key, kind)
    ), known AS (
        INSERT INTO destinations (key, kind) SELECT key, kind FROM wanted
        ON CONFLICT DO NOTHING
    ), due AS (
        SELECT * FROM wanted w
         WHERE NOT (CAST(:event AS text) IN ('lead.completed', 'lead.partial') AND EXISTS (
               SELECT FROM deliveries d
                WHERE d.lead_id = CAST(:lead_id AS uuid) AND d.destination_key = w.key
                  AND d.event = :event AND d.status <> 'cancelled'))
    ), happened AS (
        INSERT INTO lead_events (lead_id, event, at, destinations)
        SELECT CAST(:lead_id AS uuid), :event, :now, (SELECT jsonb_agg(key) FROM due)
         WHERE CAST(:lead_id AS uuid) IS NOT NULL AND EXISTS (SELECT FROM due)
        RETURNING id
    )
    INSERT INTO deliveries (id, destination_key, event, lead_id, session_id, lead_event_id, body,
                            status, next_attempt_at, created_at)
    SELECT due.id, due.key, :event, CAST(:lead_id AS uuid), CAST(:session_id AS uuid),
           happened.id, :body, 'pending', :now, :now
      FROM due LEFT JOIN happened ON true
    ON CONFLICT DO NOTHING
    RETURNING id, destination_key
""")


def enqueue(
    session: Session, event: str, content: Content, destinations: Iterable[str] | None = None
) -> list[uuid.UUID]:
    """Have the event delivered once the caller's transaction has committed.

    `destinations` are keys, by default the active ones. Gives the new deliveries' ids: none for a
    destination that has, or is being sent, this lead's `lead.completed` or `lead.partial` already.
    """
    keys = active_destinations() if destinations is None else tuple(destinations)
    rows = session.connection().execute(
        _INSERT,
        {
            "ids": [str(uuid.uuid4()) for _ in keys],
            "keys": list(keys),
            "kinds": [kind_of(key) for key in keys],
            "event": event,
            "lead_id": content.lead_id,
            "session_id": content.session_id,
            "body": _frozen(event, content),
            "now": clock.now(),
        },
    )
    new = []
    for delivery_id, key in rows.all():
        defer(session, DELIVER, destination_key=key)
        events.announce(session, "deliveries", delivery_id)
        new.append(delivery_id)
    if content.session_id and new:
        events.announce(session, "sessions", content.session_id)
    return new


def enqueue_missing(
    session: Session, event: str, lead_event_id: int, keys: Iterable[str], content: Content
) -> list[uuid.UUID]:
    """The deliveries that these destinations should have had of an earlier event of this lead.

    Gives the new deliveries' ids: none for who has, or is being sent, what goes out once.
    """
    new = []
    for key in keys:
        values = {
            "id": uuid.uuid4(),
            "key": key,
            "event": event,
            "lead_id": content.lead_id,
            "session_id": content.session_id,
            "lead_event_id": lead_event_id,
            "body": _frozen(event, content),
            "now": clock.now(),
        }
        if delivery_id := session.scalar(_INSERT_MISSING, values):
            defer(session, DELIVER, destination_key=key)
            events.announce(session, "deliveries", delivery_id)
            events.announce(session, "sessions", content.session_id)
            new.append(delivery_id)
    return new


_INSERT_MISSING = text("""
    INSERT INTO deliveries (id, destination_key, event, lead_id, session_id, lead_event_id, body,
                            status, next_attempt_at, created_at)
    VALUES (:id, :key, :event, :lead_id, :session_id, :lead_event_id, :body, 'pending', :now, :now)
    ON CONFLICT DO NOTHING RETURNING id
""")


def enqueue_again(session: Session, content: Content) -> list[uuid.UUID]:
    """A lead completed anew: `lead.completed` for who has not been sent it, `lead.updated` for
    who has. A try under way that was withdrawn counts again.
    """
    told = session.scalars(_RESTORE, {"lead_id": content.lead_id}).all()
    others = [key for key in active_destinations() if key not in told]
    new = enqueue(session, "lead.completed", content, others) if others else []
    return new + (enqueue(session, "lead.updated", content, told) if told else [])


_RESTORE = text("""
    UPDATE deliveries SET is_withdrawn = false
     WHERE lead_id = :lead_id AND event = 'lead.completed' AND status <> 'cancelled'
    RETURNING destination_key
""")
_WITHDRAW = text("""
    UPDATE deliveries
       SET is_withdrawn = claim_token IS NOT NULL,
           status = CASE WHEN claim_token IS NULL THEN 'cancelled' ELSE status END,
           finished_at = CASE WHEN claim_token IS NULL THEN CAST(:now AS timestamptz) END,
           next_attempt_at = CASE WHEN claim_token IS NULL THEN NULL ELSE next_attempt_at END
     WHERE session_id = :session_id AND status IN ('pending', 'failed')
    RETURNING id
""")


def withdraw(session: Session, session_id: uuid.UUID) -> int:
    """Cancel what of this session has not been sent; what is being sent this moment is cancelled
    if that try fails. Gives how many.
    """
    values = {"session_id": session_id, "now": clock.now()}
    withdrawn = session.scalars(_WITHDRAW, values).all()
    for delivery_id in withdrawn:
        events.announce(session, "deliveries", delivery_id)
    return len(withdrawn)


def _frozen(event: str, content: Content) -> str:
    """Compact JSON in plain UTF-8: what N8n's own `JSON.stringify` would write, too."""
    body = {"type": event, "timestamp": clock.iso(clock.now()), "data": content.data}
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"))
