"""Layer 4's reading: N8n's chat memory again from any place, whatever was read before."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, Row, text
from sqlalchemy.orm import Session

from app.core.db import transaction
from app.sync import access, gaps, lives, rows, sources
from app.sync.failures import SourceFailed, TooSlow
from app.sync.lines import store
from app.sync.report import ReadReport
from app.sync.rows import Look, SourceRow
from app.sync.sources import Source
from app.sync.steps import again, look_at, move_on, state_of

#: Told what came of a batch, in the batch's own transaction.
Then = Callable[[Session, ReadReport, "int | None"], None]
_KNOWN = text("""
    SELECT source_row FROM messages
     WHERE source_id = :source AND source_row BETWEEN :first AND :last
""")


def read_batch(
    source_id: int, after_row: int, limit: int, cause: str, then: Then | None = None
) -> tuple[ReadReport, int | None]:
    """Read up to `limit` rows after `after_row` again, whatever was read before.

    Gives what came of it and the last row's number; None when there are no more rows, or the
    table's life is over. `then` is told the same before it is committed, and undoes it by raising.
    Raises SourceFailed, its message a plain sentence.
    """

    def read() -> tuple[ReadReport, int | None]:
        with transaction() as session:
            report, last = _reread(session, source_id, after_row, limit, cause)
            if then is not None:
                then(session, report, last)
        return report, last

    try:
        return again(read)
    except TooSlow:
        raise SourceFailed("The database does not answer.") from None


def highest_row(source_id: int) -> int:
    """The highest row number of a table now, to tell how far a reading has come. Raises
    SourceFailed.
    """
    with transaction() as session:
        table = state_of(session, source_id).table_name
        try:
            return access.ask(session, lambda c, ms: rows.highest(c, ms, table), None)
        except TooSlow:
            raise SourceFailed("The database does not answer.") from None


def _reread(
    session: Session, source_id: int, after_row: int, limit: int, cause: str
) -> tuple[ReadReport, int | None]:
    source = next((s for s in sources.current(session) if s.id == source_id), None)
    if source is None:
        return ReadReport(), None
    sources.lock(session, source.table, wait=True)
    state = state_of(session, source_id)
    look = look_at(session, source, state, [], 1, None)
    if look is None or state.ended_at is not None:
        return ReadReport(), None
    if not lives.is_recognised(state, look):
        if not lives.compare(session, source, state, None).is_same:
            return ReadReport(), None
        look = replace(look, anchor=None)

    def question(connection: Connection, milliseconds: int) -> list[int]:
        return rows.row_numbers(connection, milliseconds, source.table, after_row, limit)

    numbers = access.ask(session, question, None)
    if not numbers:
        return ReadReport(), None
    return _restore(session, source, state, numbers, look, cause), numbers[-1]


def _restore(
    session: Session,
    source: Source,
    state: Row[Any],
    numbers: Sequence[int],
    look: Look,
    cause: str,
) -> ReadReport:
    span = {"source": source.id, "first": numbers[0], "last": numbers[-1]}
    known = set(session.scalars(_KNOWN, span))
    wanted = [number for number in numbers if number not in known or number == numbers[-1]]

    def question(connection: Connection, milliseconds: int) -> list[SourceRow]:
        return rows.numbered(connection, milliseconds, source.table, wanted)

    found = access.ask(session, question, None)
    report = ReadReport()
    held = store(session, source, [row for row in found if row.id not in known], cause, report)
    report.rows_read = len(numbers)
    new = [row for row in found if row.id > state.high_row]
    touched = gaps.between(session, source.id, numbers[0], numbers[-1])
    gaps.looked_at(session, source.id, touched, numbers, is_full=False)
    above = [number for number in numbers if number > state.high_row]
    gaps.remember(
        session,
        source.id,
        [*gaps.missing(state.high_row, above), *((row, row) for row in held)],
    )
    move_on(session, state, look.relation, new[-1:], look.anchor)
    return report
