"""Leads as people read them: one row for each person, who came last first.

Leads are one person's when they share an e-mail or a phone number, or when others of theirs link
them; what was only kept as typed links nobody. A person stands in the list once, at the newest of
their leads that passes the filter, on whichever page that falls. Under it stand the others of that
person, whether or not they pass. Who gave neither e-mail nor phone stands alone.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    case,
    func,
    literal,
    or_,
    select,
    true,
    tuple_,
    union_all,
)
from sqlalchemy.orm import Session, aliased, defer

from app.models import ChatSession, Delivery, Lead, Site
from app.reporting.pages import AnySelect, Keyset, Page
from app.reporting.search import Term, terms

#: Of a person's other leads, how many are shown at once; the rest are a page of their own.
OTHERS_SHOWN = 8
#: Of a lead's deliveries, what matters most comes first; what was cancelled does not count.
DELIVERY_STATES = {
    "problem": ("dead", "unknown"),
    "waiting": ("pending", "failed"),
    "arrived": ("delivered",),
}
#: What `LeadFilter.missing` may be, besides `any` and `none`.
CONTACTS = ("name", "email", "phone", "company")
NEWEST_FIRST = Keyset(Lead.created_at, Lead.id, uuid.UUID)
LeadEntity = type[Lead]


@dataclass(frozen=True, slots=True)
class LeadFilter:
    """Which leads; None: whatever. `made_from` is included, `made_to` is not.

    `missing`: `any` or `none` of what its site asks for, or one of CONTACTS. `delivery`: one of
    DELIVERY_STATES. `words`: all of them occur in name, e-mail, phone or company. `person`: a lead;
    every single one of that person, not one for all.
    """

    made_from: datetime | None = None
    made_to: datetime | None = None
    site_key: str | None = None
    completion_status: str | None = None
    missing: str | None = None
    has_email: bool | None = None
    has_phone: bool | None = None
    delivery: str | None = None
    words: str | None = None
    person: uuid.UUID | None = None


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
    session: Session, wanted: LeadFilter, *, limit: int = 50, cursor: str | None = None
) -> Page[LeadRow]:
    """One page by two queries. Raises Invalid for a wrong cursor."""
    rows = _rows(session, NEWEST_FIRST.cut(_chosen(wanted), limit, cursor))
    return NEWEST_FIRST.page(rows, lambda row: (row.lead.created_at, row.lead.id), limit, cursor)


def by_sessions(
    session: Session, session_ids: Sequence[uuid.UUID], wanted: LeadFilter
) -> list[LeadRow]:
    """The rows, as `list_page` has them, of the people whom leads of these sessions belong to."""
    asked = aliased(Lead)
    person = _leads_of_person(asked)
    single = select(asked.id).where(asked.session_id.in_(session_ids))
    theirs = (
        select(person.c.id)
        .select_from(asked)
        .join(person, true())
        .where(asked.session_id.in_(session_ids))
    )
    return _rows(session, _chosen(wanted).where(Lead.id.in_(union_all(single, theirs))))


def counted(session: Session, wanted: LeadFilter, most: int = 999) -> int:
    """How many leads pass the filter, each one counted; `most` + 1 stands for more."""
    found = select(Lead.id).where(*_passing(Lead, wanted)).limit(most + 1).subquery()
    return session.scalar(select(func.count()).select_from(found)) or 0


def name_of(session: Session, lead_id: uuid.UUID) -> str | None:
    """What the person of this lead is called, or else reached by; None: there is no such lead."""
    called = func.coalesce(Lead.name, Lead.email, Lead.phone, "Visitor")
    return session.scalar(select(called).where(Lead.id == lead_id))


def _chosen(wanted: LeadFilter) -> AnySelect:
    statement = select(Lead.id).where(*_passing(Lead, wanted))
    return statement if wanted.person else statement.where(_is_newest(wanted))


def _is_newest(wanted: LeadFilter) -> ColumnElement[bool]:
    """Whether no newer lead of the same person passes, too.

    Asked of one lead after the other along the list, by scalar subqueries, so that no plan looks at
    more than a page needs. Most are told by their own e-mail or number; only of those that are not,
    the whole person is looked up.
    """
    newer = aliased(Lead)
    passes = tuple(_passing(newer, wanted))
    place = tuple_(Lead.created_at, Lead.id)

    def is_found(*conditions: ColumnElement[bool]) -> ColumnElement[bool]:
        found = select(literal(1)).where(*conditions, *passes).limit(1)
        return found.correlate(Lead).scalar_subquery().is_not(None)

    later = (newer.created_at >= Lead.created_at, tuple_(newer.created_at, newer.id) > place)
    person = _leads_of_person(Lead)
    of_person = (
        select(literal(1))
        .select_from(person)
        .join(newer, newer.id == person.c.id)
        .where(tuple_(person.c.created_at, person.c.id) > place, *passes)
        .limit(1)
        .correlate(Lead)
        .scalar_subquery()
    )
    return case(
        (is_found(newer.email == _sign(Lead, "email"), *later), False),
        (is_found(newer.phone == _sign(Lead, "phone"), *later), False),
        else_=of_person.is_(None),
    )


def _passing(lead: LeadEntity, wanted: LeadFilter) -> Iterator[ColumnElement[bool]]:
    """What the filter asks of a lead."""
    if wanted.made_from is not None:
        yield lead.created_at >= wanted.made_from
    if wanted.made_to is not None:
        yield lead.created_at < wanted.made_to
    yield from _of_session(lead, wanted)
    for column, is_there in ((lead.email, wanted.has_email), (lead.phone, wanted.has_phone)):
        if is_there is not None:
            yield column.is_not(None) if is_there else column.is_(None)
    if wanted.missing in ("any", "none"):
        nothing = lead.missing == []
        yield nothing if wanted.missing == "none" else ~nothing
    elif wanted.missing is not None:
        yield lead.missing.contains([wanted.missing])
    if wanted.delivery == "arrived":
        # As an equation, the database would take it for rare, and look at all leads.
        yield case((_delivery_state(lead) == "arrived", True), else_=False)
    elif wanted.delivery is not None:
        statuses = DELIVERY_STATES[wanted.delivery]
        yield lead.session_id.in_(
            select(Delivery.session_id).where(
                Delivery.lead_id.is_not(None), Delivery.status.in_(statuses)
            )
        )
    for term in terms(wanted.words or ""):
        yield _holds(lead, term)
    if wanted.person is not None:
        of = aliased(Lead)
        person = _leads_of_person(of)
        theirs = select(person.c.id).select_from(of).join(person, true())
        alone = select(literal(wanted.person))
        yield lead.id.in_(union_all(alone, theirs.where(of.id == wanted.person)))


def _of_session(lead: LeadEntity, wanted: LeadFilter) -> Iterator[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.site_key is not None:
        site = select(Site.id).where(Site.key == wanted.site_key).scalar_subquery()
        conditions.append(ChatSession.site_id == site)
    if wanted.completion_status is not None:
        conditions.append(ChatSession.completion_status == wanted.completion_status)
    if conditions:
        yield lead.session_id.in_(select(ChatSession.id).where(*conditions))


def _holds(lead: LeadEntity, term: Term) -> ColumnElement[bool]:
    """By the index of all two and three characters that stand side by side."""
    whole = func.lead_words(lead.name, lead.email, lead.phone, lead.company)
    needles = (term.text, term.digits) if term.digits else (term.text,)
    return or_(
        *(
            func.text_pieces(whole).bool_op("@>")(func.text_pieces(func.lower(needle)))
            & whole.contains(func.lower(_escaped(needle)), escape="\\")
            for needle in needles
        )
    )


def _escaped(needle: str) -> str:
    return needle.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _sign(lead: LeadEntity, key: str) -> ColumnElement[Any]:
    """The e-mail or phone by which a person is known; NULL when it was only kept as typed."""
    return case((~lead.invalid.contains([key]), getattr(lead, key)))


def _leads_of_person(lead: LeadEntity) -> Any:
    """Of the database: see the migration 0011. It has no row for a lead with neither sign."""
    found = func.leads_of_person(_sign(lead, "email"), _sign(lead, "phone"))
    return found.table_valued("id", "created_at").lateral()


def _delivery_state(lead: LeadEntity) -> Any:
    states = (
        (func.bool_or(Delivery.status.in_(statuses)), state)
        for state, statuses in DELIVERY_STATES.items()
    )
    return select(case(*states)).where(Delivery.lead_id == lead.id).scalar_subquery()


def _rows(session: Session, ids: AnySelect) -> list[LeadRow]:
    chosen = ids.subquery("chosen")
    statement = _single().join(chosen, chosen.c.id == Lead.id)
    rows = [LeadRow(*row) for row in session.execute(NEWEST_FIRST.order(statement))]
    others = _others(session, [row.lead.id for row in rows])
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
    if not lead_ids:
        return {}
    head = aliased(Lead)
    person = _leads_of_person(head)
    newest = (person.c.created_at.desc(), person.c.id.desc())
    ranked = (
        select(
            head.id.label("head_id"),
            person.c.id,
            func.count().over(partition_by=head.id).label("number"),
            func.row_number().over(partition_by=head.id, order_by=newest).label("place"),
        )
        .select_from(head)
        .join(person, true())
        .where(head.id.in_(lead_ids), person.c.id != head.id)
        .subquery("ranked")
    )
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
        select(Lead, ChatSession, Site.name, _delivery_state(Lead))
        .join(ChatSession, ChatSession.id == Lead.session_id)
        .join(Site, Site.id == ChatSession.site_id)
        .options(defer(ChatSession.draft, raiseload=True))
    )
