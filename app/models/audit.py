"""Who did what in the dashboard or at the command line."""

from __future__ import annotations

import uuid

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base
from app.models.types import JsonObject, Moment, NumberKey, Words


class AuditEntry(Base):
    """`action`: `session.archived`. `user_id`: empty for the command line. `object_id`: an id or a
    key; what it names may be gone. `details`: plain values that say more, never contact details.
    """

    __tablename__ = "audit_entries"
    __table_args__ = (
        Index("ix_audit_entries_at_id", text("at DESC"), text("id DESC")),
        Index("ix_audit_entries_user_id_at", "user_id", "at"),
        Index("ix_audit_entries_object", "object_type", "object_id"),
    )

    id: Mapped[NumberKey]
    at: Mapped[Moment]
    user_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("users.id"))
    action: Mapped[Words]
    object_type: Mapped[Words | None]
    object_id: Mapped[Words | None]
    details: Mapped[JsonObject]
    address: Mapped[Words | None]
