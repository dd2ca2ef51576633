"""A transcript keeps the order in which its writer wrote it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.core import clock
from app.models import ChatSession, Message, Site
from tests.chat.outside import PROMISE, bring, check_counters, make_source, pushed, row, transcript
from tests.factories import make_site


@pytest.fixture
def site(session: Session) -> Site:
    return make_site(session)


@pytest.fixture
def source(session: Session) -> int:
    return make_source(session)


def test_rows_keep_the_order_of_their_source_however_late_they_come(
    session: Session, site: Site, source: int
) -> None:
    numbers = [1, 2, 900, 5_000, 5_001, 70_000, 70_001]
    order = [900, 70_001, 5_000, 2, 70_000, 1, 5_001]
    for number in order:
        done = bring(session, site, [row(number, "visitor", f"line {number}")], source=source)
    (session_id,) = done.sessions.values()
    said = [words for _, words in transcript(session, session_id)]
    assert said == [f"line {number}" for number in numbers]
    check_counters(session, session_id)


def test_rows_seen_at_once_keep_their_order_and_end_now(
    session: Session, site: Site, source: int
) -> None:
    before = clock.now()
    lines = [row(number, "visitor", f"line {number}") for number in (9, 3, 100_000, 4)]
    done = bring(session, site, lines, source=source)
    (session_id,) = done.sessions.values()
    said = [words for _, words in transcript(session, session_id)]
    assert said == ["line 3", "line 4", "line 9", "line 100000"]
    newest = session.scalar(select(func.max(Message.created_at)))
    assert newest is not None
    assert before <= newest <= clock.now()


def test_a_late_row_between_two_far_rows_seen_at_once_fits_between_them(
    session: Session, site: Site, source: int
) -> None:
    ends = [row(number, "visitor", f"line {number}") for number in (1_000, 9_000)]
    done = bring(session, site, ends, source=source)
    for number in (5_000, 3_000, 4_000, 8_999):
        bring(session, site, [row(number, "visitor", f"line {number}")], source=source)
    (session_id,) = done.sessions.values()
    said = [words for _, words in transcript(session, session_id)]
    assert said == [f"line {number}" for number in (1_000, 3_000, 4_000, 5_000, 8_999, 9_000)]


def test_a_visitors_row_that_comes_late_makes_the_promise_count(
    session: Session, site: Site, source: int
) -> None:
    first = bring(session, site, [row(2, "assistant", PROMISE)], source=source)
    assert first.completions_found == 0
    second = bring(session, site, [row(1, "visitor", "ann@example.com")], source=source)
    assert (second.completions_found, second.leads_created) == (1, 1)
    (session_id,) = second.sessions.values()
    check_counters(session, session_id)


def test_pushed_lines_take_the_time_they_were_said_at(session: Session, site: Site) -> None:
    done = bring(
        session,
        site,
        [pushed("c", "visitor", "third", 1), pushed("d", "visitor", "now")],
        channel="api",
    )
    bring(
        session,
        site,
        [pushed("a", "visitor", "first", 9), pushed("b", "visitor", "second", 5)],
        channel="api",
    )
    (session_id,) = done.sessions.values()
    said = [words for _, words in transcript(session, session_id)]
    assert said == ["first", "second", "third", "now"]
    chat = session.get_one(ChatSession, session_id)
    assert chat.started_at <= clock.now() - timedelta(minutes=9)
    assert chat.last_message_at is not None
    assert chat.last_message_at > clock.now() - timedelta(minutes=1)


def test_row_numbers_may_be_as_far_apart_as_a_table_allows(
    session: Session, site: Site, source: int
) -> None:
    for number in (2**63 - 1, 2**62, 1, 2**61):
        done = bring(session, site, [row(number, "visitor", f"line {number}")], source=source)
    (session_id,) = done.sessions.values()
    said = [words for _, words in transcript(session, session_id)]
    assert said == [f"line {number}" for number in (1, 2**61, 2**62, 2**63 - 1)]
