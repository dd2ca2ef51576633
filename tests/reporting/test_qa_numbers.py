"""QA in numbers, against the same counted one by one."""

from __future__ import annotations

import math
import random
from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from app.core import clock
from app.core.db import transaction
from app.models import ChatSession, QaMove, Site, User
from app.reporting.qa_numbers import QaNumbers, ReviewerNumbers, SiteNumbers, numbers
from app.review import qa
from app.sites.demo import ensure_demo_site
from app.upkeep.seed import seed
from tests.factories import make_site
from tests.review.test_qa import decide, talk
from tests.web.signed_in import make_user

EVER = datetime(2000, 1, 1, tzinfo=clock.now().tzinfo)


def test_shares_rates_times_and_people(session: Session) -> None:
    ann, bob = make_user("ann@example.com").id, make_user("bob@example.com").id
    site, other = make_site(session, name="Harbour"), make_site(session, name="Airport")
    chats = [talk(session, assistant_engaged=True, site=site) for _ in range(8)]
    talk(session, assistant_engaged=False, site=other)  # nobody answered, nobody checked
    talk(session, site=other, assistant_engaged=True, started_at=clock.now() - timedelta(days=9))
    start = clock.now() - timedelta(days=1)

    for chat in chats[:3]:
        decide(session, chat, ann, "passed")
    for minutes, chat in enumerate(chats[3:6], start=1):
        decide(session, chat, ann, "issue")
        with clock.moved(timedelta(minutes=10 * minutes)):
            decide(session, chat, bob, "fixed")
    decide(session, chats[3], ann, "passed")  # what was wrong once still counts
    undone = decide(session, chats[6], bob, "issue")
    qa.undo(session, chats[6].id, bob, undone.id)

    found = numbers(session, start, clock.now() + timedelta(days=1))
    assert found.sites == [SiteNumbers(site.key, "Harbour", 8, 6, 3)]
    assert found.whole == SiteNumbers("", "All sites", 8, 6, 3)
    people = {each.name: (each.passed, each.issues, each.fixed) for each in found.reviewers}
    assert people == {"ann@example.com": (4, 3, 0), "bob@example.com": (0, 0, 3)}
    assert found.fixed == 3
    assert found.until_fixed_median is not None
    assert found.until_fixed_p90 is not None
    assert round(found.until_fixed_median.total_seconds() / 60) == 20
    assert round(found.until_fixed_p90.total_seconds() / 60) == 28

    nothing = numbers(session, EVER, EVER + timedelta(days=1))
    assert (nothing.sites, nothing.reviewers, nothing.fixed) == ([], [], 0)
    assert nothing.until_fixed_median is None


@pytest.mark.parametrize("seed", range(4))
def test_whatever_was_decided_and_undone_the_numbers_are_those_counted_one_by_one(
    session: Session, seed: int
) -> None:
    chance = random.Random(seed)
    users = [make_user(f"r{number}@example.com") for number in range(3)]
    places = [make_site(session, name=f"Place {number}") for number in range(3)]
    now = clock.now()
    chats = [
        talk(
            session,
            site=chance.choice(places),
            started_at=now - timedelta(days=chance.randrange(1, 20)),
            assistant_engaged=chance.random() < 0.7,
        )
        for _ in range(25)
    ]
    made: list[QaMove] = []
    for minute in range(250):
        chat, who = chance.choice(chats), chance.choice(users)
        days_ago = timedelta(days=15) * (1 - minute / 250)
        with clock.moved(-min(days_ago, now - chat.started_at - timedelta(seconds=1))):
            last = qa.last_move(session, chat.id)
            if last and last.user_id and chance.random() < 0.25:
                qa.undo(session, chat.id, last.user_id, last.id)
            else:
                to = chance.choice(qa.MOVES[chat.qa_status])
                made.append(decide(session, chat, who.id, to, note=f"Note {minute}"))
    for days in (3, 10, 30):
        start, end = now - timedelta(days=days), now - timedelta(days=1)
        assert numbers(session, start, end) == counted_one_by_one(
            chats, made, places, users, start, end
        )


def counted_one_by_one(
    chats: list[ChatSession],
    made: list[QaMove],
    places: list[Site],
    users: list[User],
    start: datetime,
    end: datetime,
) -> QaNumbers:
    """The same by a naive walk over everything."""
    standing = [move for move in made if move.undone_at is None]
    sites = []
    for place in sorted(places, key=lambda each: each.name):
        begun = [
            chat
            for chat in chats
            if chat.site_id == place.id
            and start <= chat.started_at < end
            and (chat.assistant_engaged or chat.qa_status != "unchecked")
        ]
        wrong = {move.session_id for move in standing if move.to_status == "issue"}
        checked = [chat for chat in begun if chat.qa_status != "unchecked"]
        issues = [chat for chat in checked if chat.id in wrong]
        if begun:
            of_site = (len(begun), len(checked), len(issues))
            sites.append(SiteNumbers(place.key, place.name, *of_site))
    in_period = [move for move in standing if start <= move.at < end]
    reviewers = []
    for user in users:
        own = [move.to_status for move in in_period if move.user_id == user.id]
        if own:
            each = [own.count(status) for status in ("passed", "issue", "fixed")]
            reviewers.append(ReviewerNumbers(user.email, *each))
    reviewers.sort(key=lambda each: (-each.total, each.name))
    took = []
    for move in in_period:
        if move.to_status == "fixed":
            reports = [
                report
                for report in standing
                if (report.session_id, report.to_status) == (move.session_id, "issue")
                and report.id < move.id
            ]
            took.append((move.at - reports[-1].at).total_seconds())
    half, most = (_percentile(took, share) for share in (0.5, 0.9))
    return QaNumbers(sites, reviewers, len(took), half, most)


def _percentile(seconds: list[float], share: float) -> timedelta | None:
    """Between the two nearest, as PostgreSQL's `percentile_cont`."""
    if not seconds:
        return None
    place = share * (len(seconds) - 1)
    low, high = sorted(seconds)[math.floor(place)], sorted(seconds)[math.ceil(place)]
    return timedelta(seconds=low + (high - low) * (place - math.floor(place)))


def test_made_up_moves_lead_to_where_their_sessions_are(database: Flask) -> None:
    make_user("ann@example.com")
    with transaction() as session:
        ensure_demo_site(session)
    seed(150, random_seed=3)
    with transaction() as session:
        for chat in session.scalars(select(ChatSession)):
            moves = session.scalars(
                select(QaMove).where(QaMove.session_id == chat.id).order_by(QaMove.id)
            ).all()
            path = ["unchecked", *(move.to_status for move in moves)]
            assert path[-1] == chat.qa_status
            assert [move.from_status for move in moves] == path[:-1]
            assert all(move.to_status in qa.MOVES[move.from_status] for move in moves)
            assert all(chat.started_at < move.at <= clock.now() for move in moves)
        assert session.scalar(text("SELECT count(user_id) FROM qa_moves")) > 10
