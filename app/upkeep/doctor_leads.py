"""What must hold of leads: each completed session has one, and whoever should be told is told."""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from app.completion.renew import as_it_stands, renew
from app.delivery import outbox
from app.upkeep.doctor_check import Check, Finding, Span

_WITHOUT_LEAD = text("""
    SELECT s.id FROM chat_sessions s
     WHERE s.id > :after AND s.id <= :through AND s.completion_status = 'completed'
       AND NOT EXISTS (SELECT FROM leads l WHERE l.session_id = s.id)
     ORDER BY s.id
""")


def _without_lead(session: Session, span: Span) -> list[Finding]:
    return [Finding(key, key) for key in session.scalars(_WITHOUT_LEAD, span.values())]


def _make_lead(session: Session, finding: Finding) -> None:
    assert isinstance(finding.key, uuid.UUID)
    renew(session, finding.key)


_UNANNOUNCED = text("""
    SELECT s.id FROM chat_sessions s JOIN leads l ON l.session_id = s.id
     WHERE s.id > :after AND s.id <= :through AND s.completion_status = 'completed'
       AND NOT EXISTS (SELECT FROM lead_events e
                        WHERE e.lead_id = l.id AND e.event = 'lead.completed')
       AND NOT EXISTS (SELECT FROM deliveries d WHERE d.lead_id = l.id
                          AND d.event = 'lead.completed' AND d.status <> 'cancelled')
     ORDER BY s.id
""")


def _unannounced(session: Session, span: Span) -> list[Finding]:
    return [Finding(key, key) for key in session.scalars(_UNANNOUNCED, span.values())]


# An event is told a destination by a delivery of its own. What goes out once per lead may have
# been sent for another event. What a person withdrew by opening the session again is not missing,
# unless the session was completed after all.
_UNTOLD = text("""
    SELECT e.id, e.lead_id, e.event, l.session_id, s.completion_status,
           array_agg(w.key ORDER BY w.key) AS keys
      FROM lead_events e
      JOIN leads l ON l.id = e.lead_id JOIN chat_sessions s ON s.id = l.session_id
      CROSS JOIN LATERAL jsonb_array_elements_text(e.destinations) AS w (key)
     WHERE e.id > :after AND e.id <= :through
       AND (e.event = 'lead.partial' OR s.completion_status = 'completed')
       AND NOT EXISTS (
           SELECT FROM deliveries d
            WHERE d.lead_event_id = e.id AND d.destination_key = w.key
              AND (e.event <> 'lead.completed' OR d.status <> 'cancelled'))
       AND NOT (e.event IN ('lead.completed', 'lead.partial') AND EXISTS (
           SELECT FROM deliveries d
            WHERE d.lead_id = e.lead_id AND d.destination_key = w.key AND d.event = e.event
              AND d.status <> 'cancelled'))
       AND NOT (e.event = 'lead.partial' AND s.completion_status = 'completed')
     GROUP BY e.id, e.lead_id, e.event, l.session_id, s.completion_status
     ORDER BY e.id
""")


def _untold(session: Session, span: Span) -> list[Finding]:
    return [Finding(row.id, row.session_id, row) for row in session.execute(_UNTOLD, span.values())]


def _tell(session: Session, finding: Finding) -> None:
    event: Any = finding.about
    content = as_it_stands(session, event.session_id)
    outbox.enqueue_missing(session, event.event, event.id, event.keys, content)


_STILL_WAITING = text("""
    SELECT s.id FROM leads l JOIN chat_sessions s ON s.id = l.session_id
     WHERE l.session_id > :after AND l.session_id <= :through
       AND l.awaits_partial AND s.completion_status = 'completed'
     ORDER BY s.id
""")
_NO_PARTIAL = text("UPDATE leads SET awaits_partial = false WHERE session_id = :id")


def _still_waiting(session: Session, span: Span) -> list[Finding]:
    return [Finding(key, key) for key in session.scalars(_STILL_WAITING, span.values())]


def _stop_waiting(session: Session, finding: Finding) -> None:
    session.execute(_NO_PARTIAL, {"id": finding.key})


CHECKS = (
    Check(
        "leads",
        "Every completed session has its lead.",
        "completed, without a lead",
        _without_lead,
        _make_lead,
    ),
    Check(
        "completions",
        "Every completed session's lead was passed on.",
        "completed, whose lead was never passed on",
        _unannounced,
        _make_lead,
    ),
    Check(
        "events",
        "Everything that happened to a lead has a delivery for everyone it was meant for.",
        "of a lead that somebody was not told",
        _untold,
        _tell,
        table="lead_events",
    ),
    Check(
        "unfinished",
        "No completed lead waits to be sent as unfinished.",
        "completed, whose lead waits to be sent as unfinished",
        _still_waiting,
        _stop_waiting,
    ),
)
