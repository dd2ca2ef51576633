"""What the audit log holds."""

from __future__ import annotations

from sqlalchemy import select

from app.core.db import transaction
from app.models import AuditEntry


def noted() -> list[AuditEntry]:
    with transaction() as session:
        return list(session.scalars(select(AuditEntry).order_by(AuditEntry.id)))
