"""Long work is done once, survives whoever does it, and can be cancelled."""

from __future__ import annotations

import uuid

import pytest

from app.core.db import transaction
from app.core.errors import Conflict
from app.models import Run
from app.models.run import MANUAL_SYNC
from app.runs import engine
from app.runs.engine import ClaimedRun

pytestmark = pytest.mark.usefixtures("database")


def make_run() -> uuid.UUID:
    with transaction() as session:
        return engine.create(session, MANUAL_SYNC).id


def stored(run_id: uuid.UUID) -> Run:
    with transaction() as session:
        return session.get_one(Run, run_id, populate_existing=True)


def count_to_three(claimed: ClaimedRun) -> bool:
    with transaction() as session:
        run = claimed.lock(session)
        done = run.position.get("done", 0) + 1
        run.position, run.progress = {"done": done}, done / 4
        if done == 3:
            engine.finish(run)
        return done < 3


def test_a_run_waits_is_done_and_is_not_done_again() -> None:
    run_id = make_run()
    assert engine.state(stored(run_id)) == "waiting"
    assert engine.work(MANUAL_SYNC, run_id, count_to_three)
    run = stored(run_id)
    assert (engine.state(run), run.position, run.progress) == ("done", {"done": 3}, 1)
    assert not engine.work(MANUAL_SYNC, run_id, count_to_three)


def test_a_step_of_a_process_that_lost_the_run_is_rolled_back() -> None:
    run_id = make_run()

    def lose_it(claimed: ClaimedRun) -> bool:
        assert engine.claim(MANUAL_SYNC, run_id, uuid.uuid4(), takes_over=True)
        return count_to_three(claimed)

    assert not engine.work(MANUAL_SYNC, run_id, lose_it)
    assert (stored(run_id).position, stored(run_id).status) == ({}, "running")


def test_a_run_in_living_hands_is_left_to_them() -> None:
    run_id = make_run()
    assert engine.claim(MANUAL_SYNC, run_id, uuid.uuid4())
    assert not engine.claim(MANUAL_SYNC, run_id, uuid.uuid4())
    assert not engine.work(MANUAL_SYNC, run_id, count_to_three)
    assert engine.work(MANUAL_SYNC, run_id, count_to_three, takes_over=True)


def test_a_run_that_was_left_is_resumed_from_its_position() -> None:
    run_id = make_run()
    looks = iter([False, True])
    assert not engine.work(MANUAL_SYNC, run_id, count_to_three, lambda: next(looks))
    assert (engine.state(stored(run_id)), stored(run_id).position) == ("interrupted", {"done": 1})
    assert engine.work(MANUAL_SYNC, run_id, count_to_three)
    assert stored(run_id).position == {"done": 3}


def test_a_broken_run_says_so_and_is_resumed_when_asked() -> None:
    run_id = make_run()

    def broken(_claimed: ClaimedRun) -> bool:
        raise RuntimeError("secret detail")

    with pytest.raises(RuntimeError):
        engine.work(MANUAL_SYNC, run_id, broken)
    assert (stored(run_id).status, stored(run_id).error) == ("failed", engine.WENT_WRONG)
    assert not engine.work(MANUAL_SYNC, run_id, count_to_three)
    with transaction() as session:
        engine.resume(session.get_one(Run, run_id))
    assert engine.work(MANUAL_SYNC, run_id, broken, is_job=True) is False
    with transaction() as session:
        engine.resume(session.get_one(Run, run_id))
    assert engine.work(MANUAL_SYNC, run_id, count_to_three)
    assert stored(run_id).error is None


def test_a_cancelled_run_stops_its_process_and_keeps_what_was_noted() -> None:
    run_id = make_run()

    def cancelled_meanwhile(claimed: ClaimedRun) -> bool:
        if stored(run_id).position:
            with transaction() as session:
                engine.cancel(session, run_id)
        return count_to_three(claimed)

    assert not engine.work(MANUAL_SYNC, run_id, cancelled_meanwhile)
    run = stored(run_id)
    assert (engine.state(run), run.position) == ("cancelled", {"done": 1})
    assert run.finished_at is not None
    assert not engine.work(MANUAL_SYNC, run_id, count_to_three, takes_over=True)
    with pytest.raises(Conflict), transaction() as session:
        engine.cancel(session, run_id)
