"""Who put what right in a lead."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.models import LeadChange, User

MOST = 100


@dataclass(frozen=True, slots=True)
class ShownChange:
    """One field's change, and who made it."""

    change: LeadChange
    user_name: str | None


def lead_changes(session: Session, lead_id: uuid.UUID) -> list[ShownChange]:
    """The newest hundred, newest first."""
    rows = session.execute(
        select(LeadChange, func.coalesce(func.nullif(User.name, ""), User.email))
        .outerjoin(User, User.id == LeadChange.user_id)
        .where(LeadChange.lead_id == lead_id)
        .order_by(LeadChange.id.desc())
        .limit(MOST)
    )
    return [ShownChange(change, name) for change, name in rows]
