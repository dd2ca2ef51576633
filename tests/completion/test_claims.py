"""A session over whose evaluation a process died is set aside, and evaluated alone."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest

from app.completion import claims
from app.completion import sweep as sweeping
from app.completion.sweep import evaluate_alone, sweep
from app.core import clock
from app.core.db import transaction
from tests.completion.test_sweep import LONG, _rested, completed, promised, unchecked

__all__ = ["_rested"]
pytestmark = pytest.mark.usefixtures("database")

LATER = claims.SUSPECT_AFTER + timedelta(seconds=1)


def test_a_claim_goes_with_the_judgement() -> None:
    promised(3)
    assert sweep(LONG)
    with clock.moved(LATER):
        assert claims.suspects() == []
    assert unchecked() == 0


def test_what_another_process_evaluates_is_left_to_it() -> None:
    ids = promised(2)
    assert claims.take(ids[:1]).ids == ids[:1]  # and it goes on
    assert not sweep(LONG)
    assert completed() == {ids[1]}
    assert claims.suspects() == []


def test_a_session_over_which_a_process_died_is_set_aside_and_holds_up_nothing() -> None:
    dead, other = promised(2)
    claims.take([dead])  # and then the process dies
    with clock.moved(LATER):
        assert sweep(LONG)  # nothing is left that could be judged now
        assert completed() == {other}
        assert claims.suspects() == [dead]
        evaluate_alone(dead)
        assert claims.suspects() == []
    assert completed() == {dead, other}


def test_who_cannot_be_evaluated_but_kills_nobody_is_not_suspect(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(*_: object) -> None:
        raise ValueError("broken")

    [chat_id] = promised()
    monkeypatch.setattr(sweeping, "judge", broken)
    assert sweep(LONG)
    evaluate_alone(chat_id)
    with clock.moved(LATER):
        assert claims.suspects() == []


def test_claims_of_deleted_sessions_are_forgotten() -> None:
    claims.take([uuid.uuid4()])
    with clock.moved(LATER):
        assert claims.suspects() == []
    with transaction() as session:
        assert not session.connection().exec_driver_sql("SELECT 1 FROM evaluation_claims").all()
