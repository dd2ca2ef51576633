"""Rows of an n8n memory table that kill the process that imports them: found, and set aside.

Before a batch is imported it is noted, in a transaction of its own, and the note goes with the
transaction that imports it. A note that stays behind is of a process that died: the table is then
read row by row in a process that does nothing else, and a row that was begun twice in vain is set
aside.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta

from sqlalchemy import text
from sqlalchemy.orm import Session

from app.core import clock
from app.core.db import call, transaction
from app.sync.rows import SourceRow

#: Stands for a whole batch, where a row number would stand.
_BATCH = 0
MOST_TRIES = 2
SUSPECT_AFTER = timedelta(seconds=60)

_IS_SUSPECT = text("SELECT EXISTS (SELECT FROM memory_reads WHERE source_id = :source)")
_SUSPECTS = text("""
    SELECT source_id FROM memory_reads GROUP BY source_id HAVING max(started_at) <= :before
""")
_END = text("""
    DELETE FROM memory_reads WHERE source_id = :source AND row_id = ANY(CAST(:rows AS bigint[]))
""")


def is_suspect(session: Session, source_id: int) -> bool:
    """Whether a process died over rows of this table. Only for who holds the table's lock."""
    return bool(session.scalar(_IS_SUSPECT, {"source": source_id}))


@contextmanager
def guarded(
    session: Session, source_id: int, rows: Sequence[SourceRow], *, is_alone: bool
) -> Iterator[Collection[int]]:
    """Import these rows in the block and the caller's transaction. Gives the numbers of those that
    must not be read: `is_alone`, each row is counted by itself.
    """
    if not rows:
        yield ()
        return
    noted = [row.id for row in rows] if is_alone else [_BATCH]
    tries = {row_id: _begin(source_id, row_id) for row_id in noted}
    try:
        yield [row_id for row_id, count in tries.items() if count > MOST_TRIES]
    except BaseException:
        forget(source_id)  # it failed, but it killed nobody
        raise
    session.execute(_END, {"source": source_id, "rows": noted})


def suspects() -> list[int]:
    """The tables (source ids) over whose rows a process died."""
    with transaction() as session:
        return list(session.scalars(_SUSPECTS, {"before": clock.now() - SUSPECT_AFTER}))


def forget(source_id: int) -> None:
    call("forget_memory_reads", source_id)


def _begin(source_id: int, row_id: int) -> int:
    begun = call("begin_memory_read", source_id, row_id, clock.now())
    assert begun is not None, "the function always gives a row"
    return int(begun[0])
