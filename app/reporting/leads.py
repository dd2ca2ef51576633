"""Leads as people read them: one row for each person, who came last first.

Leads are one person's when they share an e-mail or a phone number, or when others of theirs link
them; what was only kept as typed links nobody. A person stands in the list once, at the newest of
their leads that passes the filter, on whichever page that falls. Under it stand the others of that
person, whether or not they pass. Who gave neither e-mail nor phone stands alone.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from sqlalchemy import (
    ColumnElement,
    case,
    func,
    literal,
    select,
    true,
    tuple_,
    union_all,
)
from sqlalchemy.orm import Session, aliased, defer

from app.models import ChatSession, Lead, Site
from app.reporting.lead_filter import (
    LeadEntity,
    LeadFilter,
    delivery_state,
    leads_of_person,
    passing,
    sign,
)
from app.reporting.lead_plan import MOST_WALKED, MOST_WALKED_TO_COUNT
from app.reporting.lead_plan import LeadPlan as LeadPlan
from app.reporting.lead_plan import plan_of as plan_of
from app.reporting.pages import AnySelect, AtLeast, Key, Keyset, Page

#: Of a person's other leads, how many are shown at once; the rest are a page of their own.
OTHERS_SHOWN = 8
#: So many leads are asked for a page before all are.
MOST_ASKED = 500
NEWEST_FIRST = Keyset(Lead.created_at, Lead.id, uuid.UUID)


@dataclass(frozen=True, slots=True)
class SingleLead:
    """One lead with its session. `delivery`: one of DELIVERY_STATES; None: nothing was sent."""

    lead: Lead
    session: ChatSession
    site_name: str
    delivery: str | None


@dataclass(frozen=True, slots=True)
class LeadRow(SingleLead):
    """A person at one of their leads, with their others, newest first, and how many there are."""

    others: list[SingleLead] = field(default_factory=list)
    others_count: int = 0


def list_page(
    session: Session,
    wanted: LeadFilter,
    *,
    limit: int = 50,
    cursor: str | None = None,
    plan: LeadPlan | None = None,
) -> Page[LeadRow]:
    """One page by three queries, up to five if not full, without counting what `plan_of` asks.
    Raises Invalid for a wrong cursor. `plan`: what `plan_of` gave for this filter.

    A search walks so many leads that the page is there at once: it may then be short or empty and
    still have a `next_cursor`, to go on looking; `looked_back_to` says how far it got.
    """
    plan = plan or plan_of(session, wanted)
    last = plan.last_walked(session, NEWEST_FIRST, cursor, MOST_WALKED)
    ids = session.scalars(_chosen(plan, limit, cursor, MOST_ASKED, last)).all()
    if len(ids) <= limit and _are_more(session, plan, cursor, last):
        ids = session.scalars(_chosen(plan, limit, cursor, None, last)).all()
    rows = _rows(session, ids)
    page = NEWEST_FIRST.page(rows, lambda row: (row.lead.created_at, row.lead.id), limit, cursor)
    if last is None or len(ids) > limit:
        return page
    return NEWEST_FIRST.unfinished(page, last, cursor)


def by_sessions(
    session: Session, session_ids: Sequence[uuid.UUID], wanted: LeadFilter
) -> list[LeadRow]:
    """The rows, as `list_page` has them, of the people whom leads of these sessions belong to."""
    asked = aliased(Lead)
    person = leads_of_person(asked)
    single = select(asked.id).where(asked.session_id.in_(session_ids))
    theirs = (
        select(person.c.id)
        .select_from(asked)
        .join(person, true())
        .where(asked.session_id.in_(session_ids))
    )
    few = LeadPlan(wanted, (Lead.id.in_(union_all(single, theirs)),))
    chosen = _chosen(few, len(session_ids), None, MOST_ASKED)
    return _rows(session, session.scalars(chosen).all())


def counted(
    session: Session, wanted: LeadFilter, most: int = 999, plan: LeadPlan | None = None
) -> int:
    """How many leads pass the filter, each one counted; `most` + 1 stands for more. Where
    `list_page` walks the leads, this walks fewer of them: then AtLeast.
    """
    plan = plan or plan_of(session, wanted)
    last = plan.last_walked(session, NEWEST_FIRST, None, MOST_WALKED_TO_COUNT)
    found = plan.passing(NEWEST_FIRST, None, last).order_by(None).limit(most + 1).subquery()
    number = session.scalar(select(func.count()).select_from(found)) or 0
    return number if last is None or number > most else AtLeast(number)


def name_of(session: Session, lead_id: uuid.UUID) -> str | None:
    """What the person of this lead is called, or else reached by; None: there is no such lead."""
    called = func.coalesce(Lead.name, Lead.email, Lead.phone, "Visitor")
    return session.scalar(select(called).where(Lead.id == lead_id))


def _chosen(
    plan: LeadPlan, limit: int, cursor: str | None, most_asked: int | None, last: Key | None = None
) -> AnySelect:
    """The ids of a page. Whatever passes is put in the list's order first; then one after the other
    is asked whether it is its person's newest, until the page is full. With `most_asked`, no more
    are asked: the database then looks at no more than those.
    """
    in_order = plan.passing(NEWEST_FIRST, cursor, last)
    if plan.wanted.person is not None:
        return select(in_order.limit(limit + 1).subquery("single").c.id)
    # With OFFSET 0 the two stay apart, too.
    asked = in_order.limit(most_asked).offset(0).subquery("asked")
    lead = aliased(Lead, asked)
    statement = select(lead.id).where(_is_newest(lead, plan.wanted))
    return replace(NEWEST_FIRST, at=lead.created_at, id=lead.id).cut(statement, limit, cursor)


def _are_more(session: Session, plan: LeadPlan, cursor: str | None, last: Key | None) -> bool:
    """Whether there are more than were asked for a page."""
    next_one = plan.passing(NEWEST_FIRST, cursor, last).offset(MOST_ASKED).limit(1)
    return session.execute(next_one).one_or_none() is not None


def _is_newest(lead: LeadEntity, wanted: LeadFilter) -> ColumnElement[bool]:
    """Whether no newer lead of the same person passes, too. Most are told by their own e-mail or
    number; only of those that are not, the whole person is looked up.
    """
    newer = aliased(Lead)
    passes = tuple(passing(newer, wanted, is_alone=True))
    place = tuple_(lead.created_at, lead.id)
    later = (newer.created_at >= lead.created_at, tuple_(newer.created_at, newer.id) > place)

    def is_known_by(key: str) -> ColumnElement[bool]:
        same = getattr(newer, key) == sign(lead, key)
        found = select(literal(1)).where(same, *later, *passes).limit(1)
        return found.correlate(lead).scalar_subquery().is_not(None)

    person = leads_of_person(lead)
    of_person = (
        select(literal(1))
        .select_from(person)
        .join(newer, newer.id == person.c.id)
        .where(tuple_(person.c.created_at, person.c.id) > place, *passes)
        .limit(1)
        .correlate(lead)
        .scalar_subquery()
    )
    return case(
        (is_known_by("email"), False), (is_known_by("phone"), False), else_=of_person.is_(None)
    )


def _rows(session: Session, ids: Sequence[uuid.UUID]) -> list[LeadRow]:
    if not ids:
        return []
    statement = NEWEST_FIRST.order(_single().where(Lead.id.in_(ids)))
    rows = [LeadRow(*row) for row in session.execute(statement)]
    others = _others(session, ids)
    return [
        LeadRow(row.lead, row.session, row.site_name, row.delivery, *others[row.lead.id])
        if row.lead.id in others
        else row
        for row in rows
    ]


def _others(
    session: Session, lead_ids: Sequence[uuid.UUID]
) -> dict[uuid.UUID, tuple[list[SingleLead], int]]:
    """The newest other leads of each one's person, and how many there are."""
    head = aliased(Lead)
    person = leads_of_person(head)
    theirs = (
        select(head.id.label("head_id"), person.c.id, person.c.created_at)
        .select_from(head)
        .join(person, true())
        .where(head.id.in_(lead_ids), person.c.id != head.id)
        .distinct()
        .subquery("theirs")
    )
    newest = (theirs.c.created_at.desc(), theirs.c.id.desc())
    ranked = select(
        theirs.c.head_id,
        theirs.c.id,
        func.count().over(partition_by=theirs.c.head_id).label("number"),
        func.row_number().over(partition_by=theirs.c.head_id, order_by=newest).label("place"),
    ).subquery("ranked")
    statement = (
        _single()
        .add_columns(ranked.c.head_id, ranked.c.number)
        .join(ranked, ranked.c.id == Lead.id)
        .where(ranked.c.place <= OTHERS_SHOWN)
    )
    found: dict[uuid.UUID, tuple[list[SingleLead], int]] = {}
    for *single, head_id, number in session.execute(NEWEST_FIRST.order(statement)):
        found.setdefault(head_id, ([], number))[0].append(SingleLead(*single))
    return found


def _single() -> AnySelect:
    return (
        select(Lead, ChatSession, Site.name, delivery_state(Lead))
        .join(ChatSession, ChatSession.id == Lead.session_id)
        .join(Site, Site.id == ChatSession.site_id)
        .options(defer(ChatSession.draft, raiseload=True))
    )
