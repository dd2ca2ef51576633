"""Manual syncs as rows: one at a time, each the work of one process that gives signs of life."""

from __future__ import annotations

import uuid
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, bindparam, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.core import clock, queue
from app.core.db import table_of, transaction
from app.core.errors import Conflict, NotFound
from app.models import SyncRun
from app.sync.report import ReadReport

#: The task that does the work (`jobs.tasks`).
MANUAL_SYNC = "manual_sync"
#: Without a sign of life for this long, a run's process counts as dead.
DEAD_AFTER = timedelta(seconds=15)
RETRY_AFTER_SECONDS = 5
#: What a report counts, in the order in which it is told.
COUNTS = (
    "rows_read",
    "sessions_created",
    "messages_added",
    "completions_found",
    "leads_created",
    "deliveries_enqueued",
    "set_aside",
)
_RUNS = table_of(SyncRun)
_RUNNING = select(_RUNS).where(_RUNS.c.status == "running").with_for_update()
_ONE = select(_RUNS).where(_RUNS.c.id == bindparam("run_id"))
_MAKE = (
    insert(_RUNS)
    .on_conflict_do_nothing(index_elements=["status"], index_where=text("status = 'running'"))
    .returning(_RUNS.c.id)
)


class Taken(Exception):  # noqa: N818
    """Another process does this run now, or it has ended: what was done since is rolled back."""


def start(session: Session, user_id: uuid.UUID | None) -> uuid.UUID:
    """A new manual sync, or the interrupted one again, for a worker to do. Gives its id.

    In the caller's transaction. Raises Conflict while one is running.
    """
    run_id = take_up(session, user_id)
    queue.defer(session, MANUAL_SYNC, run_id=str(run_id))
    return run_id


def take_up(session: Session, user_id: uuid.UUID | None) -> uuid.UUID:
    """`start` without a job: the caller does the work itself."""
    now = clock.now()
    running = session.execute(_RUNNING).one_or_none()
    if running is not None:
        if is_alive(running):
            raise _is_running()
        again = update(_RUNS).where(_RUNS.c.id == running.id)
        session.execute(again.values(heartbeat_at=now, runner=None))
        return uuid.UUID(str(running.id))
    values = {
        "id": uuid.uuid4(),
        "user_id": user_id,
        "status": "running",
        "started_at": now,
        "heartbeat_at": now,
        "report": dict.fromkeys(COUNTS, 0),
    }
    made: uuid.UUID | None = session.execute(_MAKE, values).scalar_one_or_none()
    if made is None:
        raise _is_running()
    return made


def _is_running() -> Conflict:
    return Conflict(
        "A sync is running already. Two at once would only read everything twice.",
        RETRY_AFTER_SECONDS,
    )


def one(session: Session, run_id: uuid.UUID) -> Row[Any]:
    """Raises NotFound."""
    run = session.execute(_ONE, {"run_id": run_id}).one_or_none()
    if run is None:
        raise NotFound("There is no sync with this id.")
    return run


def running(session: Session) -> Row[Any] | None:
    """The run that has not ended, alive or not."""
    return session.execute(select(_RUNS).where(_RUNS.c.status == "running")).one_or_none()


def is_alive(run: Row[Any] | SyncRun) -> bool:
    """Whether its process has given a sign of life lately."""
    return bool(clock.now() - run.heartbeat_at < DEAD_AFTER)


def state(run: Row[Any] | SyncRun) -> str:
    """`waiting` (for a worker), `running`, `interrupted`, `done` or `failed`."""
    if run.status != "running":
        return str(run.status)
    if run.runner is None:
        return "waiting"
    return "running" if is_alive(run) else "interrupted"


def claim(run_id: uuid.UUID, runner: uuid.UUID) -> bool:
    """Be the one who does this run. False: somebody else does, or it has ended."""
    now = clock.now()
    with transaction() as session:
        claimed = session.execute(
            update(_RUNS)
            .where(
                _RUNS.c.id == run_id,
                _RUNS.c.status == "running",
                _RUNS.c.runner.is_(None) | (_RUNS.c.heartbeat_at <= now - DEAD_AFTER),
            )
            .values(runner=runner, heartbeat_at=now)
            .returning(_RUNS.c.id)
        )
        return claimed.first() is not None


def note(
    session: Session,
    run_id: uuid.UUID,
    runner: uuid.UUID,
    *,
    position: dict[str, Any],
    progress: float,
    found: ReadReport,
) -> None:
    """How far the run has come and what was found since the last note; a sign of life.

    In the transaction that did the work, so that both stand or neither. Raises Taken.
    """
    report = _fenced(session, run_id, runner).report
    counts = asdict(found)
    values = {
        "position": position,
        "progress": min(max(progress, 0.0), 1.0),
        "report": {name: report.get(name, 0) + counts[name] for name in COUNTS},
        "heartbeat_at": clock.now(),
    }
    session.execute(update(_RUNS).where(_RUNS.c.id == run_id).values(values))


def finish(run_id: uuid.UUID, runner: uuid.UUID, error: str | None = None) -> None:
    """The run has ended, with a plain sentence when not all of it was done. Raises Taken."""
    now = clock.now()
    values: dict[str, Any] = {"finished_at": now, "heartbeat_at": now}
    values |= {"status": "failed", "error": error} if error else {"status": "done", "progress": 1.0}
    with transaction() as session:
        _fenced(session, run_id, runner)
        session.execute(update(_RUNS).where(_RUNS.c.id == run_id).values(values))


def let_go(run_id: uuid.UUID, runner: uuid.UUID, *, at: datetime | None = None) -> None:
    """Leave a run half-way: whoever wants may go on at once. `at`: a job does, from then on."""
    with transaction() as session:
        left = session.execute(
            update(_RUNS)
            .where(_RUNS.c.id == run_id, _RUNS.c.runner == runner, _RUNS.c.status == "running")
            .values(heartbeat_at=clock.now() - DEAD_AFTER)
            .returning(_RUNS.c.id)
        ).first()
        if left is not None and at is not None:
            queue.defer(session, MANUAL_SYNC, at=at, run_id=str(run_id))


def come_back(run_id: uuid.UUID) -> None:
    """Look at a run again when its process would be dead, as long as it has not ended."""
    with transaction() as session:
        if one(session, run_id).status == "running":
            queue.defer(session, MANUAL_SYNC, at=clock.now() + DEAD_AFTER, run_id=str(run_id))


def _fenced(session: Session, run_id: uuid.UUID, runner: uuid.UUID) -> Row[Any]:
    run = session.execute(
        select(_RUNS)
        .where(_RUNS.c.id == run_id, _RUNS.c.runner == runner, _RUNS.c.status == "running")
        .with_for_update()
    ).one_or_none()
    if run is None:
        raise Taken
    return run
