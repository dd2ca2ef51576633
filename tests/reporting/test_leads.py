from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

from sqlalchemy.orm import Session

from app.core import clock
from app.models import ChatSession, Delivery, Destination, Lead, Site
from app.reporting import leads
from app.reporting.lead_filter import LeadFilter
from tests.factories import make_chat, make_lead, make_site
from tests.reporting.queries import counted

EVERYBODY = LeadFilter()


def came(
    session: Session, days_ago: float, *, site: Site | None = None, status: str = "completed",
    **values: Any,
) -> Lead:  # fmt: skip
    """A lead of a session of its own, by default with a name and nothing to reach them by."""
    moment = clock.now() - timedelta(days=days_ago)
    chat: ChatSession = make_chat(session, site, started_at=moment, completion_status=status)
    defaults = {"name": "Ann", "email": None, "phone": None, "created_at": moment}
    return make_lead(session, chat, **{**defaults, **values})


def deliver(session: Session, lead: Lead, status: str = "pending") -> None:
    if session.get(Destination, "n8n") is None:
        session.add(Destination(key="n8n", kind="n8n"))
        session.flush()
    session.add(
        Delivery(
            destination_key="n8n", event="lead.completed", lead_id=lead.id, status=status,
            session_id=lead.session_id, body="{}", created_at=clock.now(),
        )
    )  # fmt: skip
    session.flush()


def shown(
    session: Session, wanted: LeadFilter = EVERYBODY, limit: int = 50
) -> list[tuple[uuid.UUID, list[uuid.UUID]]]:
    """Every row over all pages: its lead, and the others below it."""
    rows, cursor = [], None
    while True:
        page = leads.list_page(session, wanted, limit=limit, cursor=cursor)
        assert page.items or cursor is None
        rows += [(row.lead.id, [each.lead.id for each in row.others]) for row in page.items]
        cursor = page.next_cursor
        if cursor is None:
            return rows


def test_a_person_stands_once_at_the_newest_and_nobody_is_lost_over_pages(session: Session) -> None:
    site = make_site(session)
    # They link each other, though the newest and the middle one share nothing.
    first = came(session, 9, site=site, email="a@x.example", phone="+441")
    middle = came(session, 5, site=site, email="b@x.example", phone="+441")
    newest = came(session, 1, site=site, email="a@x.example", phone="+442")
    alone = [came(session, days, site=site) for days in (2, 3, 4)]
    # Only kept as typed: two who typed the same are not one person.
    typed = [came(session, days, site=site, email="no mail", invalid=["email"]) for days in (6, 7)]
    people = [
        (newest.id, [middle.id, first.id]),
        *((each.id, []) for each in (*alone, *typed)),
    ]
    for limit in (50, 1, 2, 3):
        assert shown(session, limit=limit) == people
    page = leads.list_page(session, EVERYBODY, limit=2)
    again = leads.list_page(session, EVERYBODY, limit=2, cursor=page.next_cursor)
    back = leads.list_page(session, EVERYBODY, limit=2, cursor=again.previous_cursor)
    assert [row.lead.id for row in back.items] == [newest.id, alone[0].id]
    single = shown(session, LeadFilter(person=middle.id))
    assert [lead_id for lead_id, _ in single] == [newest.id, middle.id, first.id]
    assert shown(session, LeadFilter(person=alone[0].id)) == [(alone[0].id, [])]


def test_a_page_that_asks_many_of_one_person_goes_on_to_the_others(
    session: Session, monkeypatch: Any
) -> None:
    monkeypatch.setattr(leads, "MOST_ASKED", 3)
    site = make_site(session)
    theirs = [came(session, 1 + n / 100, site=site, phone="+441") for n in range(12)]
    other = came(session, 3, site=site, phone="+442")
    rows = shown(session, limit=2)
    assert [lead_id for lead_id, _ in rows] == [theirs[0].id, other.id]
    (row, _) = leads.list_page(session, EVERYBODY, limit=2).items
    assert (len(row.others), row.others_count) == (leads.OTHERS_SHOWN, 11)


def test_filters_show_a_person_at_the_newest_that_passes(session: Session) -> None:
    baths, kitchens = make_site(session, key="baths"), make_site(session, key="kitchens")
    old = came(session, 20, site=baths, email="ann@x.example", company="Lee & Co", missing=[])
    new = came(
        session, 1, site=kitchens, email="ann@x.example", phone="+442079460958",
        status="in_progress", missing=["company"],
    )  # fmt: skip
    bob = came(session, 2, site=kitchens, name="Bob 100%", missing=["email", "phone"])
    deliver(session, old, "dead")
    deliver(session, new, "delivered")
    cases = {
        LeadFilter(): [new, bob],
        LeadFilter(site_key="baths"): [old],
        LeadFilter(completion_status="completed"): [bob, old],
        LeadFilter(made_to=clock.now() - timedelta(days=10)): [old],
        LeadFilter(made_from=clock.now() - timedelta(days=10)): [new, bob],
        LeadFilter(missing="any"): [new, bob],
        LeadFilter(missing="none"): [old],
        LeadFilter(missing="phone"): [bob],
        LeadFilter(has_email=True): [new],
        LeadFilter(has_phone=False): [bob, old],
        LeadFilter(delivery="problem"): [old],
        LeadFilter(delivery="arrived"): [new],
        LeadFilter(delivery="waiting"): [],
        LeadFilter(words="n@x.ex"): [new],
        LeadFilter(words="lee co"): [old],
        LeadFilter(words="020 7946"): [new],
        LeadFilter(words="100%"): [bob],
        LeadFilter(words="b"): [bob],
        LeadFilter(words="ann bob"): [],
    }
    for wanted, expected in cases.items():
        assert [lead_id for lead_id, _ in shown(session, wanted)] == [e.id for e in expected], (
            wanted
        )
    # The one below does not have to pass.
    assert shown(session, LeadFilter(site_key="baths")) == [(old.id, [new.id])]
    assert leads.counted(session, LeadFilter()) == 3
    assert leads.counted(session, LeadFilter(), most=1) == 2


def test_a_change_of_any_of_theirs_draws_the_persons_row(session: Session) -> None:
    old, new = (came(session, days, email="ann@x.example") for days in (5, 1))
    bob = came(session, 3)
    ids = [old.session_id, bob.session_id, uuid.uuid4()]
    rows = leads.by_sessions(session, ids, EVERYBODY)
    assert [row.lead.id for row in rows] == [new.id, bob.id]
    assert leads.by_sessions(session, [], EVERYBODY) == []


def test_a_page_takes_the_same_number_of_queries_for_any_number(session: Session) -> None:
    site = make_site(session)
    for number in range(30):
        lead = came(session, number, site=site, email=f"{number % 12}@x.example")
        deliver(session, lead)
    seen = []
    for limit in (3, 10):
        session.expunge_all()
        with counted() as statements:
            page = leads.list_page(session, EVERYBODY, limit=limit)
            told = [(row.site_name, row.delivery, row.others[0].site_name) for row in page.items]
        assert {delivery for _, delivery, _ in told} == {"waiting"}
        seen.append(len(statements))
    assert seen == [3, 3]
