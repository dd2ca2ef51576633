"""How long a job may take for one step before its worker process is killed and replaced.

A job's step ends when it asks `context.should_abort()`, as every job does that may run for long,
and the count begins again; a job that never asks has one step. So a limit bounds a hang, never the
size of the work.
"""

from __future__ import annotations

from app.completion.backtest_save import SETTLE
from app.delivery.outbox import DELIVER
from app.models.run import APPLY_RULES, BACKTEST, CHECK_EVERYTHING, MANUAL_SYNC

#: What runs in a worker's threads beside its jobs, by the name it is reported under.
ONE_TURN = "one turn"
CATCHING_UP = "catching up"

DEFAULT_SECONDS = 120.0
LIMITS: dict[str, float] = {
    # One attempt takes 20 seconds at most, and waits for the database before and after.
    DELIVER: 120.0,
    MANUAL_SYNC: 600.0,
    CHECK_EVERYTHING: 900.0,
    "check_every_night": 900.0,
    BACKTEST: 600.0,
    APPLY_RULES: 600.0,
    SETTLE: 900.0,
    "remove_finished_jobs": 900.0,
    # An n8n workflow may think for two minutes; the whole round answers fifty, sixteen at once.
    ONE_TURN: 300.0,
    "answer_turn": 300.0,
    "answer_waiting_turns": 1500.0,
    # A round works for eight seconds, and then finishes the batch it is at.
    CATCHING_UP: 300.0,
}


def seconds_for(name: str) -> float:
    return LIMITS.get(name, DEFAULT_SECONDS)
