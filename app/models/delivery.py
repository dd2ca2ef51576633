"""Deliveries: one event on its way to one destination, with its attempts."""

from __future__ import annotations

import uuid

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, Index, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.core.db import Base
from app.models.types import BigNumber, JsonList, Moment, NumberKey, UuidKey, Words, one_of

STATUSES = ("pending", "delivered", "failed", "dead", "unknown", "cancelled")
#: What a later event of the same lead need not wait for.
FINAL_STATUSES = ("delivered", "dead", "cancelled")
DESTINATION_KINDS = ("n8n", "monday", "email", "messenger", "console")
LEAD_EVENTS = ("lead.completed", "lead.updated", "lead.partial", "lead.test", "lead.erased")
#: Letters to users of the dashboard. The body of one with a personal link (`user.…`) is sealed.
LETTER_EVENTS = ("qa.issue", "qa.fixed", "qa.digest", "user.invited", "user.reset", "user.notice")
EVENTS = (*LEAD_EVENTS, *LETTER_EVENTS)


class Destination(Base):
    """Where deliveries go, and how it has been doing. Made when first used.

    `key` is the kind for the destination everybody shares (a site's own gets `kind/site-key`).
    Its address is a setting, read when something is sent. `blocked_until`: it keeps failing,
    so the rest wait until then instead of hammering it.
    """

    __tablename__ = "destinations"
    __table_args__ = (CheckConstraint(one_of("kind", DESTINATION_KINDS), name="kind"),)

    key: Mapped[Words] = mapped_column(primary_key=True)
    kind: Mapped[Words]
    consecutive_failures: Mapped[int] = mapped_column(default=0, server_default="0")
    blocked_until: Mapped[Moment | None]
    paused_at: Mapped[Moment | None]
    pause_reason: Mapped[Words | None]


class LeadEvent(Base):
    """Something happened to a lead that these destinations have to be told."""

    __tablename__ = "lead_events"
    __table_args__ = (CheckConstraint(one_of("event", LEAD_EVENTS), name="event"),)

    id: Mapped[NumberKey]
    lead_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("leads.id", ondelete="CASCADE"), index=True
    )
    event: Mapped[Words]
    at: Mapped[Moment]
    destinations: Mapped[JsonList]


class Delivery(Base):
    """`body` is frozen when enqueued. `id` is the receiver's `webhook-id`, on every try the same.

    `lead_event_id`: what happened to the lead, one for all destinations. `is_withdrawn`: its
    session was reopened while it was being sent; if that try fails, it is cancelled.

    `attempt_count`: tries since its schedule began; `attempts` keeps those before it, too.
    `next_attempt_at` is empty when nothing will be tried by itself: it is over, or the
    destination has to be resumed first. `claim_token` and `claimed_until`: a worker is sending
    it; a worker that died loses it then.
    `is_suspect`: a worker that was sending it died, and not because its whole service was stopped.
    `interruptions`: how many workers in a row died since then.

    `ix_deliveries_destination_status` counts and lists those of a destination in a status;
    `ix_deliveries_given_up` those that wait for a person, which every page looks for.
    """

    __tablename__ = "deliveries"
    __table_args__ = (
        CheckConstraint(one_of("status", STATUSES), name="status"),
        CheckConstraint(one_of("event", EVENTS), name="event"),
        CheckConstraint("(claim_token IS NULL) = (claimed_until IS NULL)", name="claim"),
        # Rule 1: these go out once per lead and destination.
        Index(
            "uq_deliveries_once",
            "lead_id",
            "destination_key",
            "event",
            unique=True,
            postgresql_where=text(
                "event IN ('lead.completed', 'lead.partial') AND status <> 'cancelled'"
            ),
        ),
        Index(
            "ix_deliveries_due",
            "destination_key",
            "next_attempt_at",
            postgresql_where=text("status IN ('pending', 'failed')"),
        ),
        Index(
            "ix_deliveries_claimed",
            "destination_key",
            postgresql_where=text("claim_token IS NOT NULL"),
        ),
        Index("ix_deliveries_suspect", "destination_key", postgresql_where=text("is_suspect")),
        Index(
            "ix_deliveries_not_arrived",
            "session_id",
            "status",
            postgresql_where=text(
                "lead_id IS NOT NULL AND status IN ('pending', 'failed', 'dead', 'unknown')"
            ),
        ),
        Index(
            "ix_deliveries_destination_status",
            "destination_key",
            "status",
            text("created_at DESC"),
            text("number DESC"),
        ),
        Index(
            "ix_deliveries_given_up",
            text("created_at DESC"),
            text("number DESC"),
            postgresql_where=text("status IN ('dead', 'unknown')"),
        ),
        Index("ix_deliveries_created_at", text("created_at DESC"), text("number DESC")),
    )

    id: Mapped[UuidKey]
    number: Mapped[int] = mapped_column(BigInteger, Identity(always=False), unique=True)
    destination_key: Mapped[Words] = mapped_column(ForeignKey("destinations.key"))
    event: Mapped[Words]
    lead_id: Mapped[uuid.UUID | None] = mapped_column(
        ForeignKey("leads.id", ondelete="CASCADE"), index=True
    )
    session_id: Mapped[uuid.UUID | None] = mapped_column(
        ForeignKey("chat_sessions.id", ondelete="CASCADE"), index=True
    )
    lead_event_id: Mapped[BigNumber | None] = mapped_column(
        ForeignKey("lead_events.id", ondelete="CASCADE"), index=True
    )
    body: Mapped[Words]
    is_withdrawn: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    status: Mapped[Words] = mapped_column(default="pending")
    attempt_count: Mapped[int] = mapped_column(default=0, server_default="0")
    next_attempt_at: Mapped[Moment | None]
    claim_token: Mapped[uuid.UUID | None]
    claimed_until: Mapped[Moment | None]
    interruptions: Mapped[int] = mapped_column(default=0, server_default="0")
    is_suspect: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    remote_id: Mapped[Words | None]
    created_at: Mapped[Moment]
    finished_at: Mapped[Moment | None]

    destination: Mapped[Destination] = relationship(lazy="raise")
    attempts: Mapped[list[DeliveryAttempt]] = relationship(
        lazy="raise", order_by="DeliveryAttempt.id", back_populates="delivery"
    )


class DeliveryAttempt(Base):
    """One try: when, how long, what came back. `error` is a kind (`timeout`, `refused`, …);
    `answer` the start of the receiver's answer, never our secret.
    """

    __tablename__ = "delivery_attempts"

    id: Mapped[NumberKey]
    delivery_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("deliveries.id", ondelete="CASCADE"), index=True
    )
    at: Mapped[Moment]
    duration_ms: Mapped[int]
    status_code: Mapped[int | None]
    error: Mapped[Words | None]
    answer: Mapped[Words | None]

    delivery: Mapped[Delivery] = relationship(lazy="raise", back_populates="attempts")
