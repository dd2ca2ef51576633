"""Abandoned leads: somebody left a contact detail and went away, and N8n is told once."""

from __future__ import annotations

import uuid

from sqlalchemy import text
from sqlalchemy.orm import Session

from app.core import clock
from app.core.db import transaction
from app.delivery import outbox, payload
from app.models import ChatSession, Site

BATCH = 100
#: Long after a visitor left a site that wants no unfinished leads, theirs stops waiting. What
#: waits stays little, and a site that wants them again is not sent its past.
_NEVER_AFTER_DAYS = 1

_IS_IDLE = """
    s.completion_status = 'in_progress' AND si.partial_after_minutes > 0
    AND s.last_message_at
        <= CAST(:now AS timestamptz) - make_interval(mins => si.partial_after_minutes)
"""
_HAS_CONTACT = "(l.email IS NOT NULL OR l.phone IS NOT NULL)"
_DUE = text(f"""
    SELECT l.session_id FROM leads l
      JOIN chat_sessions s ON s.id = l.session_id JOIN sites si ON si.id = s.site_id
     WHERE l.awaits_partial AND {_HAS_CONTACT} AND {_IS_IDLE} AND l.session_id > :after
     ORDER BY l.session_id LIMIT :most
""")  # noqa: S608 - put together from constants
# A message that came meanwhile has changed the row that is locked here: PostgreSQL looks again.
_LOCK = text(f"""
    SELECT s.id FROM chat_sessions s JOIN sites si ON si.id = s.site_id
     WHERE s.id = :session_id AND {_IS_IDLE} FOR UPDATE OF s
""")  # noqa: S608 - put together from constants
_TAKE = text(f"""
    UPDATE leads l SET awaits_partial = false
     WHERE l.session_id = :session_id AND l.awaits_partial AND {_HAS_CONTACT} RETURNING l.*
""")  # noqa: S608 - put together from constants
_NEVER = text("""
    UPDATE leads SET awaits_partial = false
     WHERE id IN (
        SELECT l.id FROM leads l
          JOIN chat_sessions s ON s.id = l.session_id JOIN sites si ON si.id = s.site_id
         WHERE l.awaits_partial AND si.partial_after_minutes = 0
           AND s.last_message_at < CAST(:now AS timestamptz) - make_interval(days => :days)
         LIMIT :most FOR UPDATE OF l SKIP LOCKED)
""")


def send_abandoned(most: int = 500) -> int:
    """Have `lead.partial` sent for sessions idle for as long as their site waits, each in a
    transaction of its own; at most `most`. Gives how many.
    """
    sent, after = 0, uuid.UUID(int=0)
    while sent < most:
        size = min(BATCH, most - sent)
        with transaction() as session:
            values = {"now": clock.now(), "after": after, "most": size}
            due = session.scalars(_DUE, values).all()
        for session_id in due:
            with transaction() as session:
                sent += send_partial(session, session_id)
        if len(due) < size:
            break
        after = due[-1]
    return sent


def send_partial(session: Session, session_id: uuid.UUID) -> bool:
    """Send this session's unfinished lead in the caller's transaction, unless somebody has said
    something meanwhile, or it was sent before.
    """
    values = {"session_id": session_id, "now": clock.now()}
    if session.scalar(_LOCK, values) is None:
        return False
    lead = session.execute(_TAKE, values).one_or_none()
    if lead is None:
        return False
    chat = session.get_one(ChatSession, session_id, populate_existing=True)
    site = session.get_one(Site, chat.site_id).profile()
    lines = payload.lines_of(session, session_id)
    outbox.enqueue(session, "lead.partial", payload.of_lead(lead, chat, site, lines))
    return True


def forget_unwanted(most: int = 10_000) -> None:
    """Leads of sites that want no unfinished ones stop waiting, a day after the last message."""
    with transaction() as session:
        session.execute(_NEVER, {"now": clock.now(), "days": _NEVER_AFTER_DAYS, "most": most})
