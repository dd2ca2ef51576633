"""Enqueue: a delivery and its job are rows of the transaction that causes them (rule 2)."""

from __future__ import annotations

import json
import uuid
from collections import Counter
from collections.abc import Iterable, Sequence

from sqlalchemy import text
from sqlalchemy.orm import Session

from app.core import clock, events
from app.core.queue import defer
from app.delivery.destinations import active_destinations, kind_of
from app.delivery.payload import Content

DELIVER = "deliver"
TEST = "lead.test"


#: A job sends whatever is due at its destination, so many deliveries at once need few of them.
MOST_JOBS = 4

# A destination is made when first used. Whoever is told goes down in the lead's event, so that a
# missing delivery can be noticed. The session's row is locked by who calls: no two at once.
_INSERT = text("""
    WITH wanted AS (
        SELECT * FROM unnest(CAST(:ids AS uuid[]), CAST(:keys AS text[]), CAST(:kinds AS text[]),
                             CAST(:leads AS uuid[]), CAST(:sessions AS uuid[]),
                             CAST(:bodies AS text[])) AS w (id, key, kind, lead, session, body)
    ), known AS (
        INSERT INTO destinations (key, kind) SELECT DISTINCT key, kind FROM wanted
        ON CONFLICT DO NOTHING
    ), due AS (
        SELECT * FROM wanted w
         WHERE NOT (CAST(:event AS text) IN ('lead.completed', 'lead.partial') AND EXISTS (
               SELECT FROM deliveries d
                WHERE d.lead_id = w.lead AND d.destination_key = w.key
                  AND d.event = :event AND d.status <> 'cancelled'))
    ), happened AS (
        INSERT INTO lead_events (lead_id, event, at, destinations)
        SELECT lead, :event, :now, jsonb_agg(key) FROM due WHERE lead IS NOT NULL GROUP BY lead
        RETURNING id, lead_id
    )
    INSERT INTO deliveries (id, destination_key, event, lead_id, session_id, lead_event_id, body,
                            status, next_attempt_at, created_at)
    SELECT due.id, due.key, :event, due.lead, due.session, happened.id, due.body, 'pending',
           :now, :now
      FROM due LEFT JOIN happened ON happened.lead_id = due.lead
    ON CONFLICT DO NOTHING
    RETURNING id, destination_key, session_id
""")


def enqueue(
    session: Session, event: str, content: Content, destinations: Iterable[str] | None = None
) -> list[uuid.UUID]:
    """Have the event delivered once the caller's transaction has committed.

    `destinations` are keys, by default the active ones. Gives the new deliveries' ids: none for a
    destination that has, or is being sent, this lead's `lead.completed` or `lead.partial` already.
    """
    keys = active_destinations() if destinations is None else tuple(destinations)
    return list(enqueue_many(session, event, [content], keys))


def enqueue_many(
    session: Session, event: str, contents: Sequence[Content], keys: Sequence[str]
) -> dict[uuid.UUID, uuid.UUID | None]:
    """`enqueue` for many leads at once, each named once, to the destinations `keys`.

    Gives the new deliveries' ids, with the sessions they belong to.
    """
    wanted = [(content, key) for content in contents for key in keys]
    if not wanted:
        return {}
    bodies = {id(content): _frozen(event, content) for content in contents}
    values = {
        "ids": [str(uuid.uuid4()) for _ in wanted],
        "keys": [key for _, key in wanted],
        "kinds": [kind_of(key) for _, key in wanted],
        "leads": [_text(content.lead_id) for content, _ in wanted],
        "sessions": [_text(content.session_id) for content, _ in wanted],
        "bodies": [bodies[id(content)] for content, _ in wanted],
        "event": event,
        "now": clock.now(),
    }
    rows = session.connection().execute(_INSERT, values).all()
    for key, number in Counter(row.destination_key for row in rows).items():
        for _ in range(min(number, MOST_JOBS)):
            defer(session, DELIVER, destination_key=key)
    for row in rows:
        events.announce(session, "deliveries", row.id)
        if row.session_id:
            events.announce(session, "sessions", row.session_id)
    return {row.id: row.session_id for row in rows}


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
    told = set(session.scalars(_RESTORE, {"lead_id": content.lead_id}))
    active = active_destinations()
    others = [key for key in active if key not in told]
    again = [key for key in active if key in told]
    return [
        *enqueue(session, "lead.completed", content, others),
        *enqueue(session, "lead.updated", content, again),
    ]


_RESTORE = text("""
    UPDATE deliveries SET is_withdrawn = false
     WHERE lead_id = :lead_id AND event = 'lead.completed' AND status <> 'cancelled'
    RETURNING destination_key
""")
# Whoever moves several deliveries locks them by number, else two wait for each other in a circle.
_WITHDRAW = text("""
    WITH unsent AS (
        SELECT id FROM deliveries
         WHERE session_id = :session_id AND lead_id IS NOT NULL
           AND status IN ('pending', 'failed', 'dead')
         ORDER BY number FOR NO KEY UPDATE
    )
    UPDATE deliveries d
       SET is_withdrawn = claim_token IS NOT NULL,
           status = CASE WHEN claim_token IS NULL THEN 'cancelled' ELSE status END,
           finished_at = CASE WHEN claim_token IS NULL THEN CAST(:now AS timestamptz) END,
           next_attempt_at = CASE WHEN claim_token IS NULL THEN NULL ELSE next_attempt_at END
      FROM unsent WHERE d.id = unsent.id
    RETURNING d.id
""")


def withdraw(session: Session, session_id: uuid.UUID) -> int:
    """Cancel what of this session has not been sent, given up or not; what is being sent this
    moment is cancelled if that try fails. Gives how many.
    """
    values = {"session_id": session_id, "now": clock.now()}
    withdrawn = session.scalars(_WITHDRAW, values).all()
    for delivery_id in withdrawn:
        events.announce(session, "deliveries", delivery_id)
    return len(withdrawn)


_CANCEL = text("""
    WITH unsent AS (
        SELECT id FROM deliveries
         WHERE id = ANY(CAST(:ids AS uuid[])) AND status IN ('pending', 'failed')
         ORDER BY number FOR NO KEY UPDATE
    )
    UPDATE deliveries d
       SET is_withdrawn = claim_token IS NOT NULL,
           status = CASE WHEN claim_token IS NULL THEN 'cancelled' ELSE status END,
           finished_at = CASE WHEN claim_token IS NULL THEN CAST(:now AS timestamptz) END,
           next_attempt_at = CASE WHEN claim_token IS NULL THEN NULL ELSE next_attempt_at END
      FROM unsent WHERE d.id = unsent.id
    RETURNING d.id
""")


def cancel_unsent(session: Session, delivery_ids: Iterable[uuid.UUID]) -> int:
    """Cancel those of these deliveries that still wait; what is being sent this moment is cancelled
    if that try fails. Gives how many.
    """
    values = {"ids": [str(delivery_id) for delivery_id in delivery_ids], "now": clock.now()}
    cancelled = session.scalars(_CANCEL, values).all()
    for delivery_id in cancelled:
        events.announce(session, "deliveries", delivery_id)
    return len(cancelled)


def _text(given: uuid.UUID | None) -> str | None:
    return None if given is None else str(given)


def _frozen(event: str, content: Content) -> str:
    """Compact JSON in plain UTF-8: what N8n's own `JSON.stringify` would write, too."""
    body = {"type": event, "timestamp": clock.iso(clock.now()), "data": content.data}
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"))
