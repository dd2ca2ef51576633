"""The one door through which a session completes (design rule 1)."""

from __future__ import annotations

import logging
import uuid

from sqlalchemy import bindparam, insert, update
from sqlalchemy.orm import Session

from app.core import clock, events
from app.delivery import outbox, payload
from app.leads.extraction import extract
from app.leads.record import record
from app.models import ChatSession, SessionEvent
from app.models.site_profile import SiteProfile
from app.models.transcript import Draft, Transcript

logger = logging.getLogger(__name__)

_COMPLETE = (
    update(ChatSession)
    .where(ChatSession.id == bindparam("chat_id"), ChatSession.completion_status == "in_progress")
    .returning(ChatSession)
    .execution_options(synchronize_session=False, populate_existing=True)
)


def complete(
    session: Session,
    session_id: uuid.UUID,
    site: SiteProfile,
    *,
    cause: str,
    phrase: str | None = None,
    message_id: int | None = None,
    user_id: uuid.UUID | None = None,
) -> bool:
    """Complete the session with its lead and deliveries, in the caller's transaction.

    Idempotent: False when it was completed already, or is gone. `cause` is a layer or `user`;
    `phrase` in the message `message_id` is the evidence.
    """
    now = clock.now()
    evidence = {"phrase": phrase, "message_id": message_id}
    chat = session.scalars(
        _COMPLETE.values(
            completion_status="completed",
            completed_at=now,
            completion_cause=cause,
            completion_phrase=phrase,
            completion_message_id=message_id,
        ),
        {"chat_id": session_id},
    ).one_or_none()
    if chat is None:
        return False
    session.execute(
        insert(SessionEvent).values(
            session_id=session_id,
            at=now,
            kind="completed",
            cause=cause,
            user_id=user_id,
            **evidence,
        )
    )
    lines = payload.lines_of(session, session_id)
    draft = extract(
        Transcript(str(session_id), lines, Draft.from_json(chat.draft), is_completed=True), site
    )
    lead, _ = record(session, session_id, site, draft)
    outbox.enqueue(session, "lead.completed", payload.of_lead(lead, chat, site, lines))
    events.announce(session, "sessions", session_id)
    logger.info("session completed", extra={"session_id": str(session_id), "cause": cause})
    return True
