"""QA: every move of a session, and the notices that come of it."""

from __future__ import annotations

import uuid

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base
from app.models.chat_session import QA_STATUSES
from app.models.types import BigNumber, Moment, NumberKey, Words, one_of

CATEGORIES = (
    "wrong_answer",
    "misunderstood",
    "missed_booking",
    "wrong_details",
    "tone",
    "technical",
    "other",
)
NOTICE_KINDS = ("qa.issue", "qa.fixed")


class QaMove(Base):
    """`note`: what went wrong, or what was done. `category` and `message_id`: of an issue.

    `undone_at`: its reviewer took it back; it then counts as never made.
    """

    __tablename__ = "qa_moves"
    __table_args__ = (
        CheckConstraint(one_of("from_status", QA_STATUSES), name="from_status"),
        CheckConstraint(one_of("to_status", QA_STATUSES), name="to_status"),
        CheckConstraint(one_of("category", CATEGORIES), name="category"),
        CheckConstraint(
            "to_status <> 'issue' OR (note IS NOT NULL AND category IS NOT NULL)", name="issue"
        ),
        CheckConstraint("to_status <> 'fixed' OR note IS NOT NULL", name="fixed"),
        Index("ix_qa_moves_session_id_id", "session_id", "id"),
        Index("ix_qa_moves_at", "at"),
    )

    id: Mapped[NumberKey]
    session_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("chat_sessions.id", ondelete="CASCADE")
    )
    at: Mapped[Moment]
    user_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("users.id"))
    from_status: Mapped[Words]
    to_status: Mapped[Words]
    note: Mapped[Words | None]
    category: Mapped[Words | None]
    message_id: Mapped[BigNumber | None]
    undone_at: Mapped[Moment | None]


class QaLook(Base):
    """Which session of the queue a reviewer opened last."""

    __tablename__ = "qa_looks"

    user_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), primary_key=True
    )
    session_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("chat_sessions.id", ondelete="CASCADE"), index=True
    )
    at: Mapped[Moment]


class QaNotice(Base):
    """Somebody has to be told of a move by e-mail. `sent_at` and `delivery_id`: the letter it went
    into; until then it waits to be gathered with others (`recipient` gets one letter, not a flood).
    """

    __tablename__ = "qa_notices"
    __table_args__ = (
        CheckConstraint(one_of("kind", NOTICE_KINDS), name="kind"),
        Index(
            "ix_qa_notices_waiting",
            "recipient",
            "id",
            postgresql_where=text("sent_at IS NULL"),
        ),
        Index("ix_qa_notices_recipient_sent_at", "recipient", "sent_at"),
    )

    id: Mapped[NumberKey]
    kind: Mapped[Words]
    recipient: Mapped[Words]
    move_id: Mapped[BigNumber] = mapped_column(
        ForeignKey("qa_moves.id", ondelete="CASCADE"), index=True
    )
    created_at: Mapped[Moment]
    sent_at: Mapped[Moment | None]
    delivery_id: Mapped[uuid.UUID | None] = mapped_column(
        ForeignKey("deliveries.id", ondelete="SET NULL"), index=True
    )
