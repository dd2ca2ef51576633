"""A session as every list shows it: one query for any number of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import FromClause, Integer, cast, func, or_, select, true
from sqlalchemy.orm import Session, defer

from app.models import ChatSession, Lead, Message, Site
from app.reporting import search_plan
from app.reporting.pages import AnySelect
from app.reporting.search import Term, excerpt, terms
from app.reporting.session_filter import NEWEST_FIRST

#: Of a list's last message; the session's own page has the whole text.
PREVIEW_LENGTH = 1000
#: Of a message that was searched for: so much before the hit, which a narrow column still shows,
#: and so much in all.
BEFORE_HIT, EXCERPT_LENGTH = 18, 300


@dataclass(frozen=True, slots=True)
class LastMessage:
    role: str
    text: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class SessionRow:
    """A session with what every list shows beside it."""

    session: ChatSession
    site_key: str
    site_name: str
    site_phrases: tuple[str, ...]
    site_exclusions: tuple[str, ...]
    lead: Lead | None
    last_message: LastMessage | None
    #: What was searched for, in the message that holds most of it: `search.marks` tells where.
    hit: LastMessage | None = None


def session_rows(session: Session, ids: AnySelect, words: str | None = None) -> list[SessionRow]:
    """Those with these ids, newest first; with `words`, each with the message that says them."""
    chosen = ids.subquery("chosen")
    last = (
        select(
            Message.role,
            func.left(Message.text, PREVIEW_LENGTH).label("text"),
            Message.created_at,
        )
        .where(Message.session_id == ChatSession.id)
        .order_by(Message.id.desc())
        .limit(1)
        .lateral("last_message")
    )
    statement: AnySelect = (
        select(
            ChatSession, Site.key, Site.name, Site.phrases, Site.exclusions, Lead,
            last.c.role, last.c.text, last.c.created_at,
        )
        .join(chosen, chosen.c.id == ChatSession.id)
        .join(Site, Site.id == ChatSession.site_id)
        .outerjoin(Lead, Lead.session_id == ChatSession.id)
        .outerjoin(last, true())
        .options(defer(ChatSession.draft, raiseload=True))
    )  # fmt: skip
    said = tuple(term for term in terms(words or "") if term.pieces)
    if said:
        hit = _hit(said)
        statement = statement.outerjoin(hit, true()).add_columns(*hit.c)
    return [
        SessionRow(
            session=chat,
            site_key=site_key,
            site_name=site_name,
            site_phrases=tuple(phrases),
            site_exclusions=tuple(exclusions),
            lead=lead,
            last_message=LastMessage(role, text, at) if role else None,
            hit=_shown(*found) if found else None,
        )
        for chat, site_key, site_name, phrases, exclusions, lead, role, text, at, *found in (
            session.execute(NEWEST_FIRST.order(statement))
        )
    ]


def _hit(said: tuple[Term, ...]) -> FromClause:
    """Of the messages that hold any of it the one that holds most, the newest of those."""
    matches = [search_plan.says(term) for term in said]
    places = [func.nullif(search_plan.place(term), 0) for term in said]
    start = func.greatest(func.coalesce(*places, 1) - BEFORE_HIT, 1)
    statement = (
        select(
            Message.role.label("hit_role"),
            func.substr(Message.text, start, EXCERPT_LENGTH).label("hit_text"),
            Message.created_at.label("hit_at"),
            (start > 1).label("is_cut_before"),
            (func.char_length(Message.text) >= start + EXCERPT_LENGTH).label("is_cut_after"),
        )
        .where(Message.session_id == ChatSession.id, or_(*matches))
        .limit(1)
    )
    if len(said) > 1:
        most = sum((cast(each, Integer) for each in matches[1:]), cast(matches[0], Integer))
        statement = statement.order_by(most.desc())
    return statement.order_by(Message.id.desc()).lateral("hit")


def _shown(
    role: str | None, text: str, at: datetime, is_cut_before: bool, is_cut_after: bool
) -> LastMessage | None:
    return LastMessage(role, excerpt(text, is_cut_before, is_cut_after), at) if role else None
