"""From when to when a list reaches: a period that moves along, or days of one's own."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from flask import request

from app.core import clock
from app.web.frame.labels import zone

PERIODS = {
    "today": "Today",
    "yesterday": "Yesterday",
    "7d": "Last 7 days",
    "30d": "Last 30 days",
    "month": "This month",
}
OWN = "own"
NO_DAY = "Please give a day like 2026-11-22."
WRONG_ORDER = "This is after the last day. Please choose an earlier one."
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
#: Days that can be counted on from, in every time zone.
_YEARS = range(1970, 9000)


@dataclass(frozen=True, slots=True)
class Period:
    """`name`: one of PERIODS, or OWN with `first` and `last` as they were typed.

    `start` is included, `end` is not; both None when not given or wrong. `errors`: what to do
    about the field `from` or `to`.
    """

    name: str | None = None
    first: str = ""
    last: str = ""
    start: datetime | None = None
    end: datetime | None = None
    errors: dict[str, str] = field(default_factory=dict)

    @property
    def presets(self) -> dict[str, str]:
        return PERIODS

    @property
    def query(self) -> dict[str, str]:
        """What is right of it, as an address has it."""
        if self.name in PERIODS:
            return {"period": str(self.name)}
        return {name: day for name, day in self.typed.items() if name not in self.errors}

    @property
    def typed(self) -> dict[str, str]:
        return {name: day for name, day in (("from", self.first), ("to", self.last)) if day}

    @property
    def label(self) -> str:
        """ "Last 7 days", "from 3 Nov 2026", "3 Nov 2026 to 5 Nov 2026"; "" for any time."""
        if self.name in PERIODS:
            return PERIODS[str(self.name)]
        first, last = (_day_label(self.query.get(name, "")) for name in ("from", "to"))
        if first and last:
            return first if first == last else f"{first} to {last}"
        return f"from {first}" if first else f"until {last}" if last else ""


def read_period() -> Period:
    """`?period=7d`, or `?from=2026-11-01&to=2026-11-22`, in the user's time zone."""
    name = request.args.get("period", "")
    if name in PERIODS:
        start, end = _days_of(name, clock.now().astimezone(zone()).date())
        return Period(name, start=_midnight(start), end=_midnight(end) if end else None)
    typed = {key: request.args.get(key, "").strip()[:40] for key in ("from", "to")}
    days = {key: _day(text) for key, text in typed.items()}
    errors = {key: NO_DAY for key, text in typed.items() if text and not days[key]}
    first, last = days["from"], days["to"]
    if first and last and first > last:
        errors["from"], first = WRONG_ORDER, None
    return Period(
        OWN if any(typed.values()) else None,
        typed["from"],
        typed["to"],
        _midnight(first) if first else None,
        _midnight(last + timedelta(days=1)) if last else None,
        errors,
    )


def _days_of(name: str, today: date) -> tuple[date, date | None]:
    """The first day, and the day after the last when that is not today."""
    if name == "yesterday":
        return today - timedelta(days=1), today
    if name == "month":
        return today.replace(day=1), None
    return today - timedelta(days={"today": 0, "7d": 6, "30d": 29}[name]), None


def _day(text: str) -> date | None:
    try:
        day = date.fromisoformat(text) if _DAY.fullmatch(text) else None
    except ValueError:
        return None
    return day if day and day.year in _YEARS else None


def _midnight(day: date) -> datetime:
    local: ZoneInfo = zone()
    return datetime.combine(day, time.min, local)


def _day_label(text: str) -> str:
    day = _day(text)
    return f"{day.day} {day:%b %Y}" if day else ""
