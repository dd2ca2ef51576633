"""Whatever way the leads of a search are found, they are the same ones in the same order."""

from __future__ import annotations

import random
import uuid
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from app.core import clock
from app.models import Lead, Site
from app.reporting import lead_plan, leads, search_plan
from app.reporting.lead_filter import LeadFilter, passing
from app.reporting.pages import AtLeast
from tests.factories import make_site
from tests.reporting.test_leads import came, deliver

LEADS, FILTERS, PAGE = 50, 12, 7
NAMES = ("Ann Lee", "José Müller", "Bob 100%", "Özil_x", "")
COMPANIES = (None, "Lee & Co", "Example Ltd")
#: In nearly every lead, in some, in none; one and two characters; a phone number in pieces.
WORDS = (
    "example", "example.com", "@", "e", "an", "ann", "lee co", "müller", "100%", "%", "_", "x",
    "nobody", "example nobody", "ann example", "020 7946", "+44", "visitor3", "zz", "a e i",
)  # fmt: skip
#: How the database is asked. A walk that is cut short goes on from there.
WAYS: dict[str, dict[str, int]] = {
    "as usual": {},
    "looked up": {"MOST_RARE": 1_000_000},
    "walked": {"MOST_LED": -1},
    "walked in short bounds": {"MOST_LED": -1, "MOST_WALKED": 11, "MOST_ASKED": 3},
}


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    for name, value in WAYS[request.param].items():
        for module in (lead_plan, leads, search_plan):
            if hasattr(module, name):
                monkeypatch.setattr(module, name, value)
    return str(request.param)


def by_chance(session: Session, chance: random.Random) -> tuple[list[Lead], list[Site]]:
    """Leads of whom some share an address, and some came at the same moment."""
    sites = [make_site(session, key=key) for key in ("baths", "kitchens")]
    made = []
    for _ in range(LEADS):
        lead = came(
            session,
            chance.randrange(30),
            site=chance.choice(sites),
            status=chance.choice(("completed", "in_progress")),
            name=chance.choice(NAMES),
            company=chance.choice(COMPANIES),
            email=chance.choice([None, f"visitor{chance.randrange(60)}@example.com"]),
            phone=chance.choice([None, f"+4420794{chance.randrange(60_000, 60_040)}"]),
            missing=chance.choice(([], ["company"])),
        )
        if chance.random() < 0.4:
            deliver(session, lead, chance.choice(("dead", "pending", "delivered")))
        made.append(lead)
    return made, sites


def any_filter(chance: random.Random) -> LeadFilter:
    choices: dict[str, tuple[Any, ...]] = {
        "site_key": ("baths", "kitchens", "nowhere"),
        "completion_status": ("completed", "in_progress"),
        "delivery": ("problem", "waiting", "arrived"),
        "has_email": (True, False),
        "missing": ("any", "none", "company"),
        "made_to": (clock.now(),),
    }
    names = chance.sample(sorted(choices), chance.choice((0, 0, 1, 2)))
    return LeadFilter(
        words=chance.choice(WORDS), **{name: chance.choice(choices[name]) for name in names}
    )


def holds(lead: Lead, words: str) -> bool:
    told = "\n".join(each or "" for each in (lead.name, lead.email, lead.company, lead.phone))
    digits = (lead.phone or "").lstrip("+")
    needles = ["207946"] if words == "020 7946" else words.lower().split()
    return all(needle in told.lower() or needle in digits for needle in needles)


def walked(session: Session, wanted: LeadFilter, to: str, cursor: str | None) -> list[uuid.UUID]:
    found: list[uuid.UUID] = []
    while True:
        page = leads.list_page(session, wanted, limit=PAGE, cursor=cursor)
        ids = [row.lead.id for row in page.items]
        found = found + ids if to == "next" else ids + found
        cursor = page.next_cursor if to == "next" else page.previous_cursor
        if cursor is None:
            return found


def test_any_search_finds_the_same_people_page_by_page(session: Session, way: str) -> None:
    chance = random.Random(11)
    by_chance(session, chance)
    session.execute(text("ANALYZE leads"))
    for _ in range(FILTERS):
        wanted = any_filter(chance)
        found = walked(session, wanted, "next", None)
        assert len(found) == len(set(found)), (way, wanted)
        assert found == _expected(session, wanted), (way, wanted)
        # And back, from the last page that has anyone on it.
        page = last = leads.list_page(session, wanted, limit=PAGE)
        while page.next_cursor:
            page = leads.list_page(session, wanted, limit=PAGE, cursor=page.next_cursor)
            last = page if page.items else last
        if last.previous_cursor:
            before = walked(session, wanted, "previous", last.previous_cursor)
            assert before + [row.lead.id for row in last.items] == found, (way, wanted)


