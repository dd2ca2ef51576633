"""From a draft to the stored lead: at most one per session, made at the first contact detail."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core import clock
from app.models import ChatSession, Lead
from app.models.site_profile import CONTACT_DETAILS, CONTACT_FIELDS, SiteProfile
from app.models.transcript import Draft


def has_contact_detail(draft: Draft) -> bool:
    return any(key in draft.answers for key in CONTACT_DETAILS)


def record(
    session: Session, chat: ChatSession, site: SiteProfile, draft: Draft
) -> tuple[Lead, bool]:
    """Make or update the session's lead from what is known. Gives it, and whether it changed.

    The caller holds the lock of the session's row, so that two cannot make one each.
    """
    lead = session.scalar(select(Lead).where(Lead.session_id == chat.id))
    values = _values(site, draft)
    now = clock.now()
    if lead is None:
        lead = Lead(session_id=chat.id, created_at=now, updated_at=now, **values)
        session.add(lead)
        session.flush()
        return lead, True
    changed = {key: value for key, value in values.items() if getattr(lead, key) != value}
    for key, value in changed.items():
        setattr(lead, key, value)
    if changed:
        lead.updated_at = now
        session.flush()
    return lead, bool(changed)


def _values(site: SiteProfile, draft: Draft) -> dict[str, Any]:
    answers = draft.answers
    return {
        **{key: answers[key].value if key in answers else None for key in CONTACT_FIELDS},
        "qualification": {
            key: answer.value for key, answer in answers.items() if key not in CONTACT_FIELDS
        },
        "consent_text_version": site.consent.version if draft.consent == "given" else None,
        "consent_at": datetime.fromisoformat(draft.consent_at) if draft.consent_at else None,
        "missing": [field.key for field in site.fields if field.key not in answers],
        "invalid": sorted(key for key, answer in answers.items() if not answer.is_valid),
    }
