"""What must hold of a session by itself: its counters, and its status beside its timeline."""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.orm import Session

from app.completion.renew import complete_again
from app.core import clock, events
from app.upkeep.doctor_check import Check, Finding, Span

# A time and an id as one value, in the order of a transcript.
_PLACE = "ARRAY[(extract(epoch FROM created_at) * 1000000)::bigint, id]"
_COUNTED = f"""
    SELECT s.id, m.count, coalesce(m.last_at, s.last_message_at) AS last_at,
           coalesce(m.is_engaged, false) AS is_engaged
      FROM chat_sessions s CROSS JOIN LATERAL (
        SELECT count(*) AS count, max(created_at) AS last_at,
               max({_PLACE}) FILTER (WHERE role = 'assistant')
               > min({_PLACE}) FILTER (WHERE role = 'visitor') AS is_engaged
          FROM messages WHERE session_id = s.id) m
"""  # noqa: S608 - put together from constants
_MISCOUNTED = text(f"""
    WITH counted AS MATERIALIZED ({_COUNTED} WHERE s.id > :after AND s.id <= :through)
    SELECT s.id FROM counted c JOIN chat_sessions s ON s.id = c.id
     WHERE (s.message_count, s.last_message_at, s.assistant_engaged)
           IS DISTINCT FROM (c.count, c.last_at, c.is_engaged)
     ORDER BY s.id
""")  # noqa: S608 - put together from constants
_COUNT = text(f"""
    UPDATE chat_sessions s SET message_count = c.count, last_message_at = c.last_at,
           assistant_engaged = c.is_engaged
      FROM ({_COUNTED} WHERE s.id = :id) c WHERE s.id = c.id
""")  # noqa: S608 - put together from constants


def _miscounted(session: Session, span: Span) -> list[Finding]:
    return [Finding(key, key) for key in session.scalars(_MISCOUNTED, span.values())]


def _count(session: Session, finding: Finding) -> None:
    session.execute(_COUNT, {"id": finding.key})


# `left_open` says what counts as evidence and leaves the status as it is.
_DISAGREEING = text("""
    SELECT s.id, s.completion_status, e.kind, e.cause, e.phrase, e.message_id, e.user_id
      FROM chat_sessions s LEFT JOIN LATERAL (
        SELECT * FROM session_events WHERE session_id = s.id AND kind <> 'left_open'
         ORDER BY id DESC LIMIT 1) e ON true
     WHERE s.id > :after AND s.id <= :through
       AND ((s.completion_status = 'completed') <> (coalesce(e.kind, '') = 'completed')
            OR (s.completion_status = 'completed' AND s.completion_cause IS NULL))
     ORDER BY s.id
""")
_TELL = text("""
    WITH told AS (
        INSERT INTO session_events (session_id, at, kind, cause, phrase, message_id)
        SELECT id, completed_at, 'completed', coalesce(completion_cause, 'sweep'),
               completion_phrase, completion_message_id
          FROM chat_sessions WHERE id = :id
           AND coalesce((SELECT kind FROM session_events e WHERE e.session_id = :id
                           AND kind <> 'left_open' ORDER BY id DESC LIMIT 1), '') <> 'completed'
    )
    UPDATE chat_sessions s SET completion_cause = coalesce(completion_cause,
           (SELECT cause FROM session_events e WHERE e.session_id = s.id AND kind = 'completed'
             ORDER BY id DESC LIMIT 1), 'sweep') WHERE id = :id
""")


def _disagreeing(session: Session, span: Span) -> list[Finding]:
    return [Finding(row.id, row.id, row) for row in session.execute(_DISAGREEING, span.values())]


def _agree(session: Session, finding: Finding) -> None:
    event = finding.about
    if event.completion_status == "completed":
        session.execute(_TELL, {"id": finding.key, "now": clock.now()})
        events.announce(session, "sessions", finding.key)
        return
    # The timeline stands: it was completed, and nobody has opened it again.
    complete_again(
        session,
        event.id,
        cause=event.cause,
        phrase=event.phrase,
        message_id=event.message_id,
        user_id=event.user_id,
    )


CHECKS = (
    Check(
        "timeline",
        "Every session's status is what its timeline says.",
        "with a status that their timeline does not tell of",
        _disagreeing,
        _agree,
    ),
    Check(
        "counters",
        "Every session's counters say what its messages say.",
        "with wrong counters",
        _miscounted,
        _count,
    ),
)
