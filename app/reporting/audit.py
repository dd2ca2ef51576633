"""The audit log as admins read it, the newest first."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, null, select
from sqlalchemy.orm import Session

from app.models import AuditEntry, ChatSession, Delivery, Site, User
from app.reporting.pages import AnySelect, Keyset, Page, number

#: Instead of a user's id: what was done while nobody was signed in.
COMMAND_LINE = "command-line"
NEWEST_FIRST = Keyset(AuditEntry.at, AuditEntry.id, number)
_NAME = func.coalesce(func.nullif(User.name, ""), User.email)


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Which entries; None: whatever. `by`: a user's id, or COMMAND_LINE.

    `at_from` is included, `at_to` is not.
    """

    by: uuid.UUID | str | None = None
    object_types: tuple[str, ...] = ()
    at_from: datetime | None = None
    at_to: datetime | None = None


@dataclass(frozen=True, slots=True)
class AuditRow:
    """`who`: None for the command line. `is_there`: what it is about can still be opened; `about`:
    a user's or a site's name.
    """

    entry: AuditEntry
    who: str | None
    about: str | None
    is_there: bool


def list_page(
    session: Session, wanted: AuditFilter, *, limit: int = 50, cursor: str | None = None
) -> Page[AuditRow]:
    """One page, by five queries however long it is. Raises Invalid for a wrong cursor."""
    statement = select(AuditEntry, _NAME).outerjoin(User, User.id == AuditEntry.user_id)
    found = session.execute(NEWEST_FIRST.cut(_filtered(statement, wanted), limit, cursor)).all()
    found = sorted(found, key=lambda row: (row[0].at, row[0].id), reverse=True)
    there = _still_there(session, [entry for entry, _ in found])
    rows = [
        AuditRow(
            entry,
            who,
            there.get((entry.object_type, entry.object_id)),
            (entry.object_type, entry.object_id) in there,
        )
        for entry, who in found
    ]
    return NEWEST_FIRST.page(rows, lambda row: (row.entry.at, row.entry.id), limit, cursor)


def people(session: Session) -> dict[str, str]:
    """Everybody who could be in the log: name by id, in the names' order."""
    found = session.execute(select(User.id, _NAME).order_by(func.lower(_NAME)))
    return {str(user_id): name for user_id, name in found}


Place = tuple[str | None, str | None]


def _still_there(session: Session, entries: Sequence[AuditEntry]) -> dict[Place, str | None]:
    """Which of the things these are about exist, with the name of those that have one."""
    ids: dict[str, set[str]] = {}
    for each in entries:
        if each.object_type and each.object_id:
            ids.setdefault(each.object_type, set()).add(each.object_id)
    found: dict[Place, str | None] = {}
    for kind, key, name in (
        ("session", ChatSession.id, null()),
        ("delivery", Delivery.id, null()),
        ("user", User.id, _NAME),
    ):
        wanted = [uuid.UUID(each) for each in ids.get(kind, ())]
        if wanted:
            rows = session.execute(select(key, name).where(key.in_(wanted)))
            found |= {(kind, str(row_id)): about for row_id, about in rows}
    if keys := ids.get("site"):
        rows = session.execute(select(Site.key, Site.name).where(Site.key.in_(keys)))
        found |= {("site", site_key): name for site_key, name in rows}
    return found


def _filtered(statement: AnySelect, wanted: AuditFilter) -> AnySelect:
    if wanted.by == COMMAND_LINE:
        statement = statement.where(AuditEntry.user_id.is_(None))
    elif wanted.by is not None:
        statement = statement.where(AuditEntry.user_id == wanted.by)
    if wanted.object_types:
        statement = statement.where(AuditEntry.object_type.in_(wanted.object_types))
    if wanted.at_from is not None:
        statement = statement.where(AuditEntry.at >= wanted.at_from)
    if wanted.at_to is not None:
        statement = statement.where(AuditEntry.at < wanted.at_to)
    return statement
