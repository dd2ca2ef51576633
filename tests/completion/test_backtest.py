"""What other phrases would have meant: counted right, whoever runs it and however often it dies."""

from __future__ import annotations

import itertools
import uuid
from typing import Any

import pytest
from sqlalchemy import select, text

from app.completion import backtest
from app.completion.detection import compile_phrases
from app.core.db import db, transaction
from app.jobs import backtests as jobs
from app.models import BacktestFinding, ChatSession, Message, Run, Site
from app.models.run import BACKTEST
from app.runs import engine
from tests.completion.history import brute_force, make_history
from tests.factories import make_chat, make_message, make_site

pytestmark = pytest.mark.usefixtures("database")
PROPOSED = (["within 24 hours", "you are booked"], ["not"])


def make_backtest(sessions: int = 300, proposed: tuple[list[str], list[str]] = PROPOSED) -> Any:
    """A site with a mixed history, and a test of these phrases and exclusions on it."""
    with transaction() as session:
        site = make_site(session)
        make_history(session, make_site(session), 20, seed=1)  # another site's do not count
        make_history(session, site, sessions)
        return backtest.start(session, site.id, *proposed, None).id


def result(backtest_id: uuid.UUID) -> Run:
    with transaction() as session:
        return session.get_one(Run, backtest_id, populate_existing=True)


def found(backtest_id: uuid.UUID, kind: str) -> list[BacktestFinding]:
    with transaction() as session:
        return list(
            session.scalars(
                select(BacktestFinding).where(
                    BacktestFinding.backtest_id == backtest_id, BacktestFinding.kind == kind
                )
            )
        )


def test_the_counts_are_those_of_looking_at_each_session(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(backtest, "PIECE", 37)
    backtest_id = make_backtest()
    backtest.run(backtest_id)
    done = result(backtest_id)
    with transaction() as session:
        site = session.get_one(Site, done.site_id)
        rule = compile_phrases(tuple(PROPOSED[0]), tuple(PROPOSED[1]))
        expected = brute_force(session, site, rule)
    assert min(map(len, expected.values())) > 10
    assert (done.status, done.progress, done.report["sessions_read"]) == ("done", 1, 300)
    assert done.report["newly_count"] == len(expected["newly"])
    assert done.report["no_longer_count"] == len(expected["no_longer"])
    for kind, session_ids in expected.items():
        assert sorted(f.session_id for f in found(backtest_id, kind)) == sorted(session_ids)


def test_a_finding_tells_sentence_phrase_and_message() -> None:
    with transaction() as session:
        site = make_site(session, phrases=["within 24 hours"])
        newly = make_chat(session, site)
        make_message(session, newly)
        told = make_message(
            session, newly, role="assistant", text="Not now. **You are booked** for 9. Bye!"
        )
        was = make_chat(session, site, completion_status="completed")
        make_message(session, was)
        promised = make_message(
            session, was, role="assistant", text="Hi. We do not call within 24 hours. Bye!"
        )
        was.completion_phrase, was.completion_message_id = "within 24 hours", promised.id
        backtest_id = backtest.start(session, site.id, *PROPOSED, None).id
    backtest.run(backtest_id)
    (new,), (old,) = found(backtest_id, "newly"), found(backtest_id, "no_longer")
    assert (new.session_id, new.message_id, new.phrase) == (newly.id, told.id, "you are booked")
    assert new.sentence == "**You are booked** for 9."
    assert (old.session_id, old.message_id, old.phrase) == (was.id, promised.id, "within 24 hours")
    assert old.sentence == "We do not call within 24 hours."


def test_a_run_that_was_stopped_goes_on_where_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backtest, "PIECE", 10)
    backtest_id = make_backtest(60)
    looks = iter([False, False, True])
    backtest.run(backtest_id, lambda: next(looks))
    half = result(backtest_id)
    assert (half.status, half.report["sessions_read"]) == ("running", 20)
    assert 0 < half.progress < 1
    assert _jobs() == 2  # the first, and one for the rest
    backtest.run(backtest_id)
    assert (result(backtest_id).status, result(backtest_id).report["sessions_read"]) == ("done", 60)


@pytest.mark.parametrize("taken_at", [1, 5])
def test_of_two_who_run_it_only_the_last_writes(
    monkeypatch: pytest.MonkeyPatch, taken_at: int
) -> None:
    monkeypatch.setattr(backtest, "PIECE", 10)
    backtest_id = make_backtest(40)
    look = itertools.count(1)

    def is_taken_over() -> bool:
        """Before this look, the fifth being the one before the end."""
        if next(look) == taken_at:
            assert engine.claim(BACKTEST, backtest_id, uuid.uuid4(), takes_over=True)
        return False

    backtest.run(backtest_id, is_taken_over)
    taken = result(backtest_id)
    assert (taken.status, taken.report["sessions_read"]) == ("running", (taken_at - 1) * 10)
    backtest.run(backtest_id)
    done = result(backtest_id)
    assert (done.status, done.report["sessions_read"]) == ("done", 40)
    assert done.report["newly_count"] == len(found(backtest_id, "newly"))


def test_all_are_counted_though_not_all_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backtest, "MOST_KEPT", 5)
    monkeypatch.setattr(backtest, "PIECE", 20)
    backtest_id = make_backtest()
    backtest.run(backtest_id)
    assert result(backtest_id).report["newly_count"] > 5
    assert len(found(backtest_id, "newly")) == 5


def test_one_that_breaks_says_so_and_can_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    backtest_id = make_backtest(20)

    class Context:
        def should_abort(self) -> bool:
            raise RuntimeError("broken")

    jobs.run_backtest(Context(), str(backtest_id))  # type: ignore[arg-type]
    assert result(backtest_id).status == "failed"
    with transaction() as session:
        backtest.go_on(session, session.get_one(Run, backtest_id))
    backtest.run(backtest_id)
    assert (result(backtest_id).status, result(backtest_id).report["sessions_read"]) == ("done", 20)


def test_a_test_changes_nothing_by_itself() -> None:
    backtest_id = make_backtest()
    before = _everything()
    backtest.run(backtest_id)
    assert _everything() == before


def _everything() -> list[Any]:
    with db.engine.connect() as connection:
        return [
            connection.execute(select(*model.__table__.columns).order_by(model.id)).all()
            for model in (ChatSession, Message, Site)
        ]


def _jobs() -> int:
    with transaction() as session:
        return session.scalar(text("SELECT count(*) FROM procrastinate_jobs")) or 0
