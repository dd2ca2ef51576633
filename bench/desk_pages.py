"""Which pages `bench.desk` asks for, by kind."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlencode

from sqlalchemy import func, select
from sqlalchemy.orm import InstrumentedAttribute

from app.core import clock
from app.core.db import db
from app.models import ChatSession, Delivery, Lead, Site
from app.models.chat_session import ARCHIVE_STATUSES, CHANNELS, COMPLETION_STATUSES, QA_STATUSES
from app.reporting.pages import cursor_after
from app.reporting.session_filter import DELIVERY_STATES

LIST_MS, SEARCH_MS, SESSION_MS = 60.0, 250.0, 60.0
#: So many pages deep in the list are asked for, of every filter.
DEEP_PAGES = 2
SESSIONS = 40
YES_NO = ("yes", "no")


@dataclass(frozen=True, slots=True)
class Kind:
    """`goal_ms`: what its p95 has to stay under; None: for context."""

    name: str
    goal_ms: float | None = None


@dataclass(frozen=True, slots=True)
class Search:
    kind: Kind
    words: tuple[str, ...]
    filters: tuple[dict[str, str], ...] = ({},)


def _search(name: str, *words: str, filters: Sequence[dict[str, str]] = ({},)) -> Search:
    return Search(Kind(f"search: {name}", SEARCH_MS), words, tuple(filters))


#: Words of the seed: some are on every page, some in a dozen of a million sessions.
SEARCHES = (
    _search("a rare word", "ralitika", "hoberlinuka", "tikugika", "kafalka", "berkalifal"),
    _search("a word of medium frequency", "kaber", "kali", "kamon", "kanu", "linu", "rara"),
    _search("a common word", "kitchen", "bonjour", "möchten", "within", "удовольствием"),
    _search("a phrase", '"within 24 hours"', '"new kitchen"', '"dining room may"'),
    _search("a beginning of a word", "kitch", "ral", "bodengl", "спаси", "rendez-v"),
    _search("part of a name", "ühl", "nn Sm", "mith", "ohammed", "Özl", "cenko"),
    _search("part of an e-mail", "@exa", "visitor47", "r4711@", "99@example.com", ".com"),
    _search("part of a phone number", "7946", "020 7912 34", "+33142", "30 12", "142777"),
    _search("two words", "Ann kitchen", "kaber ralitika", "Müller Dusche", "wright saturdays"),
    _search("two common words never together", "bonjour kitchen", "dusche saturdays"),
    _search("nothing found", "zzyzx", "xqj", '"kitchen zzyzx"', "nobody@nowhere.invalid"),
    _search("strange input", "%_\\ '", "a b c d e f g h i", "x", "'; --", "e " * 3000),
    _search(
        "a word and a filter",
        "ralitika",
        "kaber",
        "kitchen",
        filters=(
            {"qa_status": "issue"},
            {"completion_status": "completed"},
            {"delivery": "problem"},
            {"archive_status": "archived"},
        ),
    ),
)
FIRST = Kind("sessions: first page", LIST_MS)
DEEP = Kind("sessions: deep page", LIST_MS)
PAIRS = (
    ("archive_status", "completion_status"),
    ("qa_status", "completion_status"),
    ("site", "completion_status"),
    ("site", "qa_status"),
    ("archive_status", "qa_status"),
    ("channel", "completion_status"),
    ("has_contact", "completion_status"),
    ("delivery", "completion_status"),
)
SINGLES = (
    "completion_status", "archive_status", "qa_status", "channel", "site", "has_contact",
    "assistant_engaged", "delivery",
)  # fmt: skip
DATED = Kind("sessions: date, and with each filter", LIST_MS)
ROWS = Kind("sessions: rows that changed", LIST_MS)
SESSION = Kind("a session's page", SESSION_MS)
LEADS, LEADS_DEEP = Kind("leads: first page"), Kind("leads: deep page")
DELIVERIES, DELIVERIES_DEEP = Kind("deliveries: first page"), Kind("deliveries: deep page")
_OF_FILTERS = {
    names: Kind(f"sessions: {' and '.join(names)}".replace("_status", ""), LIST_MS)
    for names in (*((each,) for each in SINGLES), *PAIRS)
}
KINDS = (
    FIRST, DEEP, *_OF_FILTERS.values(), DATED, ROWS, *(each.kind for each in SEARCHES), SESSION,
    LEADS, LEADS_DEEP, DELIVERIES, DELIVERIES_DEEP,
)  # fmt: skip


def addresses() -> dict[Kind, list[str]]:
    """What to ask for, by kind; the same for the same database."""
    values = _values()
    deep = [cursor_after((at, uuid.uuid4())) for at in _moments(ChatSession.started_at)]
    asked: dict[Kind, list[str]] = {
        FIRST: ["/sessions", _sessions()],
        DEEP: [_sessions(cursor=each) for each in deep],
    }
    for names, kind in _OF_FILTERS.items():
        asked[kind] = [
            _sessions(**dict(zip(names, chosen, strict=True)), **cursor)
            for chosen in itertools.product(*(values[name] for name in names))
            for cursor in ({}, *({"cursor": each} for each in deep[:DEEP_PAGES]))
        ]
    newest = clock.now()
    for days in (7, 180):
        period = {
            "from": f"{newest - timedelta(days=days):%Y-%m-%d}",
            "to": f"{newest - timedelta(days=days - 5):%Y-%m-%d}",
        }
        singles = [{name: value} for name in SINGLES for value in values[name]]
        asked.setdefault(DATED, []).extend(
            _sessions(**period, **filter_) for filter_ in ({}, *singles)
        )
    for search in SEARCHES:
        asked[search.kind] = [
            _sessions(q=words, **filter_) for words in search.words for filter_ in search.filters
        ]
    ids = db.session.scalars(
        select(ChatSession.id)
        .where(ChatSession.started_at <= _moments(ChatSession.started_at)[2])
        .order_by(ChatSession.started_at.desc())
        .limit(SESSIONS)
    ).all()
    asked[ROWS] = [f"/sessions/rows?archive_status=all&ids={','.join(map(str, ids))}"]
    asked[SESSION] = [f"/sessions/{each}" for each in ids]
    asked[LEADS], asked[DELIVERIES] = ["/leads"], ["/deliveries"]
    asked[LEADS_DEEP] = [
        f"/leads?{urlencode({'cursor': cursor_after((at, uuid.uuid4()))})}"
        for at in _moments(Lead.created_at)
    ]
    asked[DELIVERIES_DEEP] = [
        f"/deliveries?{urlencode({'cursor': cursor_after((at, 1))})}"
        for at in _moments(Delivery.created_at)
    ]
    return asked


def _values() -> dict[str, Iterable[str]]:
    return {
        "completion_status": COMPLETION_STATUSES,
        "archive_status": ARCHIVE_STATUSES,
        "qa_status": QA_STATUSES,
        "channel": CHANNELS,
        "site": db.session.scalars(select(Site.key).order_by(Site.key)).all(),
        "has_contact": YES_NO,
        "assistant_engaged": YES_NO,
        "delivery": DELIVERY_STATES,
    }


def _sessions(**query: str) -> str:
    return f"/sessions?{urlencode({'archive_status': 'all', **query})}"


def _moments(column: InstrumentedAttribute[datetime]) -> list[datetime]:
    """Five, spread over all of the time there is."""
    first, last = db.session.execute(select(func.min(column), func.max(column))).one()
    return [first + (last - first) * share for share in (0.05, 0.3, 0.5, 0.7, 0.95)]
