"""Which sessions a list shows, and how the database finds them.

They are walked newest first by an index that has the filter's columns before the time. What no such
index knows leads there from where it is known, if that is few sessions (`led`); if not, it is asked
of each session on the way (`questions`), of so many at most that a page is there at once.
"""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import (
    ColumnElement,
    any_,
    func,
    literal,
    or_,
    select,
    union_all,
)
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from app.models import ChatSession, Delivery, Lead, Site
from app.models.chat_session import ARCHIVE_STATUSES, COMPLETION_STATUSES, QA_STATUSES
from app.reporting import search_plan
from app.reporting.pages import AnySelect, Keyset
from app.reporting.search import terms

#: All deliveries of a session arrived; some wait for their turn; some need a person.
DELIVERY_STATES = ("arrived", "waiting", "problem")
_NOT_ARRIVED = {"waiting": ("pending", "failed"), "problem": ("dead", "unknown")}
#: More sessions than this are not looked up one by one.
MOST_LED = 4_000
#: So many sessions are asked for one page; a page that is not full then goes on from there.
MOST_ASKED = 6_000
#: Of one common word; the more of them, the fewer sessions.
MOST_ASKED_WORDS = 3_000
#: To count, so many times fewer: a page is what somebody waits for.
COUNTED_SHARE = 6
NEWEST_FIRST = Keyset(ChatSession.started_at, ChatSession.id, uuid.UUID)
_STATUSES = {
    ChatSession.completion_status: COMPLETION_STATUSES,
    ChatSession.archive_status: ARCHIVE_STATUSES,
    ChatSession.qa_status: QA_STATUSES,
}
SessionId = ColumnElement[uuid.UUID] | InstrumentedAttribute[uuid.UUID]
Question = Callable[[SessionId], ColumnElement[bool]]
Conditions = list[ColumnElement[bool]]


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
    """`walks`: ids and times of sessions, none in two of them. `questions` are asked of each, of at
    most `most_asked` of them. `are_few`: they were looked up, and are to be sorted; left to itself
    the database may walk the whole list for them, back from the cursor.
    """

    walks: tuple[AnySelect, ...]
    questions: tuple[Question, ...] = ()
    most_asked: int = MOST_ASKED
    are_few: bool = False

    def cut(self, limit: int, cursor: str | None) -> AnySelect:
        """The ids for a page, as `Keyset.cut` does."""
        if not self.questions:
            return self._merged(limit, cursor)
        asked = self._merged(self.most_asked - 1, cursor).subquery("asked")
        wanted = select(asked.c.id).where(*(question(asked.c.id) for question in self.questions))
        return Keyset(asked.c.started_at, asked.c.id, uuid.UUID).cut(wanted, limit, cursor)

    def last_asked(self, cursor: str | None) -> AnySelect | None:
        """Id and time of the last one that is asked, when there are as many as may be asked."""
        if not self.questions:
            return None
        return self._merged(self.most_asked, cursor).offset(self.most_asked - 1).limit(1)

    def _merged(self, limit: int, cursor: str | None) -> AnySelect:
        """Each walk in order, so that the database reads of each only what it needs."""
        if self.are_few:
            merged = self.walks[0].offset(0).subquery("few")
        else:
            cuts = [NEWEST_FIRST.cut(walk, limit, cursor) for walk in self.walks]
            if len(cuts) == 1:
                return cuts[0]
            merged = union_all(*cuts).subquery("walked")
        return Keyset(merged.c.started_at, merged.c.id, uuid.UUID).cut(
            select(merged.c.id, merged.c.started_at), limit, cursor
        )


def choose(session: Session, wanted: SessionFilter) -> Chosen:
    """How to find them in the list's order. May ask the database which way is the shorter one."""
    few, led, questions = _elsewhere(session, wanted)
    looked_for = terms(wanted.words or "")
    common = search_plan.common(session, looked_for)
    for term in looked_for:
        if term in common:
            continue
        said = search_plan.few(session, search_plan.sessions_with(term), MOST_LED)
        if said is None:
            common.append(term)
        else:
            few.append(ChatSession.id == any_(said))
    questions += [partial(search_plan.is_in, term) for term in common]
    most_asked = 2 * MOST_ASKED_WORDS // (1 + len(common)) if common else MOST_ASKED
    if few or led:
        found = select(ChatSession.id, ChatSession.started_at).where(*_own(wanted), *few, *led)
        return Chosen((found,), tuple(questions), most_asked, are_few=bool(few))
    questions += [partial(_has, column, value) for column, value in _not_indexed(wanted).items()]
    return Chosen(_walks(wanted), tuple(questions), most_asked)


def among(ids: Sequence[uuid.UUID], wanted: SessionFilter) -> AnySelect:
    """Those of these few sessions that are wanted."""
    questions = [partial(search_plan.is_in, term) for term in terms(wanted.words or "")]
    if wanted.has_contact is not None:
        questions.append(partial(_has_contact, wanted.has_contact))
    if wanted.delivery is not None:
        questions.append(partial(_fares, wanted.delivery))
    asked = (question(ChatSession.id) for question in questions)
    return select(ChatSession.id).where(ChatSession.id.in_(ids), *_own(wanted), *asked)


