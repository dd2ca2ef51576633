"""Which leads a list shows, and how the database tells whose they are."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, case, exists, func, literal, select, true, union_all
from sqlalchemy.orm import aliased

from app.models import ChatSession, Delivery, Lead, Site
from app.reporting import search_plan
from app.reporting.search import terms

#: Of a person, so many e-mails and phone numbers are followed, each to so many of its newest leads.
#: Who has more than that may stand in the list more than once.
MOST_FOLLOWED = 50
#: Of a lead's deliveries, what matters most comes first; what was cancelled does not count.
DELIVERY_STATES = {
    "problem": ("dead", "unknown"),
    "waiting": ("pending", "failed"),
    "arrived": ("delivered",),
}
#: What `LeadFilter.missing` may be, besides `any` and `none`.
CONTACTS = ("name", "email", "phone", "company")
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


def passing(
    lead: LeadEntity, wanted: LeadFilter, *, is_alone: bool = False
) -> Iterator[ColumnElement[bool]]:
    """What the filter asks of a lead. `is_alone`: of one that is known already."""
    if wanted.made_from is not None:
        yield lead.created_at >= wanted.made_from
    if wanted.made_to is not None:
        yield lead.created_at < wanted.made_to
    # Among few, each is asked; else the database may begin with the sessions.
    is_among_few = is_alone or bool(wanted.words) or wanted.delivery in ("problem", "waiting")
    yield from _of_session(lead, wanted, is_among_few=is_among_few)
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
        yield case((delivery_state(lead) == "arrived", True), else_=False)
    elif wanted.delivery is not None:
        statuses = DELIVERY_STATES[wanted.delivery]
        if is_alone:
            yield exists().where(Delivery.lead_id == lead.id, Delivery.status.in_(statuses))
        else:
            found = select(Delivery.session_id).where(
                Delivery.lead_id.is_not(None), Delivery.status.in_(statuses)
            )
            yield lead.session_id.in_(found)
    for term in terms(wanted.words or ""):
        yield search_plan.is_told(term, lead)
    if wanted.person is not None:
        of = aliased(Lead)
        person = leads_of_person(of, most=None)
        theirs = select(person.c.id).select_from(of).join(person, true())
        alone = select(literal(wanted.person))
        yield lead.id.in_(union_all(alone, theirs.where(of.id == wanted.person)))


def _of_session(
    lead: LeadEntity, wanted: LeadFilter, *, is_among_few: bool
) -> Iterator[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.site_key is not None:
        site = select(Site.id).where(Site.key == wanted.site_key).scalar_subquery()
        conditions.append(ChatSession.site_id == site)
    if wanted.completion_status is not None:
        conditions.append(ChatSession.completion_status == wanted.completion_status)
    if conditions and is_among_few:
        fits = select(literal(True)).where(ChatSession.id == lead.session_id, *conditions)
        yield func.coalesce(fits.scalar_subquery(), False)
    elif conditions:
        yield exists().where(ChatSession.id == lead.session_id, *conditions)


def sign(lead: LeadEntity, key: str) -> ColumnElement[Any]:
    """The e-mail or phone by which a person is known; NULL when it was only kept as typed."""
    return case((~lead.invalid.contains([key]), getattr(lead, key)))


def leads_of_person(lead: LeadEntity, most: int | None = MOST_FOLLOWED) -> Any:
    """Of the database: see the migration 0011. It has no row for a lead with neither sign."""
    found = func.leads_of_person(sign(lead, "email"), sign(lead, "phone"), most)
    return found.table_valued("id", "created_at").lateral()


def delivery_state(lead: LeadEntity) -> Any:
    states = (
        (func.bool_or(Delivery.status.in_(statuses)), state)
        for state, statuses in DELIVERY_STATES.items()
    )
    return select(case(*states)).where(Delivery.lead_id == lead.id).scalar_subquery()
