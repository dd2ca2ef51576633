"""Manual syncs as runs: one at a time."""

from __future__ import annotations

import uuid

from sqlalchemy.orm import Session

from app.core.errors import NotFound
from app.models import Run
from app.models.run import MANUAL_SYNC
from app.runs import engine

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
_REFUSAL = "A sync is running already. Two at once would only read everything twice."


def start(session: Session, user_id: uuid.UUID | None) -> uuid.UUID:
    """A new manual sync, or the interrupted one again, for a worker to do. Gives its id.

    In the caller's transaction. Raises Conflict while one is running.
    """
    run = _create(session, user_id)
    engine.enqueue(session, run)
    return run.id


def take_up(session: Session, user_id: uuid.UUID | None) -> uuid.UUID:
    """`start` without a job: the caller does the work itself."""
    return _create(session, user_id).id


def one(session: Session, run_id: uuid.UUID) -> Run:
    """Raises NotFound."""
    run = engine.find(session, MANUAL_SYNC, run_id)
    if run is None:
        raise NotFound("There is no sync with this id.")
    return run


def running(session: Session) -> Run | None:
    """The run that has not ended, alive or not."""
    return engine.running(session, MANUAL_SYNC)


def _create(session: Session, user_id: uuid.UUID | None) -> Run:
    report = dict.fromkeys(COUNTS, 0)
    return engine.create_only(session, MANUAL_SYNC, _REFUSAL, user_id=user_id, report=report)
