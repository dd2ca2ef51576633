"""A check as a job, for the button in the dashboard and for every night."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import text
from sqlalchemy.orm import Session

from app.core import clock
from app.core.db import transaction
from app.models.run import CHECK_EVERYTHING
from app.runs import engine
from app.upkeep import doctor

#: A worker that is only run now and then checks no more often than this.
A_DAY = timedelta(hours=24)

_WAITING = text("""
    SELECT EXISTS (SELECT FROM procrastinate_jobs
                    WHERE task_name = :job AND status IN ('todo', 'doing'))
""")


def start(session: Session, *, fix: bool) -> bool:
    """Have a worker check everything; False when one does, or will, already."""
    if is_waiting(session):
        return False
    engine.enqueue(session, doctor.create(session, fix=fix))
    return True


def is_waiting(session: Session) -> bool:
    return bool(session.scalar(_WAITING, {"job": CHECK_EVERYTHING}))


def was_done_today() -> bool:
    with transaction() as session:
        check = doctor.latest(session)
        return check is not None and check.started_at > clock.now() - A_DAY
