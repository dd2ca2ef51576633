"""The one door through which a session completes (design rule 1)."""

from __future__ import annotations

import logging
import uuid
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from app.core import clock, events
from app.delivery import outbox, payload
from app.leads.extraction import extract
from app.leads.record import record
from app.models.site_profile import SiteProfile
from app.models.transcript import Draft, Transcript

logger = logging.getLogger(__name__)

_COMPLETE = text(f"""
    WITH completed AS (
        UPDATE chat_sessions
           SET completion_status = 'completed', completed_at = :now, completion_cause = :cause,
               completion_phrase = :phrase, completion_message_id = CAST(:message_id AS bigint)
         WHERE id = :session_id AND completion_status = 'in_progress' RETURNING *
    ), told AS (
        INSERT INTO session_events (session_id, at, kind, cause, phrase, message_id, user_id)
        SELECT id, :now, 'completed', :cause, :phrase, CAST(:message_id AS bigint),
               CAST(:user_id AS uuid)
          FROM completed
    )
    SELECT *, ({payload.LINES}) AS lines FROM completed
""")  # noqa: S608 - put together from constants


@dataclass(frozen=True, slots=True)
class Completed:
    """What a completion brought about."""

    session_id: uuid.UUID
    is_new_lead: bool
    deliveries_enqueued: int


def complete(
    session: Session,
    session_id: uuid.UUID,
    site: SiteProfile,
    *,
    cause: str,
    phrase: str | None = None,
    message_id: int | None = None,
    user_id: uuid.UUID | None = None,
) -> Completed | None:
    """Complete the session with its lead and deliveries, in the caller's transaction.

    Idempotent: None when it was completed already, or is gone. `cause` is a layer or `user`;
    `phrase` in the message `message_id` is the evidence. The statement that completes locks the
    session's row; of two at once the second waits and finds nothing to do.
    """
    now = clock.now()
    chat = (
        session.connection()
        .execute(
            _COMPLETE,
            {
                "session_id": session_id,
                "now": now,
                "cause": cause,
                "phrase": phrase,
                "message_id": message_id,
                "user_id": user_id,
            },
        )
        .one_or_none()
    )
    if chat is None:
        return None
    lead, content = lead_of(session, chat, site)
    # Only what was open by a person's word can have been sent before.
    is_anew = chat.discounted_message_id is not None
    send = outbox.enqueue_again if is_anew else _send
    new = send(session, content)
    events.announce(session, "sessions", session_id)
    logger.info(
        "session completed",
        extra={
            "session_id": str(session_id),
            "cause": cause,
            "phrase": phrase,
            "message_id": message_id,
            "user_id": user_id and str(user_id),
        },
    )
    return Completed(session_id, lead.created_at >= now, len(new))


def lead_of(
    session: Session, chat: Row[Any], site: SiteProfile
) -> tuple[Row[Any], payload.Content]:
    """The completed session's lead, made or brought up to what was said, and what is told of it.

    `chat`: its row, locked, with `lines` as `payload.LINES` gives them.
    """
    lines = payload.read_lines(chat.lines)
    draft = extract(
        Transcript(str(chat.id), lines, Draft.from_json(chat.draft), is_completed=True), site
    )
    lead, _ = record(session, chat.id, site, draft, is_completed=True)
    return lead, payload.of_lead(lead, chat, site, lines)


def _send(session: Session, content: payload.Content) -> list[uuid.UUID]:
    return outbox.enqueue(session, "lead.completed", content)
