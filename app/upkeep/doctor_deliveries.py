"""What must hold of deliveries: what is open is on its way, and belongs where its lead does."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import text
from sqlalchemy.orm import Session

from app.core import clock, events
from app.core.queue import defer
from app.delivery.outbox import DELIVER
from app.upkeep.doctor_check import Check, Finding, Span

#: What is due is looked after every ten seconds (`repeat.rescue`); after so long it is forgotten.
FORGOTTEN_AFTER = timedelta(minutes=1)

# An open delivery that is not being sent is scheduled, waits for its destination or for an earlier
# one of its lead, or is due, and then there is a job for its destination.
_FORGOTTEN = text("""
    WITH awaited AS MATERIALIZED (
        SELECT DISTINCT args ->> 'destination_key' AS key FROM procrastinate_jobs
         WHERE task_name = 'deliver' AND status IN ('todo', 'doing')
           AND (scheduled_at IS NULL OR scheduled_at <= CAST(:now AS timestamptz))
    )
    SELECT d.number, d.session_id, d.id, d.destination_key
      FROM deliveries d JOIN destinations t ON t.key = d.destination_key
     WHERE d.number > :after AND d.number <= :through AND d.status IN ('pending', 'failed')
       AND (d.claimed_until IS NULL OR d.claimed_until <= CAST(:now AS timestamptz))
       AND (d.event = 'lead.test' OR t.paused_at IS NULL)
       AND (d.next_attempt_at IS NULL OR (
            d.next_attempt_at < CAST(:forgotten AS timestamptz)
            AND (d.event = 'lead.test' OR t.blocked_until IS NULL
                 OR t.blocked_until <= CAST(:now AS timestamptz))
            AND d.destination_key NOT IN (SELECT key FROM awaited WHERE key IS NOT NULL)
            AND NOT EXISTS (
                SELECT FROM deliveries earlier
                 WHERE earlier.lead_id = d.lead_id AND earlier.number < d.number
                   AND earlier.destination_key = d.destination_key
                   AND earlier.status NOT IN ('delivered', 'dead', 'cancelled'))))
     ORDER BY d.number
""")
# What was delivered before somebody changed its status is not sent a second time.
_END = text("""
    UPDATE deliveries d SET status = 'delivered', finished_at = a.at
      FROM (SELECT at FROM delivery_attempts WHERE delivery_id = :id AND error IS NULL
             ORDER BY id LIMIT 1) a
     WHERE d.id = :id AND d.status IN ('pending', 'failed') AND d.next_attempt_at IS NULL
    RETURNING d.id
""")
_DUE = text("""
    UPDATE deliveries SET next_attempt_at = coalesce(next_attempt_at, created_at)
     WHERE id = :id AND status IN ('pending', 'failed') RETURNING id
""")


def _forgotten(session: Session, span: Span) -> list[Finding]:
    values = {**span.values(), "now": clock.now(), "forgotten": clock.now() - FORGOTTEN_AFTER}
    return [Finding(row.number, row.session_id, row) for row in session.execute(_FORGOTTEN, values)]


def _send(session: Session, finding: Finding) -> None:
    delivery = finding.about
    values = {"id": delivery.id}
    if session.scalar(_END, values) is None and session.scalar(_DUE, values):
        defer(session, DELIVER, destination_key=delivery.destination_key)
    events.announce(session, "deliveries", delivery.id)


_ASTRAY = text("""
    SELECT d.number, l.session_id, d.id FROM deliveries d JOIN leads l ON l.id = d.lead_id
     WHERE d.number > :after AND d.number <= :through
       AND d.session_id IS DISTINCT FROM l.session_id
     ORDER BY d.number
""")
_BRING_BACK = text("""
    UPDATE deliveries d SET session_id = l.session_id FROM leads l
     WHERE d.id = :id AND l.id = d.lead_id
""")


def _astray(session: Session, span: Span) -> list[Finding]:
    rows = session.execute(_ASTRAY, span.values())
    return [Finding(row.number, row.session_id, row) for row in rows]


def _bring_back(session: Session, finding: Finding) -> None:
    session.execute(_BRING_BACK, {"id": finding.about.id})


CHECKS = (
    Check(
        "jobs",
        "Everything that is still to be sent is on its way.",
        "to be sent, that nobody looks after",
        _forgotten,
        _send,
        table="deliveries",
        column="number",
    ),
    Check(
        "owners",
        "Every delivery belongs to its lead's session.",
        "that belong to another session than their lead",
        _astray,
        _bring_back,
        table="deliveries",
        column="number",
    ),
)
