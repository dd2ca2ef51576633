"""What lines from outside tell about the visitor: drafts, and leads where there is a contact."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row
from sqlalchemy.orm import Session

from app.chat.ingest_store import Touched
from app.completion.known_sites import known_site
from app.core import clock
from app.leads.changes import take_over
from app.leads.extraction import extract
from app.leads.record import has_contact_detail, record_all
from app.models.site_profile import SiteProfile
from app.models.transcript import Draft, Line, Transcript


def read_drafts(session: Session, touched: Sequence[Touched]) -> None:
    """Have the sessions with new lines of a visitor know what these say."""
    for each in touched:
        if each.is_answered or any(one.line.role == "visitor" for one in each.added):
            each.draft = extract(_transcript(each), _site(session, each.chat))


def keep_leads(session: Session, touched: Sequence[Touched]) -> int:
    """Make or update the leads of these sessions; those completed before tell what changed.

    Gives how many leads are new.
    """
    open_ones = []
    for each in touched:
        before = Draft.from_json(each.chat.draft)
        if each.draft is None or each.draft.answers == before.answers:
            continue
        if each.chat.completion_status == "completed":
            take_over(session, each.chat.id, _site(session, each.chat), each.draft, True)
        elif has_contact_detail(each.draft) or has_contact_detail(before):
            open_ones.append((each.chat.id, _site(session, each.chat), each.draft))
    now = clock.now()
    return sum(lead.created_at == now for lead in record_all(session, open_ones, now).values())


def _site(session: Session, chat: Row[Any]) -> SiteProfile:
    return known_site(chat.site_id, chat.site_updated_at, session).profile


def _transcript(touched: Touched) -> Transcript:
    chat = touched.chat
    return Transcript(
        str(chat.id),
        tuple(
            Line(each.id, each.role, each.text, each.created_at, each.field)
            for each in touched.stored
        ),
        Draft.from_json(chat.draft),
        chat.locale,
        chat.timezone,
        chat.completion_status == "completed",
    )
