"""Any filter at all, against the same rules in plain Python: many sessions by chance, some of them
begun at the same moment, every way in which the database may be asked, page by page.
"""

from __future__ import annotations

import random
import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session

from app.core import clock
from app.models import ChatSession, Destination, Site
from app.models.chat_session import ARCHIVE_STATUSES, CHANNELS, COMPLETION_STATUSES, QA_STATUSES
from app.reporting import search_plan, session_filter, sessions
from app.reporting.session_filter import DELIVERY_STATES, SessionFilter
from tests.factories import make_chat, make_lead, make_message, make_site
from tests.reporting.test_session_filter import make_delivery

SESSIONS, FILTERS, PAGE = 150, 40, 9
SAID = ("kitchen", "kitten", "bath", "Tuesday", "möchten", "o'clock", "boiler", "20,000")
NAMES = ("Ann Lee", "José Müller", "Bath Kitson", "", "Özil")
WORDS = ("kit", "kitchen", "bath", "TUES", "möch", "ann", "lee", "example", "boiler bath", "nobody")
DELIVERIES = ("pending", "failed", "delivered", "dead", "unknown", "cancelled")
#: How the database is asked: by default, never by what was looked up, and stopping again and again.
WAYS = {
    "as usual": {},
    "asked one by one": {"MOST_LED": -1},
    "in short bounds": {"MOST_LED": -1, "MOST_ASKED": 11, "MOST_ASKED_WORDS": 11},
}


@dataclass
class Known:
    """What plain Python knows of a session."""

    chat: ChatSession
    said: list[str] = field(default_factory=list)
    lead: dict[str, str | None] | None = None
    deliveries: list[str] = field(default_factory=list)

    def fits(self, wanted: SessionFilter, sites: dict[str, Site]) -> bool:
        chat = self.chat
        same = (
            "completion_status", "archive_status", "qa_status", "channel", "site_id",
            "assistant_engaged",
        )  # fmt: skip
        return (
            all(getattr(wanted, each) in (None, getattr(chat, each)) for each in same)
            and (wanted.site_key is None or chat.site_id == sites[wanted.site_key].id)
            and (wanted.started_from is None or chat.started_at >= wanted.started_from)
            and (wanted.started_to is None or chat.started_at < wanted.started_to)
            and wanted.has_contact in (None, self.has_contact)
            and (wanted.delivery is None or self.fares(wanted.delivery))
            and all(self.holds(word) for word in (wanted.words or "").lower().split())
        )

    @property
    def has_contact(self) -> bool:
        return self.lead is not None and bool(self.lead["email"] or self.lead["phone"])

    def fares(self, state: str) -> bool:
        if state == "arrived":
            return {*self.deliveries} - {"cancelled"} == {"delivered"}
        few = {"waiting": {"pending", "failed"}, "problem": {"dead", "unknown"}}[state]
        return bool(few & {*self.deliveries})

    def holds(self, word: str) -> bool:
        told = " ".join(each or "" for each in (self.lead or {}).values()).lower()
        words = " ".join(self.said).lower().split()
        return word in told or any(each.startswith(word) for each in words)


def by_chance(session: Session, chance: random.Random, sites: list[Site]) -> list[Known]:
    now = clock.now().replace(microsecond=0)
    known = []
    for number in range(SESSIONS):
        status = chance.choice(COMPLETION_STATUSES)
        chat = make_chat(
            session, chance.choice(sites),
            id=uuid.UUID(int=chance.getrandbits(128), version=4),
            started_at=now - timedelta(hours=chance.randrange(40)),
            completion_status=status,
            archive_status=chance.choice(ARCHIVE_STATUSES),
            qa_status=chance.choice(QA_STATUSES),
            channel=chance.choice(CHANNELS),
            external_session_id=f"n{number}",
            assistant_engaged=chance.random() < 0.6,
        )  # fmt: skip
        one = Known(chat)
        for _ in range(chance.randrange(4)):
            one.said.append(" ".join(chance.sample(SAID, 3)))
            make_message(session, chat, text=one.said[-1])
        if status == "completed" or chance.random() < 0.6:  # a completed session has its lead
            one.lead = {
                "name": chance.choice(NAMES),
                "email": chance.choice([None, f"visitor{number}@example.com"]),
                "phone": chance.choice([None, f"+4420794{number:05}"]),
            }
            lead = make_lead(session, chat, **one.lead)
            one.deliveries = chance.choices(DELIVERIES, k=chance.randrange(3))
            for each in one.deliveries:
                make_delivery(session, lead, each)
        known.append(one)
    return sorted(known, key=lambda one: (one.chat.started_at, one.chat.id), reverse=True)


def any_filter(chance: random.Random, sites: list[Site], now: datetime) -> SessionFilter:
    choices: dict[str, tuple[Any, ...]] = {
        "completion_status": COMPLETION_STATUSES,
        "archive_status": ARCHIVE_STATUSES,
        "qa_status": QA_STATUSES,
        "channel": CHANNELS,
        "site_key": tuple(site.key for site in sites),
        "site_id": tuple(site.id for site in sites),
        "has_contact": (True, False),
        "assistant_engaged": (True, False),
        "delivery": DELIVERY_STATES,
        "words": WORDS,
        "started_from": tuple(now - timedelta(hours=hours) for hours in (5, 20, 39)),
        "started_to": tuple(now - timedelta(hours=hours) for hours in (1, 10, 30)),
    }
    names = chance.sample(sorted(choices), chance.choice((0, 1, 1, 2, 2, 3)))
    return SessionFilter(**{name: chance.choice(choices[name]) for name in names})


def walked(session: Session, wanted: SessionFilter, cursor: str | None, to: str) -> list[uuid.UUID]:
    """All ids from a cursor on, to the "next" or the "previous" pages, in the order they came."""
    found: list[uuid.UUID] = []
    while True:
        page = sessions.list_page(session, wanted, limit=PAGE, cursor=cursor)
        ids = [row.session.id for row in page.items]
        found = found + ids if to == "next" else ids + found
        cursor = page.next_cursor if to == "next" else page.previous_cursor
        if cursor is None:
            return found


@pytest.mark.parametrize("way", WAYS)
def test_any_filter_lets_through_what_it_says(
    session: Session, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    for name, value in WAYS[way].items():
        monkeypatch.setattr(session_filter, name, value)
    if way == "asked one by one":
        monkeypatch.setattr(search_plan, "MOST_RARE", -1)
    chance = random.Random(f"any filter, {way}")
    session.add(Destination(key="n8n", kind="n8n"))
    sites = [make_site(session) for _ in range(3)]
    known = by_chance(session, chance, sites)
    by_key = {site.key: site for site in sites}
    ids = [one.chat.id for one in known]
    fitted = 0
    for _ in range(FILTERS):
        wanted = any_filter(chance, sites, known[0].chat.started_at)
        fitting = [one.chat.id for one in known if one.fits(wanted, by_key)]
        fitted += bool(fitting)
        assert walked(session, wanted, None, "next") == fitting, wanted
        start = chance.choice(known).chat
        cursor = sessions.cursor_before((start.started_at, start.id))
        newer = [each for each in fitting if ids.index(each) < ids.index(start.id)]
        assert walked(session, wanted, cursor, "previous") == newer, wanted
        some = chance.sample(ids, 25)
        rows = sessions.by_ids(session, some, wanted)
        assert [row.session.id for row in rows] == [each for each in fitting if each in some]
        if way != "in short bounds":
            assert sessions.counted(session, wanted) == len(fitting), wanted
    assert fitted > FILTERS / 2
