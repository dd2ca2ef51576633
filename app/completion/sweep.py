"""Layer 3: whatever was said and not judged yet is found and judged, whoever wrote it.

A message is written unchecked unless its writer judged it, so a partial index holds exactly what is
left; when nothing is, looking is one look-up in an empty index.
"""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Sequence

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as NoConnectionFree
from sqlalchemy.orm import Session

from app.completion import claims, layers
from app.completion.judge import judge
from app.core.db import transaction

logger = logging.getLogger(__name__)

MOST_ROWS = 200
#: Who judges few at a time keeps to the time, and holds no lock for long.
CHUNK_SESSIONS = 20
#: A session that cannot be judged is left alone by this process for so long.
REST_SECONDS = 60.0

UNCHECKED = text("""
    SELECT id, session_id FROM messages
     WHERE NOT is_checked AND id > :after ORDER BY id LIMIT :most
""")
# Locked sessions are another sweeper's, or a turn's that is just being stored.
_FREE = text("""
    SELECT id FROM chat_sessions WHERE id = ANY(CAST(:ids AS uuid[]))
     ORDER BY id FOR UPDATE SKIP LOCKED
""")
_resting: dict[uuid.UUID, float] = {}


def sweep(seconds: float, most: int = MOST_ROWS, cause: str = "sweep") -> bool:
    """Judge sessions with unchecked messages, `most` messages at a look, for so many seconds.

    True: nothing is left that could be judged now. A session in which an error happens is logged
    and left alone for a minute. Raises SQLAlchemyError when the database cannot be reached.
    """
    if not layers.is_active(cause):
        return True
    deadline = time.monotonic() + seconds
    after, is_whole = 0, True
    while True:
        with transaction() as session:
            rows = session.execute(UNCHECKED, {"after": after, "most": most}).all()
        ids = _awake({row.session_id for row in rows})
        for start in range(0, len(ids), CHUNK_SESSIONS):
            if start and time.monotonic() >= deadline:
                return False
            is_whole = _judge(ids[start : start + CHUNK_SESSIONS], cause) and is_whole
        if len(rows) < most:
            return is_whole
        if time.monotonic() >= deadline:
            return False
        after = rows[-1].id


def _awake(ids: set[uuid.UUID]) -> list[uuid.UUID]:
    now = time.monotonic()
    for session_id in [each for each, until in _resting.items() if until <= now]:
        _resting.pop(session_id, None)
    return sorted(ids - _resting.keys())


def evaluate_alone(session_id: uuid.UUID, cause: str = "sweep") -> None:
    """Judge a session over which a process died, in a process that does nothing else."""
    try:
        with transaction() as session:
            judge(session, [session_id], cause)
            claims.release(session, [session_id])
    except Exception as error:
        if _is_down(error):
            raise
        logger.exception("session not judged", extra={"session_id": str(session_id)})
        with transaction() as session:
            claims.release(session, [session_id])


def _judge(ids: Sequence[uuid.UUID], cause: str) -> bool:
    """False: some of them were locked, or another process is at them."""
    taken = claims.take(ids)
    return (not taken.ids or _judge_taken(taken.ids, cause)) and taken.is_whole


def _judge_taken(ids: Sequence[uuid.UUID], cause: str) -> bool:
    try:
        with transaction() as session:
            is_whole = _judge_free(session, ids, cause)
            claims.release(session, ids)
            return is_whole
    except Exception as error:
        if _is_down(error):
            raise
        with transaction() as session:
            claims.release(session, ids)
        if len(ids) == 1:
            _resting[ids[0]] = time.monotonic() + REST_SECONDS
            logger.exception("session not judged", extra={"session_id": str(ids[0])})
            return True
    # One of them made the error: each alone, so that it blocks no other.
    are_whole = [_judge([each], cause) for each in ids]
    return all(are_whole)


def _judge_free(session: Session, ids: Sequence[uuid.UUID], cause: str) -> bool:
    free = session.scalars(_FREE, {"ids": [str(each) for each in ids]}).all()
    judge(session, free, cause)
    if len(free) == len(ids):
        return True
    gone = "SELECT count(*) FROM chat_sessions WHERE id = ANY(CAST(:ids AS uuid[]))"
    there = session.scalar(text(gone), {"ids": [str(each) for each in ids]})
    return bool(there == len(free))


def _is_down(error: Exception) -> bool:
    """Whether it says nothing about a session: the database went away."""
    if isinstance(error, DBAPIError):
        return error.connection_invalidated or getattr(error.orig, "pgcode", None) is None
    return isinstance(error, NoConnectionFree)
