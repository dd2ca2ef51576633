"""Long runs that somebody can leave and come back to, and what the checks found."""

from __future__ import annotations

import uuid

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base
from app.models.types import (
    BigNumber,
    JsonList,
    JsonObject,
    Moment,
    NumberKey,
    UuidKey,
    Words,
    one_of,
)

RUN_STATUSES = ("running", "done", "failed")
FINDING_KINDS = ("newly", "no_longer")


class SyncRun(Base):
    """A manual sync. `position`: how far it has come, so that another process can go on;
    `heartbeat_at`: its process's last sign of life; `progress`: from 0 to 1.
    """

    __tablename__ = "sync_runs"
    __table_args__ = (
        CheckConstraint(one_of("status", RUN_STATUSES), name="status"),
        CheckConstraint("progress BETWEEN 0 AND 1", name="progress"),
        # Two at once are impossible.
        Index(
            "uq_sync_runs_running",
            "status",
            unique=True,
            postgresql_where=text("status = 'running'"),
        ),
    )

    id: Mapped[UuidKey]
    status: Mapped[Words] = mapped_column(default="running")
    user_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("users.id"))
    started_at: Mapped[Moment]
    heartbeat_at: Mapped[Moment]
    runner: Mapped[uuid.UUID | None]
    finished_at: Mapped[Moment | None]
    progress: Mapped[float] = mapped_column(default=0.0, server_default="0")
    position: Mapped[JsonObject]
    report: Mapped[JsonObject]
    error: Mapped[Words | None]


class Backtest(Base):
    """What other phrases and exclusions would have meant for a site's past sessions."""

    __tablename__ = "backtests"
    __table_args__ = (
        CheckConstraint(one_of("status", RUN_STATUSES), name="status"),
        CheckConstraint("progress BETWEEN 0 AND 1", name="progress"),
    )

    id: Mapped[UuidKey]
    site_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("sites.id", ondelete="CASCADE"), index=True
    )
    user_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("users.id"))
    phrases: Mapped[JsonList]
    exclusions: Mapped[JsonList]
    status: Mapped[Words] = mapped_column(default="running")
    started_at: Mapped[Moment]
    heartbeat_at: Mapped[Moment]
    finished_at: Mapped[Moment | None]
    saved_at: Mapped[Moment | None]
    progress: Mapped[float] = mapped_column(default=0.0, server_default="0")
    position: Mapped[JsonObject]
    sessions_read: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    newly_count: Mapped[int] = mapped_column(default=0, server_default="0")
    no_longer_count: Mapped[int] = mapped_column(default=0, server_default="0")
    error: Mapped[Words | None]


class BacktestFinding(Base):
    """A session that would newly complete, or would not have, with the telling sentence."""

    __tablename__ = "backtest_findings"
    __table_args__ = (
        CheckConstraint(one_of("kind", FINDING_KINDS), name="kind"),
        Index("ix_backtest_findings_backtest_id_kind_id", "backtest_id", "kind", "id"),
    )

    id: Mapped[NumberKey]
    backtest_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("backtests.id", ondelete="CASCADE"))
    kind: Mapped[Words]
    session_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("chat_sessions.id", ondelete="CASCADE"), index=True
    )
    message_id: Mapped[BigNumber]
    phrase: Mapped[Words]
    sentence: Mapped[Words]


class CheckReport(Base):
    """What `doctor` found: `findings` is a list of {check, count, examples, repaired}."""

    __tablename__ = "check_reports"

    id: Mapped[NumberKey]
    started_at: Mapped[Moment]
    finished_at: Mapped[Moment]
    findings: Mapped[JsonList]
