"""A person puts a session's lead right, or makes one where there is none."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from app.completion.known_sites import known_site
from app.core import events
from app.core.errors import Conflict, Invalid, NotFound
from app.leads.changes import tell
from app.leads.edit import changes_of, edit, fields_of, value_of
from app.leads.record import record
from app.models import ChatSession, Lead, Site
from app.models.site_profile import SiteProfile
from app.models.transcript import Draft
from app.review.completion import UNKNOWN

logger = logging.getLogger(__name__)

#: Its site, draft, completion status, and when the site was changed last.
_Chat = Row[uuid.UUID, dict[str, Any], str, datetime]
EMPTY = "Please fill in at least one field."
CHANGED = "Somebody changed this lead meanwhile. Nothing was saved yet."


def edit_lead(
    session: Session,
    session_id: uuid.UUID,
    typed: Mapping[str, str],
    *,
    version: int,
    seen: Mapping[str, str],
    user_id: uuid.UUID | None,
) -> list[str]:
    """Save what a person has typed, in the caller's transaction. Gives the keys of what changed.

    `typed`: by field key. `version`: the lead's when the form was drawn, 0 for none; `seen`: what
    then stood in the fields. A completed session's lead is sent as `lead.updated`, when something
    changed. Raises NotFound, Invalid by field key, and Conflict when a field changed meanwhile.
    """
    chat = _lock(session, session_id)
    site = known_site(chat.site_id, chat.updated_at, session).profile
    lead = session.scalars(
        select(Lead).where(Lead.session_id == session_id).execution_options(populate_existing=True)
    ).one_or_none()
    if version != (lead.version if lead else 0) and changed_since(site, lead, seen):
        raise Conflict(CHANGED)
    changes = changes_of(site, lead, typed)
    if not changes:
        if lead is None:
            raise Invalid({"": [EMPTY]}, EMPTY)
        return []
    if lead is None:
        lead = _make(session, session_id, chat, site)
        changes = changes_of(site, lead, {key: typed[key] for key in changes})
    edit(session, lead, site, changes, user_id)
    if chat.completion_status == "completed":
        tell(session, lead, site)
    events.announce(session, "sessions", session_id)
    logger.info(
        "lead edited",
        extra={
            "session_id": str(session_id),
            "fields": sorted(changes),
            "user_id": user_id and str(user_id),
        },
    )
    return list(changes)


def changed_since(site: SiteProfile, lead: Lead | None, seen: Mapping[str, str]) -> list[str]:
    """The keys of the fields that do not hold any more what stood in the form."""
    return [
        field.key
        for field in fields_of(site, lead)
        if (value_of(lead, field.key) or "") != seen.get(field.key, "")
    ]


def _lock(session: Session, session_id: uuid.UUID) -> _Chat:
    chat = session.execute(
        select(
            ChatSession.site_id, ChatSession.draft, ChatSession.completion_status, Site.updated_at
        )
        .join(Site, Site.id == ChatSession.site_id)
        .where(ChatSession.id == session_id)
        .with_for_update(of=ChatSession)
    ).one_or_none()
    if chat is None:
        raise NotFound(UNKNOWN)
    return chat


def _make(session: Session, session_id: uuid.UUID, chat: _Chat, site: SiteProfile) -> Lead:
    """The lead of what the visitor has said so far."""
    row, _ = record(
        session,
        session_id,
        site,
        Draft.from_json(chat.draft),
        is_completed=chat.completion_status == "completed",
    )
    return session.get_one(Lead, row.id, populate_existing=True)
