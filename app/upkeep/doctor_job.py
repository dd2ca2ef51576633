"""A check as a job, for the button in the dashboard and for every night."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from sqlalchemy import text
from sqlalchemy.orm import Session

from app.core import clock
from app.core.db import transaction
from app.core.queue import defer
from app.upkeep import doctor
from app.upkeep.doctor_check import Check

JOB = "check_everything"
#: A worker that is only run now and then checks no more often than this.
A_DAY = timedelta(hours=24)

_WAITING = text("""
    SELECT EXISTS (SELECT FROM procrastinate_jobs
                    WHERE task_name = :job AND status IN ('todo', 'doing'))
""")


class _StopsError(Exception):
    """The worker is being stopped."""


def start(session: Session, *, fix: bool) -> bool:
    """Have a worker check everything; False when one does, or will, already."""
    if is_waiting(session):
        return False
    defer(session, JOB, fix=fix)
    return True


def is_waiting(session: Session) -> bool:
    return bool(session.scalar(_WAITING, {"job": JOB}))


def work(*, fix: bool, is_stopping: Callable[[], bool]) -> None:
    """The job. Asked to stop, it leaves a job that begins anew."""

    def tell(_check: Check, _done: float, _found: int) -> None:
        if is_stopping():
            raise _StopsError

    try:
        doctor.examine(fix=fix, tell=tell)
    except _StopsError:
        with transaction() as session:
            defer(session, JOB, fix=fix)


def was_done_today() -> bool:
    with transaction() as session:
        report = doctor.latest(session)
        return report is not None and report.started_at > clock.now() - A_DAY
