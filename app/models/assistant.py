"""What is kept about the assistants of sites: whether they answer, and what they have used."""

from __future__ import annotations

import uuid
from datetime import date

from sqlalchemy import BigInteger, CheckConstraint, Date, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base
from app.models.types import JsonObject, Moment, Words


class AssistantHealth(Base):
    """A site's assistant that has failed of late; no row: all is well.

    `failures`: in a row, the first at `failing_since`, the latest of the kind `last_kind`. While
    `resting_until` is set visitors are answered without it; once that is past, one answer is
    tried again, until `trial_until` at most.
    """

    __tablename__ = "assistant_health"
    __table_args__ = (CheckConstraint("failures >= 0", name="failures"),)

    site_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("sites.id", ondelete="CASCADE"), primary_key=True
    )
    assistant: Mapped[Words] = mapped_column(primary_key=True)
    failures: Mapped[int] = mapped_column(default=0, server_default="0")
    rests: Mapped[int] = mapped_column(default=0, server_default="0")
    failing_since: Mapped[Moment]
    last_failed_at: Mapped[Moment]
    last_kind: Mapped[Words]
    resting_until: Mapped[Moment | None]
    trial_until: Mapped[Moment | None]


class AssistantDay(Base):
    """What a site's assistant did on a day of the site's time zone.

    `failed`: kind → how often. `first_word_ms`, `whole_ms`: sums over the `answered`. `tokens` and
    `cost_micros` (millionths of a US dollar) hold what running answers may still use, too.
    """

    __tablename__ = "assistant_days"

    site_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("sites.id", ondelete="CASCADE"), primary_key=True
    )
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    assistant: Mapped[Words] = mapped_column(primary_key=True)
    turns: Mapped[int] = mapped_column(default=0, server_default="0")
    answered: Mapped[int] = mapped_column(default=0, server_default="0")
    failed: Mapped[JsonObject]
    first_word_ms: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    whole_ms: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    tokens: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    cost_micros: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")


class AssistantSession(Base):
    """What a session has used of assistants that are counted."""

    __tablename__ = "assistant_sessions"

    session_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("chat_sessions.id", ondelete="CASCADE"), primary_key=True
    )
    turns: Mapped[int] = mapped_column(default=0, server_default="0")
    tokens: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    cost_micros: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
