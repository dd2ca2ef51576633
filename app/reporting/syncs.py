"""Manual syncs, the tables they read and the rows that could not be, as people see them."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select, tuple_
from sqlalchemy.orm import Session

from app.core.errors import Invalid
from app.models import MemoryRowSetAside, MemorySource, Run, User
from app.models.run import MANUAL_SYNC
from app.reporting.pages import Page, number

SET_ASIDE_A_PAGE = 50
HISTORY_LENGTH = 10


@dataclass(frozen=True, slots=True)
class RunRow:
    """A run and who started it; None for a program or the command line."""

    run: Run
    email: str | None


@dataclass(frozen=True, slots=True)
class SetAsideRow:
    """A row that could not be read, and its table."""

    row: MemoryRowSetAside
    table: str


def latest(session: Session, limit: int = HISTORY_LENGTH) -> list[RunRow]:
    """The last runs, newest first."""
    statement = (
        select(Run, User.email)
        .outerjoin(User, User.id == Run.user_id)
        .where(Run.kind == MANUAL_SYNC)
        .order_by(Run.started_at.desc(), Run.id)
        .limit(limit)
        .execution_options(populate_existing=True)
    )
    return [RunRow(*row) for row in session.execute(statement)]


def sources(session: Session) -> list[MemorySource]:
    """The tables that are read at present."""
    statement = (
        select(MemorySource)
        .where(MemorySource.ended_at.is_(None))
        .order_by(MemorySource.table_name)
        .execution_options(populate_existing=True)
    )
    return list(session.scalars(statement))


def count_set_aside(session: Session) -> int:
    return session.scalar(select(func.count()).select_from(MemoryRowSetAside)) or 0


def set_aside_page(
    session: Session, *, limit: int = SET_ASIDE_A_PAGE, cursor: str | None = None
) -> Page[SetAsideRow]:
    """One page of the rows set aside, the newest rows of the newest table first, by one query.

    Raises Invalid for a wrong cursor.
    """
    statement = select(MemoryRowSetAside, MemorySource.table_name).join(
        MemorySource, MemorySource.id == MemoryRowSetAside.source_id
    )
    order = (MemoryRowSetAside.source_id, MemoryRowSetAside.source_row)
    is_back = False
    if cursor is not None:
        is_back, key = _decode(cursor)
        place = tuple_(*order)
        statement = statement.where(place > key if is_back else place < key)
    statement = statement.order_by(*(each.asc() if is_back else each.desc() for each in order))
    found = [SetAsideRow(*row) for row in session.execute(statement.limit(limit + 1))]
    is_more, found = len(found) > limit, found[:limit]
    if is_back:
        found.reverse()
    has_next, has_previous = (True, is_more) if is_back else (is_more, cursor is not None)
    return Page(
        found,
        _encode("next", found[-1]) if found and has_next else None,
        _encode("previous", found[0]) if found and has_previous else None,
    )


def _encode(direction: str, row: SetAsideRow) -> str:
    return f"{direction}-{row.row.source_id}-{row.row.source_row}"


def _decode(cursor: str) -> tuple[bool, tuple[int, int]]:
    try:
        direction, source_id, source_row = cursor.split("-")
        key = number(source_id), number(source_row)
        if direction in ("next", "previous") and key[0] < 2**31:
            return direction == "previous", key
    except ValueError:
        pass
    raise Invalid({"cursor": ["Start at the first page again."]})
