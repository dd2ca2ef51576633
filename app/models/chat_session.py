"""A session: one conversation with one visitor, its running turn and its timeline."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    ForeignKey,
    Index,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.core.db import Base
from app.models.site import Site
from app.models.types import BigNumber, JsonObject, Moment, NumberKey, UuidKey, Words, one_of

CHANNELS = ("web", "messenger", "n8n", "api")
COMPLETION_STATUSES = ("in_progress", "completed")
ARCHIVE_STATUSES = ("active", "archived")
QA_STATUSES = ("unchecked", "passed", "issue", "fixed")
STATUSES = ("completion_status", "archive_status", "qa_status")
NEWEST_FIRST = (text("started_at DESC"), text("id DESC"))
CAUSES = ("live", "auto_sync", "sweep", "manual_sync", "user")


class ChatSession(Base):
    """`draft` is what the assistant knows so far (`transcript.Draft`); times are UTC.

    A person's word stands: when one reopens a session, its messages so far are no evidence any
    more. `discounted_message_id` and `discounted_until` are the newest id and time of then; a
    message counts when its id is higher and its time not earlier.

    `read_after_id`: assistants are not given messages up to this id, because a turn over them was
    given up. Everybody else reads them.

    Only `started_at` is indexed among the times: a turn then changes no indexed column, and
    PostgreSQL updates the row in place (HOT).
    """

    __tablename__ = "chat_sessions"
    __table_args__ = (
        CheckConstraint(one_of("channel", CHANNELS), name="channel"),
        CheckConstraint(one_of("completion_status", COMPLETION_STATUSES), name="completion_status"),
        CheckConstraint(one_of("archive_status", ARCHIVE_STATUSES), name="archive_status"),
        CheckConstraint(one_of("qa_status", QA_STATUSES), name="qa_status"),
        CheckConstraint(one_of("completion_cause", CAUSES), name="completion_cause"),
        CheckConstraint(
            "(completion_status = 'completed') = (completed_at IS NOT NULL)", name="completed_at"
        ),
        UniqueConstraint("site_id", "channel", "external_session_id"),
        Index("ix_chat_sessions_started_at_id", *NEWEST_FIRST),
        # For the filters of the list (app.reporting.session_filter), which walk it in its order.
        Index("ix_chat_sessions_statuses", *STATUSES, *NEWEST_FIRST),
        Index("ix_chat_sessions_site", "site_id", *STATUSES, *NEWEST_FIRST),
        Index("ix_chat_sessions_channel", "channel", *STATUSES, *NEWEST_FIRST),
        # Those that wait for a reviewer, past however many of another site or kind wait.
        Index(
            "ix_chat_sessions_to_check",
            "site_id",
            "completion_status",
            "started_at",
            "id",
            postgresql_where=text("qa_status = 'unchecked' AND archive_status = 'active'"),
        ),
        Index("ix_chat_sessions_visitor_id_started_at", "visitor_id", "started_at"),
        {"postgresql_with": {"fillfactor": 80}},
    )

    id: Mapped[UuidKey]
    site_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("sites.id"))
    channel: Mapped[Words] = mapped_column(default="web")
    external_session_id: Mapped[Words | None]
    visitor_id: Mapped[Words]
    started_at: Mapped[Moment]
    last_message_at: Mapped[Moment | None]
    message_count: Mapped[int] = mapped_column(default=0, server_default="0")
    assistant_engaged: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    completion_status: Mapped[Words] = mapped_column(
        default="in_progress", server_default="in_progress"
    )
    completed_at: Mapped[Moment | None]
    completion_cause: Mapped[Words | None]
    completion_phrase: Mapped[Words | None]
    completion_message_id: Mapped[BigNumber | None]
    archive_status: Mapped[Words] = mapped_column(default="active", server_default="active")
    qa_status: Mapped[Words] = mapped_column(default="unchecked", server_default="unchecked")
    attribution: Mapped[JsonObject]
    page_title: Mapped[Words | None]
    locale: Mapped[Words | None]
    timezone: Mapped[Words | None]
    draft: Mapped[JsonObject]
    discounted_message_id: Mapped[BigNumber | None]
    discounted_until: Mapped[Moment | None]
    read_after_id: Mapped[BigNumber] = mapped_column(BigInteger, default=0, server_default="0")

    site: Mapped[Site] = relationship(lazy="raise")

    @property
    def is_completed(self) -> bool:
        return self.completion_status == "completed"


class Turn(Base):
    """A visitor's message waits for its answer. The row goes with the answer.

    `token` fences the lease: whoever holds it until `expires_at` is answering, and an answer
    that comes under another token is dropped. No token: nobody is answering, the turn is due.
    `waits`: for each request that waits for the answer, when it gives up.
    `breaks`: how often its answerer died or vanished (`chat.turn_store.claim` counts).
    """

    __tablename__ = "turns"

    session_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("chat_sessions.id", ondelete="CASCADE"), primary_key=True
    )
    message_id: Mapped[BigNumber]
    token: Mapped[uuid.UUID | None]
    expires_at: Mapped[Moment]
    waits: Mapped[list[datetime]] = mapped_column(
        ARRAY(DateTime(timezone=True)), default=list, server_default=text("'{}'")
    )
    breaks: Mapped[int] = mapped_column(default=0, server_default="0")


EVENT_KINDS = ("completed", "reopened", "left_open", "archived", "activated")


class SessionEvent(Base):
    """A change of a session's status: when, by which layer or whom, on which evidence.

    `left_open`: phrases were changed, and the person who did it wanted what is past left as it is.
    """

    __tablename__ = "session_events"
    __table_args__ = (
        CheckConstraint(one_of("cause", CAUSES), name="cause"),
        CheckConstraint(one_of("kind", EVENT_KINDS), name="kind"),
    )

    id: Mapped[NumberKey]
    session_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("chat_sessions.id", ondelete="CASCADE"), index=True
    )
    at: Mapped[Moment]
    kind: Mapped[Words]
    cause: Mapped[Words]
    phrase: Mapped[Words | None]
    message_id: Mapped[BigNumber | None]
    user_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("users.id"))


class DeletedSession(Base):
    """A session that was deleted here: what comes of it from outside is not let in again."""

    __tablename__ = "deleted_sessions"
    __table_args__ = (
        Index(
            "ix_deleted_sessions_external",
            "site_id",
            "channel",
            "external_session_id",
            postgresql_where=text("external_session_id IS NOT NULL"),
        ),
    )

    session_id: Mapped[UuidKey]
    site_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("sites.id", ondelete="CASCADE"))
    channel: Mapped[Words]
    external_session_id: Mapped[Words | None]
    deleted_at: Mapped[Moment]
    user_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("users.id"))
