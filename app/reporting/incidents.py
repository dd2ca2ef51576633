"""Incidents as people and the API read them, the latest first."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.core.errors import NotFound
from app.incidents.resolve import NOT_THERE
from app.models import ChatSession, Incident, Site
from app.reporting.pages import AnySelect, Keyset, Page

LATEST_FIRST = Keyset(Incident.last_at, Incident.id, uuid.UUID)


@dataclass(frozen=True, slots=True)
class IncidentFilter:
    """Which incidents; None: whatever. `own_site_id`: those reported for this site only."""

    is_resolved: bool | None = None
    source: str | None = None
    site_key: str | None = None
    own_site_id: uuid.UUID | None = None


@dataclass(frozen=True, slots=True)
class IncidentRow:
    """An incident and its site: the one it was reported for, else that of its latest session."""

    incident: Incident
    site_key: str | None
    site_name: str | None

    @property
    def is_resolved(self) -> bool:
        return self.incident.resolved_at is not None


def list_page(
    session: Session, wanted: IncidentFilter, *, limit: int = 50, cursor: str | None = None
) -> Page[IncidentRow]:
    """One page, the latest first, by one query. Raises Invalid for a wrong cursor."""
    statement = LATEST_FIRST.cut(_filtered(_SELECT, wanted), limit, cursor)
    # Towards the later end a page is cut in reverse.
    rows = sorted(_rows(session, statement), key=_place, reverse=True)
    return LATEST_FIRST.page(rows, _place, limit, cursor)


def by_ids(
    session: Session, ids: Sequence[uuid.UUID], wanted: IncidentFilter | None = None
) -> list[IncidentRow]:
    """Those of these incidents that exist and pass the filter, the latest first."""
    statement = _filtered(_SELECT.where(Incident.id.in_(ids)), wanted or IncidentFilter())
    return _rows(session, LATEST_FIRST.order(statement))


def one(
    session: Session, incident_id: uuid.UUID, own_site_id: uuid.UUID | None = None
) -> IncidentRow:
    """Raises NotFound, also for one that was not reported for `own_site_id`."""
    rows = by_ids(session, [incident_id], IncidentFilter(own_site_id=own_site_id))
    if not rows:
        raise NotFound(NOT_THERE)
    return rows[0]


_SITE_ID = func.coalesce(Incident.site_id, ChatSession.site_id)
_SELECT: AnySelect = (
    select(Incident, Site.key, Site.name)
    .outerjoin(ChatSession, ChatSession.id == Incident.session_id)
    .outerjoin(Site, Site.id == _SITE_ID)
)


def _rows(session: Session, statement: AnySelect) -> list[IncidentRow]:
    return [IncidentRow(*row) for row in session.execute(statement)]


def _place(row: IncidentRow) -> tuple[datetime, uuid.UUID]:
    return row.incident.last_at, row.incident.id


def _filtered(statement: AnySelect, wanted: IncidentFilter) -> AnySelect:
    if wanted.is_resolved is not None:
        resolved = Incident.resolved_at.is_not(None)
        statement = statement.where(resolved if wanted.is_resolved else ~resolved)
    if wanted.source is not None:
        statement = statement.where(Incident.source == wanted.source)
    if wanted.site_key is not None:
        statement = statement.where(Site.key == wanted.site_key)
    if wanted.own_site_id is not None:
        statement = statement.where(Incident.site_id == wanted.own_site_id)
    return statement
