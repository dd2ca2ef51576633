"""From a draft to the stored lead: at most one per session, made at the first contact detail."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, and_, case, select, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.core import clock
from app.core.db import table_of
from app.leads.edited import with_edits
from app.models import Lead
from app.models.site_profile import CONTACT_DETAILS, CONTACT_FIELDS, SiteProfile
from app.models.transcript import Draft

#: What a visitor says about itself; a change of one of these is a change of the lead.
_SAID = (*CONTACT_FIELDS, "qualification", "consent_text_version", "missing", "invalid")

_leads = table_of(Lead)
_new = insert(_leads)
_is_changed = tuple_(*(_leads.c[key] for key in _SAID)).is_distinct_from(
    tuple_(*(_new.excluded[key] for key in _SAID))
)
_UPSERT = _new.on_conflict_do_update(
    index_elements=[_leads.c.session_id],
    set_={
        **{key: _new.excluded[key] for key in (*_SAID, "consent_at")},
        "updated_at": case((_is_changed, _new.excluded.updated_at), else_=_leads.c.updated_at),
        "version": case((_is_changed, _leads.c.version + 1), else_=_leads.c.version),
        "awaits_partial": and_(_leads.c.awaits_partial, _new.excluded.awaits_partial),
    },
).returning(*_leads.c)


_EDITED = select(_leads.c.session_id, _leads.c.edited).where(_leads.c.edited != {})


def has_contact_detail(draft: Draft) -> bool:
    return any(key in draft.answers for key in CONTACT_DETAILS)


def record(
    session: Session,
    session_id: uuid.UUID,
    site: SiteProfile,
    draft: Draft,
    *,
    is_completed: bool = False,
) -> tuple[Row[Any], bool]:
    """Make or update the session's lead from what is known. Gives its row, and whether it
    changed. A lead that is completed is not sent as unfinished any more.
    """
    now = clock.now()
    lead = record_all(session, [(session_id, site, draft)], now, is_completed=is_completed)
    return lead[session_id], lead[session_id].updated_at == now


def record_all(
    session: Session,
    several: Sequence[tuple[uuid.UUID, SiteProfile, Draft]],
    now: datetime,
    *,
    is_completed: bool = False,
) -> dict[uuid.UUID, Row[Any]]:
    """`record` for many sessions, each named once and locked. Gives the leads by session: a new one
    has `created_at`, a changed one `updated_at`, of `now`. What a person has put right stands.
    """
    if not several:
        return {}
    ids = [session_id for session_id, _, _ in several]
    by_session = session.connection().execute(_EDITED.where(_leads.c.session_id.in_(ids)))
    edited = {row.session_id: row.edited for row in by_session}
    values = [
        _row(session_id, site, with_edits(draft, edited.get(session_id, {})), now, is_completed)
        for session_id, site, draft in several
    ]
    # One alone goes as a plain statement, which is quicker.
    rows = session.connection().execute(_UPSERT, values if len(values) > 1 else values[0])
    return {lead.session_id: lead for lead in rows}


def _row(
    session_id: uuid.UUID,
    site: SiteProfile,
    draft: Draft,
    now: datetime,
    is_completed: bool,
) -> dict[str, Any]:
    return {
        "id": uuid.uuid4(),
        "session_id": session_id,
        "created_at": now,
        "updated_at": now,
        "awaits_partial": not is_completed,
        **_values(site, draft),
    }


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
