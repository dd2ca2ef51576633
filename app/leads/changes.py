"""A lead that changes: recorded, and told to the destinations when it was sent before."""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy import Row
from sqlalchemy.orm import Session

from app.delivery import outbox, payload
from app.leads.record import record
from app.models import ChatSession, Lead
from app.models.site_profile import SiteProfile
from app.models.transcript import Draft


def take_over(
    session: Session, session_id: uuid.UUID, site: SiteProfile, draft: Draft, is_completed: bool
) -> None:
    """Bring the stored lead up to what is known now, in the caller's transaction.

    Before completion a lead is only kept; afterwards a change is sent as `lead.updated`.
    """
    lead, has_changed = record(session, session_id, site, draft)
    if has_changed and is_completed:
        tell(session, lead, site)


def tell(session: Session, lead: Lead | Row[Any], site: SiteProfile) -> None:
    """Send `lead.updated` of a lead as it stands now, with the caller's transaction."""
    chat = session.get_one(ChatSession, lead.session_id, populate_existing=True)
    messages = payload.lines_of(session, lead.session_id)
    outbox.enqueue(session, "lead.updated", payload.of_lead(lead, chat, site, messages))
