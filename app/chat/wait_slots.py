"""Limit how many requests of one session wait behind its running turn, over all processes.

A waiting request holds a thread and does nothing. Its slot is the time at which it gives up, in
`turns.waits`: the slot of a process that died frees itself, and no count can drift.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import text

from app.core import clock
from app.core.db import transaction
from app.core.errors import Conflict

#: How long a request waits for an answer that another one is making.
PATIENCE_SECONDS = 25.0
#: Two tabs, or an impatient visitor. The request that makes the answer does not count.
MOST_WAITING = 2
#: Messages stored since the session's last answer; more are refused while a turn is running.
MOST_UNANSWERED = 10
RETRY_AFTER_SECONDS = 3
#: A request looks once more when its patience is over.
_ALLOWANCE_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Wait:
    """A taken slot."""

    session_id: uuid.UUID
    until: datetime


def too_many() -> Conflict:
    return Conflict(
        "We're still answering your earlier messages. Please send this one again shortly.",
        RETRY_AFTER_SECONDS,
    )


def new_wait(session_id: uuid.UUID) -> Wait:
    """A slot to take; nothing is stored yet."""
    return Wait(session_id, clock.now() + timedelta(seconds=PATIENCE_SECONDS + _ALLOWANCE_SECONDS))


_LOCK = text("SELECT FROM chat_sessions WHERE id = :session_id FOR UPDATE")
_TAKE = text("""
    UPDATE turns
       SET waits = ARRAY(SELECT w FROM unnest(waits) w WHERE w > :now)
                   || CAST(:until AS timestamptz)
     WHERE session_id = :session_id
       AND (SELECT count(*) FROM unnest(waits) w WHERE w > :now) < :most
    RETURNING true
""")
_FREE = text("""
    UPDATE turns SET waits = array_remove(waits, CAST(:until AS timestamptz))
     WHERE session_id = :session_id
""")


def take(session_id: uuid.UUID) -> Wait | None:
    """A slot behind a turn that another request is answering; None when all are taken, or the
    turn has ended.
    """
    wait = new_wait(session_id)
    values = {"session_id": session_id, "until": wait.until, "now": clock.now()}
    with transaction() as session:
        session.execute(_LOCK, values)
        taken = session.execute(_TAKE, {**values, "most": MOST_WAITING}).one_or_none()
    return wait if taken else None


def free(wait: Wait) -> None:
    """Give a slot back before its time."""
    with transaction() as session:
        session.execute(_LOCK, {"session_id": wait.session_id})
        session.execute(_FREE, {"session_id": wait.session_id, "until": wait.until})
