"""How a site's assistant has done: today, and in the last seven days."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from sqlalchemy.orm import Session

from app.models import AssistantDay, Site
from app.reporting.assistants import lately
from tests.factories import make_site

TODAY = date(2026, 11, 23)


def a_day(session: Session, site: Site, days_ago: int = 0, **values: Any) -> None:
    defaults = {"assistant": "openai", "failed": {}}
    day = TODAY - timedelta(days=days_ago)
    session.add(AssistantDay(site_id=site.id, day=day, **{**defaults, **values}))
    session.flush()


def test_today_and_the_week_are_summed(session: Session) -> None:
    site = make_site(session, assistant="openai")
    a_day(
        session, site, turns=4, answered=3, failed={"too_slow": 1}, first_word_ms=900,
        whole_ms=3000, tokens=5000, cost_micros=12_000,
    )  # fmt: skip
    a_day(
        session, site, 6, turns=2, answered=1, failed={"busy": 2, "too_slow": 1},
        first_word_ms=300, whole_ms=1000, tokens=1000, cost_micros=3_000,
    )  # fmt: skip
    told = lately(session, site, TODAY)
    assert (told.today.turns, told.today.asked, told.today.percent_answered) == (4, 4, 75)
    assert (told.today.first_word_ms, told.today.whole_ms) == (300, 1000)
    assert (told.today.tokens, told.today.cost) == (5000, 0.012)
    assert told.week.failed == {"too_slow": 2, "busy": 2}
    assert (told.week.asked, told.week.answered, told.week.percent_answered) == (8, 4, 50)
    assert (told.week.tokens, told.week.cost) == (6000, 0.015)


def test_older_days_other_sites_and_other_assistants_do_not_count(session: Session) -> None:
    site = make_site(session, assistant="openai")
    a_day(session, site, 7, turns=1, answered=1)
    a_day(session, site, -1, turns=1, answered=1)
    a_day(session, site, assistant="n8n", turns=1, answered=1)
    a_day(session, make_site(session, assistant="openai"), turns=1, answered=1)
    told = lately(session, site, TODAY)
    assert (told.week.turns, told.week.asked) == (0, 0)
    assert (told.week.percent_answered, told.week.first_word_ms, told.week.whole_ms) == (
        None,
        None,
        None,
    )


def test_almost_all_is_not_all(session: Session) -> None:
    site = make_site(session, assistant="openai")
    a_day(session, site, answered=999, failed={"bug": 1})
    assert lately(session, site, TODAY).today.percent_answered == 99
