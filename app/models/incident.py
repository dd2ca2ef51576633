"""An incident: an error of a workflow or an assistant, grouped with all that are like it."""

from __future__ import annotations

import uuid

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base
from app.models.types import JsonObject, Moment, NumberKey, UuidKey, Words, one_of

SOURCES = ("n8n", "assistant")


class Incident(Base):
    """`fingerprint`: what makes two errors the same one. `title`: where it happened, `problem`:
    what, both without contact data or secrets. `session_id`: the latest session it is known to
    have met. An incident that happens again is no longer `resolved_at`.
    """

    __tablename__ = "incidents"
    __table_args__ = (
        CheckConstraint(one_of("source", SOURCES), name="source"),
        CheckConstraint("count >= 1", name="count"),
        Index("ix_incidents_last_at_id", "last_at", "id"),
    )

    id: Mapped[UuidKey]
    source: Mapped[Words]
    fingerprint: Mapped[Words] = mapped_column(unique=True)
    site_id: Mapped[uuid.UUID | None] = mapped_column(
        ForeignKey("sites.id", ondelete="SET NULL"), index=True
    )
    session_id: Mapped[uuid.UUID | None] = mapped_column(
        ForeignKey("chat_sessions.id", ondelete="SET NULL"), index=True
    )
    title: Mapped[Words]
    problem: Mapped[Words]
    detail: Mapped[JsonObject]
    url: Mapped[Words | None]
    count: Mapped[int] = mapped_column(default=1, server_default="1")
    first_at: Mapped[Moment]
    last_at: Mapped[Moment]
    resolved_at: Mapped[Moment | None]
    resolved_by: Mapped[uuid.UUID | None] = mapped_column(
        ForeignKey("users.id", ondelete="SET NULL")
    )


class IncidentReport(Base):
    """One report of an incident; the same `external_id` again is the same report."""

    __tablename__ = "incident_reports"
    __table_args__ = (
        Index(
            "uq_incident_reports_incident_id_external_id",
            "incident_id",
            "external_id",
            unique=True,
            postgresql_where=text("external_id IS NOT NULL"),
        ),
        Index("ix_incident_reports_incident_id", "incident_id", "id"),
    )

    id: Mapped[NumberKey]
    incident_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("incidents.id", ondelete="CASCADE"))
    external_id: Mapped[Words | None]
    at: Mapped[Moment]
    session_id: Mapped[uuid.UUID | None] = mapped_column(
        ForeignKey("chat_sessions.id", ondelete="SET NULL"), index=True
    )
    url: Mapped[Words | None]
