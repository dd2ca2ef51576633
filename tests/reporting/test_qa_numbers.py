"""QA in numbers, against the same counted one by one."""

from __future__ import annotations

from datetime import datetime, timedelta

from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from app.core import clock
from app.core.db import transaction
from app.models import ChatSession, QaMove
from app.reporting.qa_numbers import SiteNumbers, numbers
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
    assert (found.whole.checked_share, found.whole.issue_rate) == (0.75, 0.5)
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
