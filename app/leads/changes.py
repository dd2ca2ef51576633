"""A lead that changes: recorded, and told to the destinations when it was sent before."""

from __future__ import annotations

from sqlalchemy.orm import Session

from app.delivery import outbox, payload
from app.leads.record import has_contact_detail, record
from app.models import ChatSession
from app.models.site_profile import SiteProfile
from app.models.transcript import Draft


def take_over(session: Session, chat: ChatSession, site: SiteProfile, draft: Draft) -> None:
    """Bring the stored lead up to what is known now, in the caller's transaction.

    Before completion a lead is only kept; afterwards a change is sent as `lead.updated`.
    """
    if not (chat.is_completed or has_contact_detail(draft)):
        return
    lead, has_changed = record(session, chat, site, draft)
    if has_changed and chat.is_completed:
        outbox.enqueue(session, "lead.updated", payload.of_lead(session, lead, chat))
