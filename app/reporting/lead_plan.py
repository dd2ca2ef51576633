"""How the leads of a search are found, so that rare and common words both are at once.

A rare word leads by the index to the few leads that hold it. A common one would lead to nearly all
of them; instead the leads are walked newest first and each is asked, until the page is full. So
many are walked at most that a page is there at once; a page that is not full then goes on from
there. Sessions are found the same way: `session_filter`, `search_plan`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from sqlalchemy import ColumnElement, any_, select
from sqlalchemy.orm import Session

from app.models import Delivery, Lead
from app.reporting import search_plan
from app.reporting.lead_filter import DELIVERY_STATES, LeadFilter, passing
from app.reporting.pages import AnySelect, Key, Keyset
from app.reporting.search import terms

#: More leads than this are not looked up one by one.
MOST_LED = 4_000
#: So many leads are walked for one page.
MOST_WALKED = 5_000
#: So many to count them: a page is what somebody waits for.
MOST_WALKED_TO_COUNT = 1_000


@dataclass(frozen=True, slots=True)
class LeadPlan:
    """`few`: conditions that lead to few leads, which are sorted then. `is_walked`: none do, and
    what is asked is asked of each on the way. Neither: the database chooses.
    """

    wanted: LeadFilter
    few: tuple[ColumnElement[bool], ...] = ()
    is_walked: bool = False

    def passing(self, keyset: Keyset, cursor: str | None, last: Key | None) -> AnySelect:
        """What a page is chosen from, in the list's order: leads that pass, none beyond `last`."""
        columns = (Lead.id, Lead.created_at, Lead.email, Lead.phone, Lead.invalid)
        is_alone = bool(self.few) or self.is_walked
        found = select(*columns).where(*self.few, *passing(Lead, self.wanted, is_alone=is_alone))
        if last is not None:
            found = found.where(keyset.up_to(last, cursor))
        if self.few:
            # Apart, with OFFSET 0: else the database may walk the whole list to meet them.
            few = found.offset(0).subquery("few")
            keyset = replace(keyset, at=few.c.created_at, id=few.c.id)
            found = select(*few.c)
        return keyset.cut(found, 0, cursor).limit(None)

    def last_walked(
        self, session: Session, keyset: Keyset, cursor: str | None, most: int
    ) -> Key | None:
        """Where a walk of so many leads ends; None: there are fewer, or it is none."""
        if not self.is_walked:
            return None
        # Only the period: it bounds the walk of the index; what else is asked costs a look at each.
        wanted = LeadFilter(made_from=self.wanted.made_from, made_to=self.wanted.made_to)
        every = select(Lead.created_at, Lead.id).where(*passing(Lead, wanted))
        one = keyset.cut(every, most, cursor).offset(most - 1).limit(1)
        found = session.execute(one).one_or_none()
        return None if found is None else (found[0], found[1])


def plan_of(session: Session, wanted: LeadFilter) -> LeadPlan:
    """The way to the leads of this filter. May ask the database which is the shorter one."""
    looked_for = terms(wanted.words or "")
    if not looked_for:
        return LeadPlan(wanted)
    few = [Lead.session_id == any_(found) for found in _by_delivery(session, wanted)]
    common = search_plan.common(session, looked_for, in_messages=False)
    for term in looked_for:
        if term not in common:
            found = search_plan.few(session, search_plan.leads_with(term), MOST_LED)
            few += [] if found is None else [Lead.id == any_(found)]
    is_one_person = wanted.person is not None
    return LeadPlan(wanted, tuple(few), is_walked=not few and not is_one_person)


def _by_delivery(session: Session, wanted: LeadFilter) -> list[ColumnElement[object]]:
    if wanted.delivery not in ("problem", "waiting"):
        return []
    statuses = DELIVERY_STATES[wanted.delivery]
    fare = select(Delivery.session_id).where(
        Delivery.lead_id.is_not(None), Delivery.status.in_(statuses)
    )
    found = search_plan.few(session, fare, MOST_LED)
    return [] if found is None else [found]
