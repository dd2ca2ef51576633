"""A person says that an incident is dealt with, or that it is not."""

from __future__ import annotations

import uuid

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core import clock, events
from app.core.errors import NotFound
from app.models import Incident

NOT_THERE = "There is no incident with this id."


def resolve(session: Session, incident_id: uuid.UUID, user_id: uuid.UUID | None) -> bool:
    """In the caller's transaction. False for one that is resolved already. Raises NotFound."""
    incident = _locked(session, incident_id)
    if incident.resolved_at is not None:
        return False
    incident.resolved_at, incident.resolved_by = clock.now(), user_id
    events.announce(session, "incidents", incident_id)
    return True


def open_again(session: Session, incident_id: uuid.UUID) -> bool:
    """In the caller's transaction. False for one that is open. Raises NotFound."""
    incident = _locked(session, incident_id)
    if incident.resolved_at is None:
        return False
    incident.resolved_at, incident.resolved_by = None, None
    events.announce(session, "incidents", incident_id)
    return True


def _locked(session: Session, incident_id: uuid.UUID) -> Incident:
    statement = select(Incident).where(Incident.id == incident_id)
    incident = session.scalar(
        statement.with_for_update(key_share=True).execution_options(populate_existing=True)
    )
    if incident is None:
        raise NotFound(NOT_THERE)
    return incident
