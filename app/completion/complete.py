"""The one door through which a session completes (design rule 1)."""

from __future__ import annotations

import logging
import uuid

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core import clock, events
from app.delivery import outbox, payload
from app.leads.extraction import extract
from app.leads.record import record
from app.models import ChatSession, Message, SessionEvent, Site
from app.models.transcript import Draft, Line, Transcript

logger = logging.getLogger(__name__)


def complete(
    session: Session,
    chat: ChatSession,
    *,
    cause: str,
    phrase: str | None = None,
    message_id: int | None = None,
    user_id: uuid.UUID | None = None,
) -> bool:
    """Complete the session with its lead and deliveries, in the caller's transaction.

    Idempotent: False when it was completed already. `cause` is a layer or `user`; `phrase` in
    the message `message_id` is the evidence.
    """
    session.refresh(chat, with_for_update=True)
    if chat.is_completed:
        return False
    now = clock.now()
    chat.completion_status = "completed"
    chat.completed_at = now
    chat.completion_cause = cause
    chat.completion_phrase = phrase
    chat.completion_message_id = message_id
    session.add(
        SessionEvent(
            session_id=chat.id,
            at=now,
            kind="completed",
            cause=cause,
            phrase=phrase,
            message_id=message_id,
            user_id=user_id,
        )
    )
    site = session.get_one(Site, chat.site_id).profile()
    draft = extract(_transcript(session, chat), site)
    lead, _ = record(session, chat, site, draft)
    outbox.enqueue(session, "lead.completed", payload.of_lead(session, lead, chat))
    events.announce(session, "sessions", chat.id)
    logger.info("session completed", extra={"session_id": str(chat.id), "cause": cause})
    return True


def _transcript(session: Session, chat: ChatSession) -> Transcript:
    messages = session.scalars(
        select(Message)
        .where(Message.session_id == chat.id)
        .order_by(Message.created_at, Message.id)
    )
    lines = tuple(
        Line(m.id, m.role, m.text, m.created_at, (m.input or {}).get("field"))  # type: ignore[arg-type]
        for m in messages
    )
    return Transcript(str(chat.id), lines, Draft.from_json(chat.draft), is_completed=True)
