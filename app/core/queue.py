"""Work for later: a Procrastinate job, inserted in the transaction that causes it (rule 2).

Layers below `jobs` defer a task by its name, so nothing imports upwards.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import procrastinate
from procrastinate.contrib.sqlalchemy import SQLAlchemyPsycopg2Connector
from sqlalchemy import text
from sqlalchemy.orm import Session

#: Procrastinate's own name for the queue of a job that names none.
DEFAULT: Final = "default"
#: Jobs that may kill their worker: each runs in a process that does nothing else.
ALONE: Final = "alone"

_app = procrastinate.App(connector=SQLAlchemyPsycopg2Connector())

_WAITING = text("""
    SELECT count(*)
      FROM procrastinate_jobs
     WHERE queue_name = :queue AND status = 'todo' AND task_name = :task
       AND (:is_any_run OR args = CAST(:arguments AS jsonb))
""")

_IS_KNOWN = text("""
    SELECT EXISTS (
        SELECT FROM procrastinate_jobs
         WHERE task_name = :task AND args = CAST(:arguments AS jsonb)
           AND status IN ('todo', 'doing', 'failed')
    )
""")


def defer(
    session: Session,
    task: str,
    *,
    at: datetime | None = None,
    queue: str = DEFAULT,
    **arguments: Any,
) -> None:
    """Have a worker run `task` once this transaction has committed, `at` that time or at once."""
    connection = session.connection()
    _app.configure_task(task, schedule_at=at, queue=queue, connection=connection).defer(**arguments)


def defer_alone(
    session: Session,
    task: str,
    arguments: Mapping[str, Any],
    *,
    at: datetime | None = None,
    is_any_run: bool = False,
    at_most: int = 1,
) -> None:
    """`defer` what may kill its worker, until `at_most` jobs of it wait to run alone."""
    for _ in range(waiting_alone(session, task, arguments, is_any_run=is_any_run), at_most):
        defer(session, task, at=at, queue=ALONE, **arguments)


def waiting_alone(
    session: Session, task: str, arguments: Mapping[str, Any], *, is_any_run: bool = False
) -> int:
    """How many jobs of this task with these arguments, or with any, wait to run alone."""
    values = {
        "queue": ALONE,
        "task": task,
        "arguments": json.dumps(dict(arguments)),
        "is_any_run": is_any_run,
    }
    return session.scalar(_WAITING, values) or 0


def is_known(session: Session, task: str, arguments: Mapping[str, Any]) -> bool:
    """Whether there is a job of this task with these arguments, waiting, running or failed."""
    values = {"task": task, "arguments": json.dumps(dict(arguments))}
    return bool(session.scalar(_IS_KNOWN, values))


def worker_seen_seconds_ago(session: Session) -> float | None:
    """How long ago a worker last gave a sign of life; None when none is registered."""
    seconds = session.scalar(
        text("SELECT extract(epoch FROM now() - max(last_heartbeat)) FROM procrastinate_workers")
    )
    return None if seconds is None else float(seconds)
