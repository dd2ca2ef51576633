"""What a delivery says about a lead: the shape of the lead webhook in the interface."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from app.core import clock
from app.delivery.settings import current
from app.models import ChatSession, Lead
from app.models.attribution import ATTRIBUTION_KEYS
from app.models.site_profile import SiteProfile
from app.models.transcript import Line

#: The whole transcript of :session_id as one JSON value; `read_lines` reads it.
LINES = """
    SELECT json_agg(json_build_array(id, role, text, created_at, input ->> 'field')
                    ORDER BY created_at, id)
      FROM messages WHERE session_id = :session_id
"""
#: The same of the row `completed`, in a statement about several sessions.
LINES_OF_COMPLETED = LINES.replace(":session_id", "completed.id")


@dataclass(frozen=True, slots=True)
class Content:
    """The `data` of an event, and whose it is."""

    data: dict[str, Any]
    lead_id: uuid.UUID | None = None
    session_id: uuid.UUID | None = None


def lines_of(session: Session, session_id: uuid.UUID) -> tuple[Line, ...]:
    """The whole transcript of a session, oldest first."""
    return read_lines(session.scalar(text(LINES), {"session_id": session_id}))


def read_lines(rows: list[list[Any]] | None) -> tuple[Line, ...]:
    return tuple(Line.from_json(row) for row in rows or ())


def of_lead(
    lead: Lead | Row[Any], chat: ChatSession | Row[Any], site: SiteProfile, lines: Sequence[Line]
) -> Content:
    """The lead as it stands now, with its session (objects or their bare rows) and the whole
    transcript.
    """
    return Content(lead_data(lead, chat, site, lines, current().public_url), lead.id, chat.id)


def lead_data(
    lead: Lead | Row[Any],
    chat: ChatSession | Row[Any],
    site: SiteProfile,
    lines: Iterable[Line],
    public_url: str,
) -> dict[str, Any]:
    """Every key is there; what is not known is None. Lines oldest first."""
    transcript = [
        {"role": line.role, "text": line.text, "at": clock.iso(line.at)} for line in lines
    ]
    return {
        "lead": _lead(lead),
        "session": {
            "id": str(chat.id),
            "site": {"key": site.key, "name": site.name},
            "channel": chat.channel,
            "dashboard_url": f"{public_url}/sessions/{chat.id}",
            "started_at": clock.iso(chat.started_at),
            "completed_at": clock.iso(chat.completed_at) if chat.completed_at else None,
            "message_count": len(transcript),
            "completion": _completion(chat),
        },
        "attribution": {key: chat.attribution.get(key) for key in ATTRIBUTION_KEYS},
        "transcript": transcript,
    }


def sample(public_url: str) -> Content:
    """Made-up values in the very shape of a lead, to see whether a destination takes one."""
    now = clock.iso(clock.now())
    lead: dict[str, Any] = {
        "id": str(uuid.UUID(int=0)),
        "name": "Test Lead",
        "email": "test@example.com",
        "phone": "+442079460958",
        "company": None,
        "qualification": {},
        "consent": None,
        "missing": [],
        "invalid": [],
    }
    session = {
        "id": str(uuid.UUID(int=0)),
        "site": {"key": "test", "name": "Test"},
        "channel": "web",
        "dashboard_url": f"{public_url}/deliveries",
        "started_at": now,
        "completed_at": None,
        "message_count": 1,
        "completion": None,
    }
    transcript = [{"role": "system", "text": "This is a test from Platform 5ive.", "at": now}]
    attribution = dict.fromkeys(ATTRIBUTION_KEYS)
    return Content(
        {"lead": lead, "session": session, "attribution": attribution, "transcript": transcript}
    )


def _lead(lead: Lead | Row[Any]) -> dict[str, Any]:
    consent = None
    if lead.consent_at:
        consent = {"text_version": lead.consent_text_version, "at": clock.iso(lead.consent_at)}
    return {
        "id": str(lead.id),
        "name": lead.name,
        "email": lead.email,
        "phone": lead.phone,
        "company": lead.company,
        "qualification": lead.qualification,
        "consent": consent,
        "missing": lead.missing,
        "invalid": lead.invalid,
    }


def _completion(chat: ChatSession | Row[Any]) -> dict[str, Any] | None:
    if not chat.completed_at:
        return None
    return {
        "cause": chat.completion_cause,
        "phrase": chat.completion_phrase,
        "message_id": chat.completion_message_id,
    }
