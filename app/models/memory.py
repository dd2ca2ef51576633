"""N8n's chat memory tables as sources of conversations, and how far each has been read."""

from __future__ import annotations

from sqlalchemy import BigInteger, ForeignKey, Identity, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base
from app.models.types import BigNumber, Moment, NumberKey, Words


class MemorySource(Base):
    """One life of a table: emptied or made anew it is a new source, and this one `ended_at`.

    `high_row`: every row up to here has been seen, but for those in `MemoryGap`. `anchor_row`,
    `anchor_session` and `anchor_hash`: a row by which the table is recognised; `relation`: the
    table's own identity in its database. `skip_until`: it failed, so it is left alone until then.
    """

    __tablename__ = "memory_sources"
    __table_args__ = (
        Index(
            "uq_memory_sources_current",
            "table_name",
            unique=True,
            postgresql_where=text("ended_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(Identity(always=False), primary_key=True)
    table_name: Mapped[Words]
    high_row: Mapped[BigNumber] = mapped_column(BigInteger, default=0, server_default="0")
    anchor_row: Mapped[BigNumber | None]
    anchor_session: Mapped[Words | None]
    anchor_hash: Mapped[Words | None]
    relation: Mapped[Words | None]
    created_at: Mapped[Moment]
    seen_at: Mapped[Moment | None]
    ended_at: Mapped[Moment | None]
    skip_until: Mapped[Moment | None]
    last_error: Mapped[Words | None]


class MemoryGap(Base):
    """Row numbers below `high_row` that were not there: taken by a transaction that has not
    committed, or never will. Looked at again from `check_at` on, ever more rarely.
    """

    __tablename__ = "memory_gaps"
    __table_args__ = (Index("ix_memory_gaps_source_id_check_at", "source_id", "check_at"),)

    source_id: Mapped[int] = mapped_column(
        ForeignKey("memory_sources.id", ondelete="CASCADE"), primary_key=True
    )
    first_row: Mapped[BigNumber] = mapped_column(BigInteger, primary_key=True)
    last_row: Mapped[BigNumber]
    seen_at: Mapped[Moment]
    check_at: Mapped[Moment]


class MemoryRowSetAside(Base):
    """A row that could not be read, and why, in plain words."""

    __tablename__ = "memory_rows_set_aside"

    source_id: Mapped[int] = mapped_column(
        ForeignKey("memory_sources.id", ondelete="CASCADE"), primary_key=True
    )
    source_row: Mapped[BigNumber] = mapped_column(BigInteger, primary_key=True)
    session_key: Mapped[Words]
    reason: Mapped[Words]
    excerpt: Mapped[Words]
    seen_at: Mapped[Moment]


class CatchUp(Base):
    """One row for all processes: when a request may next catch up, and whether work was left."""

    __tablename__ = "catch_up"

    id: Mapped[NumberKey]
    next_at: Mapped[Moment]
    is_behind: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
