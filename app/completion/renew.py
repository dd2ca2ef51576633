"""What a completed session must have, made where it is missing: its lead, and who is told."""

from __future__ import annotations

import uuid

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from app.completion.complete import Completed, complete, lead_of
from app.core import events
from app.delivery import outbox, payload
from app.delivery.payload import Content
from app.models import ChatSession, Lead, Site
from app.models.site_profile import SiteProfile

_COMPLETED = text(f"""
    SELECT *, ({payload.LINES}) AS lines FROM chat_sessions
     WHERE id = :session_id AND completion_status = 'completed' FOR UPDATE
""")  # noqa: S608 - put together from constants


def renew(
    session: Session, session_id: uuid.UUID, destinations: list[str] | None = None
) -> list[uuid.UUID] | None:
    """Give a completed session the lead and the `lead.completed` it lacks, in the caller's
    transaction; a lead that is there is sent as it stands.

    `destinations`: who is told, by default those that are active now; whoever has, or is being
    sent, this lead's completion is not told again. Gives the new deliveries' ids; None when the
    session is not completed, or gone.
    """
    chat = session.connection().execute(_COMPLETED, {"session_id": session_id}).one_or_none()
    if chat is None:
        return None
    site = _site(session, chat.site_id)
    if session.scalar(select(Lead.id).where(Lead.session_id == session_id)) is None:
        _, content = lead_of(session, chat, site)
        events.announce(session, "sessions", session_id)
    else:
        content = as_it_stands(session, session_id)
    return outbox.enqueue(session, "lead.completed", content, destinations)


def as_it_stands(session: Session, session_id: uuid.UUID) -> Content:
    """What is said of this session's lead now."""
    lead = session.scalars(
        select(Lead).where(Lead.session_id == session_id).execution_options(populate_existing=True)
    ).one()
    chat = session.get_one(ChatSession, session_id, populate_existing=True)
    lines = payload.lines_of(session, session_id)
    return payload.of_lead(lead, chat, _site(session, chat.site_id), lines)


def complete_again(
    session: Session,
    session_id: uuid.UUID,
    *,
    cause: str,
    phrase: str | None,
    message_id: int | None,
    user_id: uuid.UUID | None,
) -> Completed | None:
    """Complete, on the evidence of its timeline, a session that somehow lost its status."""
    chat = session.get_one(ChatSession, session_id, populate_existing=True)
    return complete(
        session,
        session_id,
        _site(session, chat.site_id),
        cause=cause,
        phrase=phrase,
        message_id=message_id,
        user_id=user_id,
    )


def _site(session: Session, site_id: uuid.UUID) -> SiteProfile:
    return session.get_one(Site, site_id, populate_existing=True).profile()
