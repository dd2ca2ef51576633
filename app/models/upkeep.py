"""Back-tests of booking phrases."""

from __future__ import annotations

import uuid

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index
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
