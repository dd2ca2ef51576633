"""What was searched for, marked where a row holds it."""

from __future__ import annotations

from markupsafe import Markup

from app.models import Lead
from app.reporting.search import lead_marks, marks
from app.reporting.session_rows import LastMessage, SessionRow
from app.web.frame.html import marked


def name(lead: Lead | None, words: str) -> Markup:
    return marked(lead_marks((lead.name if lead else None) or "Visitor", words))


def contact(lead: Lead | None, words: str) -> Markup:
    """The one detail there is room for: the one that was searched for, else e-mail or phone."""
    if lead is None:
        return Markup()
    found = [lead_marks(each, words) for each in (lead.email, lead.phone, lead.company) if each]
    hits = [each for each in found if any(is_hit for _, is_hit in each)]
    if hits:
        return marked(hits[0])
    return marked(found[0]) if lead.email or lead.phone else Markup()


def shown_message(row: SessionRow) -> LastMessage | None:
    """The message a row shows: the one that was searched for, else the last one."""
    return row.hit or row.last_message


def text(message: LastMessage, words: str) -> Markup:
    return marked(marks(message.text, words))
