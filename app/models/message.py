"""One line of a session."""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, false, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base
from app.models.types import BigNumber, Moment, NumberKey, Words, one_of

ROLES = ("visitor", "assistant", "agent", "system")


class Message(Base):
    """`client_id`: the widget's id, so that a repeat stores nothing twice. `input`: what an
    assistant's line invites the visitor to do next. `reply_to_id`: the newest visitor message
    an answer has read; unique in its session, so that a double answer is impossible.

    `external_id`: the id a workflow gave it. `source_id` and `source_row`: the row of N8n's chat
    memory that says the same. `is_checked`: judged for completion; whoever writes a message and
    does not judge it leaves False, and the sweep finds it.
    """

    __tablename__ = "messages"
    __table_args__ = (
        CheckConstraint(one_of("role", ROLES), name="role"),
        CheckConstraint("char_length(text) BETWEEN 1 AND 20000", name="text_length"),
        Index("ix_messages_session_id_id", "session_id", "id"),
        Index(
            "uq_messages_session_id_client_id",
            "session_id",
            "client_id",
            unique=True,
            postgresql_where=text("client_id IS NOT NULL"),
        ),
        Index(
            "uq_messages_session_id_reply_to_id",
            "session_id",
            "reply_to_id",
            unique=True,
            postgresql_where=text("reply_to_id IS NOT NULL"),
        ),
        Index(
            "uq_messages_session_id_external_id",
            "session_id",
            "external_id",
            unique=True,
            postgresql_where=text("external_id IS NOT NULL"),
        ),
        Index(
            "uq_messages_source_id_source_row",
            "source_id",
            "source_row",
            unique=True,
            postgresql_where=text("source_row IS NOT NULL"),
        ),
        Index("ix_messages_unchecked", "id", postgresql_where=text("NOT is_checked")),
        # For the search. New ones go in at once: what is put off is paid by one visitor in a while.
        Index(
            "ix_messages_words",
            text("message_words(text)"),
            postgresql_using="gin",
            postgresql_with={"fastupdate": "off"},
        ),
        CheckConstraint("(source_id IS NULL) = (source_row IS NULL)", name="source"),
    )

    id: Mapped[NumberKey]
    session_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("chat_sessions.id", ondelete="CASCADE")
    )
    role: Mapped[Words]
    text: Mapped[Words]
    created_at: Mapped[Moment]
    client_id: Mapped[uuid.UUID | None]
    reply_to_id: Mapped[BigNumber | None]
    input: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    external_id: Mapped[Words | None]
    source_id: Mapped[int | None] = mapped_column(ForeignKey("memory_sources.id"))
    source_row: Mapped[BigNumber | None]
    is_checked: Mapped[bool] = mapped_column(default=False, server_default=false())