def test_a_count_of_a_search_stops_somewhere_and_says_so(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = [came(session, number, email=f"v{number}@example.com") for number in range(12)]
    # One character is never looked up.
    asked = LeadFilter(words="@")
    assert leads.counted(session, asked) == len(made)
    assert not isinstance(leads.counted(session, asked), AtLeast)
    monkeypatch.setattr(leads, "MOST_WALKED_TO_COUNT", 5)
    assert str(leads.counted(session, asked)) == "5+"
    assert leads.counted(session, asked, most=3) == 4
    # What leads to few leads is counted whole.
    assert str(leads.counted(session, LeadFilter(words="example"))) == str(len(made))


def test_a_search_that_found_nothing_yet_says_how_far_it_looked(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leads, "MOST_WALKED", 4)
    made = [came(session, number, email=f"v{number}@example.com") for number in range(10)]
    oldest = came(session, 11, name="Bob 100%")
    first = leads.list_page(session, LeadFilter(words="%"))
    assert (first.items, first.looked_back_to) == ([], made[3].created_at)
    second = leads.list_page(session, LeadFilter(words="%"), cursor=first.next_cursor)
    assert (second.items, second.looked_back_to) == ([], made[7].created_at)
    third = leads.list_page(session, LeadFilter(words="%"), cursor=second.next_cursor)
    assert [row.lead.id for row in third.items] == [oldest.id]
    assert (third.next_cursor, third.looked_back_to) == (None, None)


def test_a_walk_ends_at_its_bound(session: Session) -> None:
    site = make_site(session)
    for number in range(30):
        came(session, number / 100, site=site, email=f"v{number}@example.com")
    plan = lead_plan.LeadPlan(LeadFilter(words="example"), is_walked=True)
    assert plan.last_walked(session, leads.NEWEST_FIRST, None, 31) is None
    last = plan.last_walked(session, leads.NEWEST_FIRST, None, 20)
    assert last is not None
    found = session.execute(plan.passing(leads.NEWEST_FIRST, None, last)).all()
    assert len(found) == 20
    assert (found[-1].created_at, found[-1].id) == last


def _values(wanted: LeadFilter) -> dict[str, Any]:
    return {name: getattr(wanted, name) for name in LeadFilter.__slots__}


def _expected(session: Session, wanted: LeadFilter) -> list[uuid.UUID]:
    """Every lead that passes, newest first, without those whose person has a newer one there."""
    without_words = LeadFilter(**{**_values(wanted), "words": None})
    those = [
        lead
        for lead in session.query(Lead).order_by(Lead.created_at.desc(), Lead.id.desc())
        if lead.id in _passing_ids(session, without_words) and holds(lead, wanted.words or "")
    ]
    people = _people(session)
    seen: set[uuid.UUID] = set()
    found = []
    for lead in those:
        if people[lead.id] not in seen:
            found.append(lead.id)
        seen.add(people[lead.id])
    return found


def _passing_ids(session: Session, wanted: LeadFilter) -> set[uuid.UUID]:
    key = ("passing", wanted)
    if key not in session.info:
        session.info[key] = set(
            session.scalars(select(Lead.id).where(*passing(Lead, wanted, is_alone=True)))
        )
    ids: set[uuid.UUID] = session.info[key]
    return ids


def _people(session: Session) -> dict[uuid.UUID, uuid.UUID]:
    """Whose each lead is: who shares an address or a number, or is linked by others, is one."""
    of: dict[uuid.UUID, uuid.UUID] = {}
    every = session.query(Lead).all()
    for lead in every:
        of[lead.id] = lead.id
    is_changed = True
    while is_changed:
        is_changed = False
        smallest: dict[str, uuid.UUID] = {}
        for lead in every:
            for sign in filter(None, (lead.email, lead.phone)):
                smallest[sign] = min(smallest.get(sign, of[lead.id]), of[lead.id])
        for lead in every:
            signs = [smallest[sign] for sign in (lead.email, lead.phone) if sign]
            least = min([of[lead.id], *signs])
            if least != of[lead.id]:
                of[lead.id], is_changed = least, True
    return of
