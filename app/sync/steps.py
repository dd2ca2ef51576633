"""The steps of every reading of a table: where we are, what is there, and moving on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from sqlalchemy import Connection, Row, bindparam, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from app.core import clock
from app.core.db import table_of
from app.models import MemorySource
from app.sync import access, rows, sources
from app.sync.failures import is_passing
from app.sync.gaps import Gap
from app.sync.rows import Look, SourceRow
from app.sync.sources import Source

T = TypeVar("T")
MOST_TRIES = 3
_SOURCES = table_of(MemorySource)
_STATE = select(_SOURCES).where(_SOURCES.c.id == bindparam("source"))


def again(read: Callable[[], T]) -> T:
    """Once more after a deadlock: the rows are still there."""
    for _ in range(MOST_TRIES - 1):
        try:
            return read()
        except OperationalError as error:
            if not is_passing(error) or error.connection_invalidated:
                raise
    return read()


def state_of(session: Session, source_id: int) -> Row[Any]:
    return session.execute(_STATE, {"source": source_id}).one()


def look_at(
    session: Session,
    source: Source,
    state: Row[Any],
    due: Sequence[Gap],
    size: int,
    seconds: float | None,
) -> Look | None:
    ranges = [(gap.first, gap.last) for gap in due]

    def question(connection: Connection, milliseconds: int) -> Look | None:
        return rows.look(
            connection,
            milliseconds,
            source.table,
            state.high_row,
            state.anchor_row,
            ranges,
            size,
        )

    return access.ask(session, question, seconds)


def move_on(
    session: Session,
    state: Row[Any],
    relation: str,
    new: Sequence[SourceRow],
    anchor: SourceRow | None,
) -> None:
    """Remember how far we are and what to recognise the table by, if that changed."""
    values: dict[str, Any] = {}
    known = new[-1] if new else anchor
    if known is not None:
        values = {
            "anchor_row": known.id,
            "anchor_session": known.session,
            "anchor_hash": known.fingerprint(),
        }
    if new:
        values["high_row"] = max(new[-1].id, state.high_row)
    values["relation"] = relation
    changed = {name: value for name, value in values.items() if getattr(state, name) != value}
    if changed:
        sources.change(session, state.id, **changed)
    note_seen(session, state, is_there=True, is_new=bool(new))


def note_seen(session: Session, state: Row[Any], *, is_there: bool, is_new: bool = False) -> None:
    """Seldom: a look that finds nothing writes nothing."""
    values: dict[str, Any] = {}
    now = clock.now()
    is_old = state.seen_at is None or now - state.seen_at > sources.SEEN_EVERY
    if is_there and (is_new or is_old):
        values["seen_at"] = now
    if state.last_error is not None or state.skip_until is not None:
        values |= {"last_error": None, "skip_until": None}
    if values:
        sources.change(session, state.id, **values)
