"""Work for later: a Procrastinate job, inserted in the transaction that causes it (rule 2).

Floors below `jobs` defer a task by its name, so nothing imports upwards.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import procrastinate
from procrastinate.contrib.sqlalchemy import SQLAlchemyPsycopg2Connector
from sqlalchemy import text
from sqlalchemy.orm import Session

queue = procrastinate.App(connector=SQLAlchemyPsycopg2Connector())


def defer(session: Session, task: str, *, at: datetime | None = None, **arguments: Any) -> None:
    """Have a worker run `task` once this transaction has committed, `at` that time or at once."""
    queue.configure_task(task, schedule_at=at, connection=session.connection()).defer(**arguments)


def worker_seen_seconds_ago(session: Session) -> float | None:
    """How long ago a worker last gave a sign of life; None when none is registered."""
    seconds = session.scalar(
        text("SELECT extract(epoch FROM now() - max(last_heartbeat)) FROM procrastinate_workers")
    )
    return None if seconds is None else float(seconds)
