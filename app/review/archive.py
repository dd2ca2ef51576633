"""Put sessions out of sight, and bring them back. Whether they are completed is another matter."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Collection

from sqlalchemy import text
from sqlalchemy.orm import Session

from app.core import clock, events

logger = logging.getLogger(__name__)

# The rows are locked in one order, so that two people with the same rows do not block each other.
_MOVE = text("""
    WITH asked AS (
        SELECT id FROM chat_sessions
         WHERE id = ANY(CAST(:ids AS uuid[])) AND archive_status <> :status
         ORDER BY id FOR UPDATE
    ), moved AS (
        UPDATE chat_sessions s SET archive_status = :status
          FROM asked WHERE s.id = asked.id AND s.archive_status <> :status
        RETURNING s.id
    ), told AS (
        INSERT INTO session_events (session_id, at, kind, cause, user_id)
        SELECT id, :now, :kind, 'user', CAST(:user_id AS uuid) FROM moved
    )
    SELECT id FROM moved ORDER BY id
""")


def archive(
    session: Session, session_ids: Collection[uuid.UUID], user_id: uuid.UUID | None
) -> list[uuid.UUID]:
    """Archive these sessions in the caller's transaction. Gives those that were active until now;
    what is archived already, or gone, is passed over.
    """
    return _move(session, session_ids, user_id, "archived", "archived")


def activate(
    session: Session, session_ids: Collection[uuid.UUID], user_id: uuid.UUID | None
) -> list[uuid.UUID]:
    """Bring archived sessions back, the other way round."""
    return _move(session, session_ids, user_id, "active", "activated")


def _move(
    session: Session,
    session_ids: Collection[uuid.UUID],
    user_id: uuid.UUID | None,
    status: str,
    kind: str,
) -> list[uuid.UUID]:
    values = {
        "ids": [str(each) for each in session_ids],
        "status": status,
        "kind": kind,
        "now": clock.now(),
        "user_id": user_id,
    }
    moved = list(session.scalars(_MOVE, values))
    for each in moved:
        events.announce(session, "sessions", each)
    logger.info(
        "sessions %s",
        kind,
        extra={"session_ids": [str(each) for each in moved], "user_id": user_id and str(user_id)},
    )
    return moved
