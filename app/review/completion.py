"""A person completes a session, or opens it again."""

from __future__ import annotations

import uuid

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.completion.complete import complete
from app.completion.known_sites import known_site
from app.completion.reopen import reopen
from app.core.errors import NotFound
from app.models import ChatSession, Site

UNKNOWN = "There is no such session. It may have been deleted."


def complete_by_hand(session: Session, session_id: uuid.UUID, user_id: uuid.UUID | None) -> bool:
    """Complete it in the caller's transaction; the lead goes out with whatever is known.

    False when it was completed already. Raises NotFound.
    """
    site = session.execute(
        select(Site.id, Site.updated_at)
        .join(ChatSession, ChatSession.site_id == Site.id)
        .where(ChatSession.id == session_id)
    ).one_or_none()
    if site is None:
        raise NotFound(UNKNOWN)
    profile = known_site(site.id, site.updated_at, session).profile
    return complete(session, session_id, profile, cause="user", user_id=user_id) is not None


def reopen_by_hand(
    session: Session, session_id: uuid.UUID, user_id: uuid.UUID | None
) -> int | None:
    """Open it again in the caller's transaction; promises so far no longer count.

    Gives how many deliveries were cancelled; None when it was open already. Raises NotFound.
    """
    if session.scalar(select(ChatSession.id).where(ChatSession.id == session_id)) is None:
        raise NotFound(UNKNOWN)
    return reopen(session, session_id, user_id)
