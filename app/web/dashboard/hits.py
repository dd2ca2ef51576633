"""What was searched for, marked where a row holds it."""

from __future__ import annotations

from app.models import Lead
from app.reporting.search import Marks, lead_marks, marks
from app.reporting.session_rows import LastMessage, SessionRow


def name(lead: Lead | None, words: str) -> Marks:
    return lead_marks((lead.name if lead else None) or "Visitor", words)


def contact(lead: Lead | None, words: str) -> Marks:
    """The one detail there is room for: the one that was searched for, else e-mail or phone."""
    if lead is None:
        return []
    found = [lead_marks(each, words) for each in (lead.email, lead.phone, lead.company) if each]
    hits = [each for each in found if any(is_hit for _, is_hit in each)]
    if hits:
        return hits[0]
    return found[0] if lead.email or lead.phone else []


def said(row: SessionRow) -> LastMessage | None:
    """The message a row shows: the one that was searched for, else the last one."""
    return row.hit or row.last_message


def text(message: LastMessage, words: str) -> Marks:
    return marks(message.text, words)
