"""Quarantined jobs in plain words."""

from __future__ import annotations

from collections.abc import Sequence

from app.completion.backtest_save import SETTLE
from app.core.db import db
from app.delivery.outbox import DELIVER
from app.models import JobDeath
from app.models.run import APPLY_RULES, BACKTEST, CHECK_EVERYTHING, MANUAL_SYNC
from app.upkeep import quarantine
from app.upkeep.job_deaths import EVALUATE_ALONE
from app.web.dashboard.incidents.labels import how_often
from app.web.frame.labels import Badge, destination_name

TASKS = {
    MANUAL_SYNC: "A sync",
    CHECK_EVERYTHING: "A check",
    "check_every_night": "The nightly check",
    BACKTEST: "A test of booking phrases",
    APPLY_RULES: "Applying new booking phrases",
    SETTLE: "Applying new booking phrases",
    EVALUATE_ALONE: "Looking for a booking in a conversation",
    "send_abandoned_leads": "Sending unfinished leads",
    "gather_qa_notices": "Emails about reviews",
    "gather_forgotten_qa_notices": "Emails about reviews",
    "send_forgotten": "An email with a link to a new password",
    "rescue_deliveries": "Looking for leads that wait",
    "answer_waiting_turns": "Looking for messages that wait for an answer",
    "retry_stalled_jobs": "Looking for work that was interrupted",
    "remove_finished_jobs": "Removing finished work",
}
QUARANTINED = Badge("circle-pause", "Quarantined", "red")
GOES_ON = Badge("rotate", "Retrying alone", "amber")


def held() -> Sequence[JobDeath]:
    return quarantine.held(db.session())


def name(job: JobDeath) -> str:
    """ "Sending to n8n", "The nightly check"."""
    if job.task_name == DELIVER:
        return f"Sending to {destination_name(job.subject.partition(':')[2])}"
    return TASKS.get(job.task_name, job.task_name.replace("_", " ").capitalize())


def state(job: JobDeath) -> Badge:
    return QUARANTINED if job.quarantined_at else GOES_ON


def stopped(job: JobDeath) -> str:
    """ "It stopped the worker 3 times"."""
    times = how_often(job.deaths)
    return f"It stopped the worker {times[0].lower()}{times[1:]}"
