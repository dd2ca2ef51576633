"""Layer 2: what is new in N8n's chat memory, once, in order, whatever came late.

It reads on from where all processes together have come to. Each batch is one transaction, and
only one reader at a time has a table. `reread` reads again from any place.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from app.core.db import transaction
from app.sync import crash_guard, gaps, lives, sources
from app.sync.failures import SourceFailed, TooSlow, is_passing, sqlstate
from app.sync.gaps import Gap
from app.sync.lines import store
from app.sync.report import ReadReport
from app.sync.reread import highest_row, read_batch
from app.sync.rows import Look, SourceRow
from app.sync.sources import Source
from app.sync.steps import again, look_at, move_on, note_seen, state_of

__all__ = ["ReadReport", "highest_row", "read_batch", "read_new"]

logger = logging.getLogger(__name__)

BATCH_ROWS = 500
#: Who has less time than this begins with a small batch, and goes on as fast as that one went.
HURRY_SECONDS = 1.0
HURRIED_ROWS, FEWEST_ROWS = 40, 10
HURRIED_GAPS = 400
GAPS_EVERY_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class _Size:
    """How many rows and how many gaps to look at. `is_alone`: this process does nothing else, and
    may read what another one died over.
    """

    rows: int
    gaps: int
    is_alone: bool = False


@dataclass(slots=True)
class _Batch:
    """`next`: the source to read on, because a full batch was read and more may be there; `late`:
    more may be in the gaps, too.
    """

    report: ReadReport
    next: Source | None = None
    late: bool = False


def read_new(
    seconds: float | None, *, cause: str, hints: Sequence[tuple[int, int]] = ()
) -> ReadReport:
    """Import what is new in every table, for as long as `seconds` (None: to the end).

    `cause`: the layer that completes what was promised in it. `hints`: ranges of row numbers that
    were just written (`trigger.parse`): what is missing there is looked at now. A table that
    fails is left alone for 30 seconds; one that another process is reading, is left to it.
    """
    deadline = None if seconds is None else time.monotonic() + seconds
    report = ReadReport()
    with transaction() as session:
        todo = [source for source in sources.current(session) if not source.is_skipped]
        for source in todo if hints else ():
            gaps.make_due(session, source.id, hints)
    size = HURRIED_ROWS if seconds is not None and seconds < HURRY_SECONDS else BATCH_ROWS
    most_gaps = HURRIED_GAPS if size == HURRIED_ROWS else gaps.MOST_AT_ONCE
    gaps_at: dict[str, float] = {}
    is_first = True
    while todo:
        left = []
        for source in todo:
            remaining = _remaining(deadline)
            if remaining is not None and remaining <= 0 and not is_first:
                report.is_done = False
                return report
            began = time.monotonic()
            # Of many batches, not every one looks at the gaps again.
            is_time = began - gaps_at.get(source.table, 0.0) >= GAPS_EVERY_SECONDS
            if is_time:
                gaps_at[source.table] = began
            batch = _read_on(source, cause, _Size(size, most_gaps if is_time else 0), remaining)
            report.add(batch.report)
            if batch.next is not None:
                left.append(batch.next)
                size = _next_size(batch, time.monotonic() - began, _remaining(deadline))
            if batch.late:
                del gaps_at[source.table]
            is_first = False
        todo = left
    return report


def read_alone(source_id: int, *, cause: str, is_stopping: Callable[[], bool]) -> None:
    """Read on in a table over whose rows a process died: row by row, in a process that does nothing
    else. What is left of a very long backlog is then read as always.
    """
    with transaction() as session:
        source = next((each for each in sources.current(session) if each.id == source_id), None)
    for _ in range(2 * BATCH_ROWS):
        if source is None or is_stopping():
            break
        batch = _next_batch(source, cause, _Size(1, gaps.MOST_AT_ONCE, is_alone=True), None)
        if not batch.report.is_done:  # another process is reading it
            return
        source = batch.next
    if not is_stopping():
        crash_guard.forget(source_id)


def _read_on(source: Source, cause: str, size: _Size, seconds: float | None) -> _Batch:
    try:
        return again(lambda: _next_batch(source, cause, size, seconds))
    except TooSlow:
        # Too far away for whoever is in a hurry: whether rows wait, others know.
        return _Batch(ReadReport(is_done=source.is_followed))
    except SourceFailed as error:
        logger.warning(
            "N8n's memory cannot be read", extra={"table": source.table, "reason": str(error)}
        )
        sources.failed(source.id, str(error))
        return _Batch(ReadReport())
    except OperationalError as error:
        if error.connection_invalidated or not is_passing(error):
            raise
        logger.warning(
            "N8n's memory is read later", extra={"table": source.table, "error": sqlstate(error)}
        )
        return _Batch(ReadReport(is_done=False))


def _next_batch(source: Source, cause: str, size: _Size, seconds: float | None) -> _Batch:
    with transaction() as session:
        if not sources.lock(session, source.table):
            # Who reads it may have looked just before the row we were told of was there.
            return _Batch(ReadReport(is_done=seconds is not None and seconds < HURRY_SECONDS))
        state = state_of(session, source.id)
        if state.ended_at is not None:
            return _Batch(ReadReport())
        if not size.is_alone and crash_guard.is_suspect(session, source.id):
            return _Batch(ReadReport())
        due = gaps.due(session, source.id, size.gaps) if size.gaps else []
        look = look_at(session, source, state, due, size.rows, seconds)
        if look is None:
            note_seen(session, state, is_there=False)
            return _Batch(ReadReport())
        if lives.is_recognised(state, look):
            return _take(session, source, state, look, look.anchor, due, cause, size)
        verdict = lives.compare(session, source, state, seconds)
        if not verdict.is_same:
            logger.warning("a table of N8n began anew", extra={"table": source.table})
            return _look_again(session, lives.begin_anew(session, source), cause, size, seconds)
        newest = verdict.newest
        if newest is not None and newest.id < state.high_row:
            logger.warning("newest rows of N8n's table are gone", extra={"table": source.table})
            lives.go_back(session, source, newest)
            return _look_again(session, source, cause, size, seconds)
        return _take(session, source, state, look, newest, due, cause, size)


def _look_again(
    session: Session, source: Source, cause: str, size: _Size, seconds: float | None
) -> _Batch:
    state = state_of(session, source.id)
    look = look_at(session, source, state, [], size.rows, seconds)
    if look is None:
        return _Batch(ReadReport())
    return _take(session, source, state, look, look.anchor, [], cause, size)


def _take(
    session: Session,
    source: Source,
    state: Row[Any],
    look: Look,
    anchor: SourceRow | None,
    due: Sequence[Gap],
    cause: str,
    size: _Size,
) -> _Batch:
    report = ReadReport()
    lives.release_used_again(session, source, look.rows)
    rows = [*look.late, *look.rows]
    with crash_guard.guarded(session, source.id, rows, is_alone=size.is_alone) as hopeless:
        held = store(session, source, rows, cause, report, hopeless)
    is_all_late = len(look.late) < size.rows
    is_full = len(due) >= size.gaps
    if not is_all_late:  # the gaps behind the last of these rows were not looked at
        due = [gap for gap in due if gap.first <= look.late[-1].id]
    gaps.looked_at(session, source.id, due, [row.id for row in look.late], is_full=is_full)
    missed = gaps.missing(state.high_row, [row.id for row in look.rows])
    gaps.remember(session, source.id, [*missed, *((row, row) for row in held)])
    move_on(session, state, look.relation, look.rows, anchor)
    # Rows that all have to wait are no reason to ask for them again at once.
    is_more_late = not is_all_late and len(held) < len(look.late)
    has_more = len(look.rows) >= size.rows or is_more_late
    return _Batch(report, source if has_more else None, late=is_more_late)


def _remaining(deadline: float | None) -> float | None:
    return None if deadline is None else deadline - time.monotonic()


def _next_size(batch: _Batch, seconds: float, remaining: float | None) -> int:
    """As many rows as fit into the time that is left, at the speed of the last batch."""
    if remaining is None:
        return BATCH_ROWS
    speed = batch.report.rows_read / max(seconds, 0.001)
    return int(min(max(speed * remaining * 0.8, FEWEST_ROWS), BATCH_ROWS))
