"""What back-tests of booking phrases found."""

from __future__ import annotations

import uuid

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base
from app.models.types import BigNumber, NumberKey, Words, one_of

FINDING_KINDS = ("newly", "no_longer")


class BacktestFinding(Base):
    """A session that would newly complete, or would not have, with the telling sentence."""

    __tablename__ = "backtest_findings"
    __table_args__ = (
        CheckConstraint(one_of("kind", FINDING_KINDS), name="kind"),
        Index("ix_backtest_findings_backtest_id_kind_id", "backtest_id", "kind", "id"),
    )

    id: Mapped[NumberKey]
    backtest_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"))
    kind: Mapped[Words]
    session_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("chat_sessions.id", ondelete="CASCADE"), index=True
    )
    message_id: Mapped[BigNumber]
    phrase: Mapped[Words]
    sentence: Mapped[Words]
