"""A person's word stands: a session opened again stays open until something newer completes it."""

from __future__ import annotations

import logging
import uuid

from sqlalchemy import text
from sqlalchemy.orm import Session

from app.core import clock, events
from app.delivery import outbox

logger = logging.getLogger(__name__)

#: The newest message's id and time: evidence up to here is discounted.
_DISCOUNT = """
    discounted_message_id = coalesce(
        (SELECT max(id) FROM messages m WHERE m.session_id = chat_sessions.id), 0),
    discounted_until = coalesce(
        (SELECT max(created_at) FROM messages m WHERE m.session_id = chat_sessions.id),
        CAST(:now AS timestamptz))
"""
_LOCK = text("SELECT completion_status FROM chat_sessions WHERE id = :session_id FOR UPDATE")
_REOPEN = text(f"""
    UPDATE chat_sessions
       SET completion_status = 'in_progress', completed_at = NULL, completion_cause = NULL,
           completion_phrase = NULL, completion_message_id = NULL, {_DISCOUNT}
     WHERE id = :session_id
""")  # noqa: S608 - put together from constants
_LEAVE_OPEN = text(f"UPDATE chat_sessions SET {_DISCOUNT} WHERE id = :session_id")  # noqa: S608
_TELL = text("""
    INSERT INTO session_events (session_id, at, kind, cause, user_id)
    VALUES (:session_id, :now, :kind, 'user', CAST(:user_id AS uuid))
""")


def reopen(session: Session, session_id: uuid.UUID, user_id: uuid.UUID | None) -> int | None:
    """Open a completed session again, in the caller's transaction, and cancel what has not been
    sent. Everything said so far is no evidence any more.

    Gives how many deliveries were cancelled; None when it was not completed, or is gone.
    """
    if session.scalar(_LOCK, {"session_id": session_id}) != "completed":
        return None
    _decide(session, session_id, user_id, "reopened")
    return outbox.withdraw(session, session_id)


def leave_open(session: Session, session_id: uuid.UUID, user_id: uuid.UUID | None) -> bool:
    """Have no layer complete an open session on what has been said so far; False when it was
    completed, or is gone.
    """
    if session.scalar(_LOCK, {"session_id": session_id}) != "in_progress":
        return False
    _decide(session, session_id, user_id, "left_open")
    return True


def _decide(session: Session, session_id: uuid.UUID, user_id: uuid.UUID | None, kind: str) -> None:
    values = {"session_id": session_id, "user_id": user_id, "kind": kind, "now": clock.now()}
    session.execute(_REOPEN if kind == "reopened" else _LEAVE_OPEN, values)
    session.execute(_TELL, values)
    events.announce(session, "sessions", session_id)
    logger.info(
        "session %s",
        kind.replace("_", " "),
        extra={
            "session_id": str(session_id),
            "cause": "user",
            "user_id": user_id and str(user_id),
        },
    )
