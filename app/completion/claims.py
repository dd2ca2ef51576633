"""Sessions that a process is evaluating, so that one over which it dies is found afterwards.

The claim is committed before anything is read and goes with the transaction that judged the
session. One that stays behind is of a process that died: no sweep touches that session again, and
it is evaluated in a process that does nothing else.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import text
from sqlalchemy.orm import Session

from app.core import clock
from app.core.db import transaction

#: Evaluating a few sessions takes milliseconds: whoever needs longer is dead, or hangs.
SUSPECT_AFTER = timedelta(seconds=60)

_TAKE = text("""
    INSERT INTO evaluation_claims (session_id, claimed_at)
    SELECT unnest(CAST(:ids AS uuid[])), :now
    ON CONFLICT DO NOTHING RETURNING session_id
""")
_IS_TAKEN = text("""
    SELECT EXISTS (SELECT FROM evaluation_claims
                    WHERE session_id = ANY(CAST(:ids AS uuid[])) AND claimed_at > :suspect_before)
""")
_RELEASE = text("DELETE FROM evaluation_claims WHERE session_id = ANY(CAST(:ids AS uuid[]))")
_FORGET = text("""
    DELETE FROM evaluation_claims e
     WHERE NOT EXISTS (SELECT FROM chat_sessions s WHERE s.id = e.session_id)
""")
_SUSPECTS = text("""
    SELECT session_id FROM evaluation_claims WHERE claimed_at <= :suspect_before ORDER BY claimed_at
""")


@dataclass(frozen=True, slots=True)
class Taken:
    """`ids`: ours to evaluate. `is_whole`: of the others, nobody is evaluating any right now."""

    ids: list[uuid.UUID]
    is_whole: bool


def take(ids: Sequence[uuid.UUID]) -> Taken:
    """Claim these sessions, in a transaction of its own; neither those that another process is
    evaluating, nor those over which one died.
    """
    now = clock.now()
    with transaction() as session:
        values = {"ids": [str(each) for each in sorted(ids)], "now": now}
        ours = list(session.scalars(_TAKE, values))
        others = [str(each) for each in set(ids).difference(ours)]
        values = {"ids": others, "suspect_before": now - SUSPECT_AFTER}
        return Taken(ours, not others or not session.scalar(_IS_TAKEN, values))


def release(session: Session, ids: Sequence[uuid.UUID]) -> None:
    """They were evaluated, or could not be: whoever claimed them is alive."""
    session.execute(_RELEASE, {"ids": [str(each) for each in ids]})


def suspects() -> list[uuid.UUID]:
    """Sessions over whose evaluation a process died, the longest waiting first."""
    with transaction() as session:
        session.execute(_FORGET)
        return list(session.scalars(_SUSPECTS, {"suspect_before": clock.now() - SUSPECT_AFTER}))
