"""Which sessions a list shows, and how the database finds them.

What the session's own row says has an index each, in the list's order. What other tables say is
either looked up there, when it leads to few sessions, or asked of each session in the list's order.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from sqlalchemy import ColumnElement, func, literal, not_, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from app.models import ChatSession, Delivery, Lead, Site
from app.reporting import search_plan
from app.reporting.pages import AnySelect, Keyset
from app.reporting.search import terms

#: All deliveries of a session arrived; some wait for their turn; some need a person.
DELIVERY_STATES = ("arrived", "waiting", "problem")
_STATUSES = {"waiting": ("pending", "failed"), "problem": ("dead", "unknown")}
#: So many sessions are asked for one page; a page that is not full then goes on from there.
MOST_ASKED = 20_000
MOST_ASKED_WORDS = 5_000
NEWEST_FIRST = Keyset(ChatSession.started_at, ChatSession.id, uuid.UUID)
SessionId = ColumnElement[uuid.UUID] | InstrumentedAttribute[uuid.UUID]
Question = Callable[[SessionId], ColumnElement[bool]]


@dataclass(frozen=True, slots=True)
class SessionFilter:
    """Which sessions; None: whatever. `started_from` is included, `started_to` is not."""

    started_from: datetime | None = None
    started_to: datetime | None = None
    completion_status: str | None = None
    archive_status: str | None = None
    qa_status: str | None = None
    channel: str | None = None
    site_key: str | None = None
    site_id: uuid.UUID | None = None
    has_contact: bool | None = None
    assistant_engaged: bool | None = None
    #: One of DELIVERY_STATES, of the lead's deliveries. What was cancelled does not count.
    delivery: str | None = None
    #: All of them occur in the session's messages or its lead: `app.reporting.search`.
    words: str | None = None


@dataclass(frozen=True, slots=True)
class Chosen:
    """`found`: the sessions by their own rows and by what leads to few. `questions`: what is asked
    of each of them, by its id; at most `most_asked` are asked at a time.
    """

    found: AnySelect
    questions: tuple[Question, ...] = ()
    most_asked: int = MOST_ASKED

    def cut(self, limit: int, cursor: str | None) -> AnySelect:
        """The ids for a page, as `Keyset.cut` does."""
        if not self.questions:
            return NEWEST_FIRST.cut(self.found, limit, cursor)
        asked = NEWEST_FIRST.cut(self.found, self.most_asked - 1, cursor).subquery("asked")
        statement = select(asked.c.id).where(*(question(asked.c.id) for question in self.questions))
        return replace(NEWEST_FIRST, at=asked.c.started_at, id=asked.c.id).cut(
            statement, limit, cursor
        )

    def last_asked(self, cursor: str | None) -> AnySelect | None:
        """Time and id of the last one that is asked, when there are more than may be asked."""
        if not self.questions:
            return None
        walk = self.found.with_only_columns(ChatSession.started_at, ChatSession.id)
        return NEWEST_FIRST.cut(walk, self.most_asked, cursor).offset(self.most_asked - 1).limit(1)


def choose(session: Session, wanted: SessionFilter) -> Chosen:
    """How to find them in the list's order. Asks the database how common the words are."""
    conditions, questions = _told(wanted)
    looked_for = terms(wanted.words or "")
    common = search_plan.common(session, looked_for)
    for term in looked_for:
        if term in common:
            questions.append(partial(search_plan.is_in, term))
        else:
            conditions.append(ChatSession.id.in_(search_plan.sessions_with(term)))
    found = select(ChatSession.id, ChatSession.started_at).where(*conditions)
    return Chosen(found, tuple(questions), MOST_ASKED_WORDS if common else MOST_ASKED)


def among(ids: Sequence[uuid.UUID], wanted: SessionFilter) -> AnySelect:
    """Those of these few sessions that are wanted."""
    conditions, questions = _told(wanted)
    questions += [partial(search_plan.is_in, term) for term in terms(wanted.words or "")]
    asked = (question(ChatSession.id) for question in questions)
    return select(ChatSession.id).where(ChatSession.id.in_(ids), *conditions, *asked)


def _told(wanted: SessionFilter) -> tuple[list[ColumnElement[bool]], list[Question]]:
    """Everything but the words."""
    conditions = _own(wanted)
    questions: list[Question] = []
    if wanted.has_contact is False and wanted.completion_status == "completed":
        # A completed session has a lead, and hardly ever one without a contact detail.
        lead = select(Lead.session_id).where(Lead.email.is_(None), Lead.phone.is_(None))
        conditions.append(ChatSession.id.in_(lead))
    elif wanted.has_contact is not None:
        questions.append(_has_contact if wanted.has_contact else _has_no_contact)
    if wanted.delivery == "arrived":
        questions.append(_all_arrived)
    elif wanted.delivery is not None:
        of_leads = select(Delivery.session_id).where(
            Delivery.lead_id.is_not(None), Delivery.status.in_(_STATUSES[wanted.delivery])
        )
        conditions.append(ChatSession.id.in_(of_leads))
    return conditions, questions


def _own(wanted: SessionFilter) -> list[ColumnElement[bool]]:
    """What the session's own row says."""
    conditions = [
        column == value
        for column in (
            ChatSession.completion_status,
            ChatSession.archive_status,
            ChatSession.qa_status,
            ChatSession.channel,
            ChatSession.site_id,
        )
        if (value := getattr(wanted, column.key)) is not None
    ]
    if wanted.started_from is not None:
        conditions.append(ChatSession.started_at >= wanted.started_from)
    if wanted.started_to is not None:
        conditions.append(ChatSession.started_at < wanted.started_to)
    if wanted.assistant_engaged is not None:
        conditions.append(ChatSession.assistant_engaged.is_(wanted.assistant_engaged))
    if wanted.site_key is not None:
        of_site = select(Site.id).where(Site.key == wanted.site_key).scalar_subquery()
        conditions.append(ChatSession.site_id == of_site)
    return conditions


def _has_contact(session_id: SessionId) -> ColumnElement[bool]:
    lead = select(or_(Lead.email.is_not(None), Lead.phone.is_not(None)))
    return func.coalesce(
        lead.where(Lead.session_id == session_id).scalar_subquery(), literal(False)
    )


def _has_no_contact(session_id: SessionId) -> ColumnElement[bool]:
    return not_(_has_contact(session_id))


def _all_arrived(session_id: SessionId) -> ColumnElement[bool]:
    """At least one arrived, and what did not was cancelled."""
    state = select(func.bool_and(Delivery.status == "delivered")).where(
        Delivery.session_id == session_id,
        Delivery.lead_id.is_not(None),
        Delivery.status != "cancelled",
    )
    return func.coalesce(state.scalar_subquery(), literal(False))
