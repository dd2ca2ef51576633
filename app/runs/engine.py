"""Run long work in short steps, so that it survives stops, kills and a second worker.

A process claims a run by writing its fencing token into the run's row. Each step of the work is a
transaction that locks the row by that token and notes how far the run has come; a process that has
lost the run gets `Taken` instead, and its step is rolled back.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import Select, select, text
from sqlalchemy.orm import Session

from app.core import clock, queue
from app.core.db import transaction
from app.core.errors import Conflict
from app.models import Run

logger = logging.getLogger(__name__)

#: Without a heartbeat for this long, a run's process counts as dead.
DEAD_AFTER = timedelta(seconds=15)
RETRY_AFTER_SECONDS = 5
WENT_WRONG = (
    "Something went wrong on our side. It has been recorded, and what was found until then is kept."
)
_ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(hashtextextended(:kind, 0))")


class Taken(Exception):  # noqa: N818
    """Another process does this run now, or it has ended: this step is rolled back."""


def create(session: Session, kind: str, *, user_id: uuid.UUID | None = None, **values: Any) -> Run:
    """Add a run that waits for a process; `enqueue` has a worker do it."""
    now = clock.now()
    run = Run(
        id=uuid.uuid4(), kind=kind, user_id=user_id, started_at=now, heartbeat_at=now, **values
    )
    session.add(run)
    session.flush()
    return run


def create_only(
    session: Session, kind: str, refusal: str, *, user_id: uuid.UUID | None, **values: Any
) -> Run:
    """The interrupted run of this kind to resume, or a new one.

    Raises Conflict with the sentence `refusal` while one is running.
    """
    session.execute(_ONE_AT_A_TIME, {"kind": kind})
    run = session.scalar(_running(kind).with_for_update())
    if run is None:
        return create(session, kind, user_id=user_id, **values)
    if is_alive(run):
        raise Conflict(refusal, RETRY_AFTER_SECONDS)
    resume(run)
    return run


def enqueue(session: Session, run: Run, delay: timedelta = timedelta()) -> None:
    """Have a worker do or resume the run."""
    at = clock.now() + delay if delay else None
    queue.defer(session, run.kind, at=at, run_id=str(run.id))


def find(session: Session, kind: str, run_id: uuid.UUID, *, is_locked: bool = False) -> Run | None:
    run = session.get(Run, run_id, with_for_update=is_locked, populate_existing=True)
    return run if run is not None and run.kind == kind else None


def running(session: Session, kind: str) -> Run | None:
    """The newest run of this kind that has not ended, whether its process is alive or not."""
    return session.scalar(_running(kind))


def _running(kind: str) -> Select[Run]:
    return (
        select(Run)
        .where(Run.kind == kind, Run.status == "running")
        .order_by(Run.started_at.desc())
        .limit(1)
        .execution_options(populate_existing=True)
    )


def is_alive(run: Run) -> bool:
    """Whether its process, or whoever asked for it, has given a sign of life lately."""
    return clock.now() - run.heartbeat_at < DEAD_AFTER


def state(run: Run) -> str:
    """`waiting` (for a worker), `running`, `interrupted`, `done`, `failed` or `cancelled`."""
    if run.status != "running":
        return run.status
    if run.runner is None:
        return "waiting"
    return "running" if is_alive(run) else "interrupted"


def resume(run: Run) -> None:
    """Let a process claim a failed or interrupted run and resume it from its position."""
    run.status, run.error, run.finished_at, run.runner = "running", None, None, None
    run.heartbeat_at = clock.now()


def finish(run: Run, error: str | None = None) -> None:
    """The run has ended; `error` says in a plain sentence why not all of it was done."""
    run.finished_at = run.heartbeat_at = clock.now()
    run.status, run.error = ("failed", error) if error else ("done", None)
    if not error:
        run.progress = 1.0


def cancel(session: Session, run_id: uuid.UUID) -> None:
    """End a run at once: its process finds itself `Taken` at the end of the step it is at.

    Raises Conflict when the run has ended.
    """
    run = session.get_one(Run, run_id, with_for_update=True, populate_existing=True)
    if run.status != "running":
        raise Conflict("This has ended already.")
    run.status, run.finished_at = "cancelled", clock.now()


@dataclass(frozen=True, slots=True)
class ClaimedRun:
    """A run in the hands of this process."""

    id: uuid.UUID
    runner: uuid.UUID

    def lock(self, session: Session) -> Run:
        """The row, locked until the end of the transaction; a heartbeat. Raises Taken."""
        run = session.get(Run, self.id, with_for_update=True, populate_existing=True)
        if run is None or run.runner != self.runner or run.status != "running":
            raise Taken
        run.heartbeat_at = clock.now()
        return run


def claim(kind: str, run_id: uuid.UUID, runner: uuid.UUID, *, takes_over: bool = False) -> bool:
    """Become the process that does this run. False: another one does, or it has ended.

    `takes_over`: also from a process that seems alive.
    """
    with transaction() as session:
        run = find(session, kind, run_id, is_locked=True)
        if run is None or run.status != "running":
            return False
        if run.runner is not None and is_alive(run) and not takes_over:
            return False
        run.runner, run.heartbeat_at = runner, clock.now()
        return True


def work(
    kind: str,
    run_id: uuid.UUID,
    step: Callable[[ClaimedRun], bool],
    should_stop: Callable[[], bool] = lambda: False,
    *,
    is_job: bool = False,
    takes_over: bool = False,
) -> bool:
    """Do the run step by step to its end. False: it was left, or is not ours to do.

    A step that has done the last of the work finishes the run and gives False. `is_job`: a later
    job resumes what is left or seems to be in other hands, and the run's row is where an error is
    told. Anybody else who interrupts (Ctrl-C) leaves the run so that anybody can resume it at once.
    """
    claimed = ClaimedRun(run_id, uuid.uuid4())
    if not claim(kind, run_id, claimed.runner, takes_over=takes_over):
        if is_job:
            _check_later(kind, run_id)
        return False
    try:
        while not should_stop():
            if not step(claimed):
                return True
        _release(claimed, is_job=is_job)
    except Taken:
        logger.info("run left to another process", extra={"run": str(run_id)})
    except Exception:
        logger.exception("run failed", extra={"run": str(run_id)})
        with suppress(Taken), transaction() as session:
            finish(claimed.lock(session), WENT_WRONG)
        if not is_job:
            raise
    except BaseException:  # Ctrl-C
        _release(claimed)
        raise
    return False


def _release(claimed: ClaimedRun, *, is_job: bool = False) -> None:
    with suppress(Taken), transaction() as session:
        run = claimed.lock(session)
        run.heartbeat_at -= DEAD_AFTER
        if is_job:
            enqueue(session, run)


def _check_later(kind: str, run_id: uuid.UUID) -> None:
    """Look at the run again when its process would be dead."""
    with transaction() as session:
        run = find(session, kind, run_id)
        if run is not None and run.status == "running":
            enqueue(session, run, DEAD_AFTER)