def _walks(wanted: SessionFilter) -> tuple[AnySelect, ...]:
    """One for every status the index has and the filter leaves open: each is in the list's order,
    and the database merges them.
    """
    own = _own(wanted, but=_not_indexed(wanted))
    every = select(ChatSession.id, ChatSession.started_at).where(*own)
    given = [column for column in _STATUSES if getattr(wanted, column.key) is not None]
    if not given and wanted.channel is None and not _is_of_site(wanted):
        return (every,)
    open_columns = [column for column in _STATUSES if column not in given]
    choices = itertools.product(*(_STATUSES[column] for column in open_columns))
    return tuple(
        every.where(*(column == value for column, value in zip(open_columns, values, strict=True)))
        for values in choices
    )


def _not_indexed(wanted: SessionFilter) -> dict[InstrumentedAttribute[Any], object]:
    """What the walked index does not have: an index with everything in it would cost every turn."""
    asked: dict[InstrumentedAttribute[Any], object] = {}
    if wanted.assistant_engaged is not None:
        asked[ChatSession.assistant_engaged] = wanted.assistant_engaged
    if wanted.channel is not None and _is_of_site(wanted):
        asked[ChatSession.channel] = wanted.channel
    return asked


def _is_of_site(wanted: SessionFilter) -> bool:
    return wanted.site_id is not None or wanted.site_key is not None


def _own(wanted: SessionFilter, but: Container[InstrumentedAttribute[Any]] = ()) -> Conditions:
    """What the session's own row says."""
    equal = (*_STATUSES, ChatSession.channel, ChatSession.site_id, ChatSession.assistant_engaged)
    conditions = [
        column == value
        for column in equal
        if (value := getattr(wanted, column.key)) is not None and column not in but
    ]
    if wanted.started_from is not None:
        conditions.append(ChatSession.started_at >= wanted.started_from)
    if wanted.started_to is not None:
        conditions.append(ChatSession.started_at < wanted.started_to)
    if wanted.site_key is not None:
        of_site = select(Site.id).where(Site.key == wanted.site_key).scalar_subquery()
        conditions.append(ChatSession.site_id == of_site)
    return conditions


def _elsewhere(
    session: Session, wanted: SessionFilter
) -> tuple[Conditions, Conditions, list[Question]]:
    """What leads and deliveries know: these few sessions, these, and what is asked of each."""
    few: Conditions = []
    led: Conditions = []
    questions: list[Question] = []
    if wanted.has_contact is False and wanted.completion_status == "completed":
        # A completed session has a lead, and hardly ever one without a contact detail.
        lead = select(Lead.session_id).where(Lead.email.is_(None), Lead.phone.is_(None))
        led.append(ChatSession.id.in_(lead))
    elif wanted.has_contact is not None:
        questions.append(partial(_has_contact, wanted.has_contact))
    if wanted.delivery is not None:
        faring = _few_by_delivery(session, wanted.delivery)
        if faring is None:
            questions.append(partial(_fares, wanted.delivery))
        else:
            few.append(ChatSession.id == any_(faring))
    return few, led, questions


def _few_by_delivery(session: Session, state: str) -> ColumnElement[Any] | None:
    """The sessions whose deliveries fare so; None: too many to look up."""
    if state == "arrived":
        return None
    fare = select(Delivery.session_id).where(
        Delivery.lead_id.is_not(None), Delivery.status.in_(_NOT_ARRIVED[state])
    )
    return search_plan.few(session, fare, MOST_LED)


def _has_contact(is_wanted: bool, session_id: SessionId) -> ColumnElement[bool]:
    has = select(or_(Lead.email.is_not(None), Lead.phone.is_not(None)))
    return _is(is_wanted, has.where(Lead.session_id == session_id))


def _has(
    column: InstrumentedAttribute[Any], value: object, session_id: SessionId
) -> ColumnElement[bool]:
    same = aliased(ChatSession)
    return _is(True, select(getattr(same, column.key) == value).where(same.id == session_id))


def _fares(state: str, session_id: SessionId) -> ColumnElement[bool]:
    """`arrived`: at least one delivery did, and what did not was cancelled."""
    of_session = Delivery.session_id == session_id, Delivery.lead_id.is_not(None)
    if state == "arrived":
        did = select(func.bool_and(Delivery.status == "delivered"))
        return _is(True, did.where(*of_session, Delivery.status != "cancelled"))
    some = select(literal(True)).where(*of_session, Delivery.status.in_(_NOT_ARRIVED[state]))
    return _is(True, some.limit(1))


def _is(is_wanted: bool, statement: AnySelect) -> ColumnElement[bool]:
    """Scalar, so that the database asks session by session, and no more than it needs."""
    said = func.coalesce(statement.scalar_subquery(), literal(False))
    return said if is_wanted else ~said
