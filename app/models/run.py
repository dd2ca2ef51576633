"""Long work that a process can leave and another one resume: one row per run."""

from __future__ import annotations

import uuid

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base
from app.models.types import JsonObject, Moment, UuidKey, Words, one_of

RUN_STATUSES = ("running", "done", "failed", "cancelled")
#: Kinds of runs; a kind is also the name of the task that does the work.
MANUAL_SYNC = "manual_sync"
CHECK_EVERYTHING = "check_everything"
BACKTEST = "backtest"
APPLY_RULES = "apply_rules"
KINDS = (MANUAL_SYNC, CHECK_EVERYTHING, BACKTEST, APPLY_RULES)


class Run(Base):
    """One run of long work.

    `site_id`: the site that it is about. `runner`: the fencing token of the process that does it,
    none until one has claimed it. `heartbeat_at`: that process's last sign of life. `parameters`:
    what to do; `position`: how far it has come, so that another process can resume; `progress`: the
    same from 0 to 1; `report`: what came of it.
    """

    __tablename__ = "runs"
    __table_args__ = (
        CheckConstraint(one_of("kind", KINDS), name="kind"),
        CheckConstraint(one_of("status", RUN_STATUSES), name="status"),
        CheckConstraint("progress BETWEEN 0 AND 1", name="progress"),
        Index("ix_runs_kind_started_at", "kind", "started_at"),
        # Two manual syncs at once would only read everything twice.
        Index(
            "uq_runs_manual_sync",
            "kind",
            unique=True,
            postgresql_where=text(f"status = 'running' AND kind = '{MANUAL_SYNC}'"),
        ),
    )

    id: Mapped[UuidKey]
    kind: Mapped[Words]
    status: Mapped[Words] = mapped_column(default="running")
    user_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("users.id"))
    site_id: Mapped[uuid.UUID | None] = mapped_column(
        ForeignKey("sites.id", ondelete="CASCADE"), index=True
    )
    started_at: Mapped[Moment]
    heartbeat_at: Mapped[Moment]
    runner: Mapped[uuid.UUID | None]
    finished_at: Mapped[Moment | None]
    progress: Mapped[float] = mapped_column(default=0.0, server_default="0")
    parameters: Mapped[JsonObject]
    position: Mapped[JsonObject]
    report: Mapped[JsonObject]
    error: Mapped[Words | None]
