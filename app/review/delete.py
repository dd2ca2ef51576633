"""Delete a session for good: its messages, lead and deliveries go with it."""

from __future__ import annotations

import logging
import uuid

from sqlalchemy import text
from sqlalchemy.orm import Session

from app.core import clock, events
from app.core.errors import NotFound
from app.review.completion import UNKNOWN

logger = logging.getLogger(__name__)

_DELETE = text("""
    WITH gone AS (
        DELETE FROM chat_sessions WHERE id = :session_id
        RETURNING id, site_id, channel, external_session_id
    )
    INSERT INTO deleted_sessions
           (session_id, site_id, channel, external_session_id, deleted_at, user_id)
    SELECT id, site_id, channel, external_session_id, :now, CAST(:user_id AS uuid) FROM gone
    RETURNING session_id
""")


def delete_session(session: Session, session_id: uuid.UUID, user_id: uuid.UUID | None) -> None:
    """Delete it in the caller's transaction; nothing from outside brings it back.

    Raises NotFound.
    """
    values = {"session_id": session_id, "now": clock.now(), "user_id": user_id}
    if session.scalar(_DELETE, values) is None:
        raise NotFound(UNKNOWN)
    events.announce(session, "sessions", session_id)
    logger.info(
        "session deleted",
        extra={"session_id": str(session_id), "user_id": user_id and str(user_id)},
    )
