"""A lead: who the visitor is and what they want; at most one per session."""

from __future__ import annotations

import uuid

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.core.db import Base
from app.models.chat_session import ChatSession
from app.models.types import JsonList, JsonObject, Moment, NumberKey, UuidKey, Words


class Lead(Base):
    """`awaits_partial`: not completed yet and not sent as unfinished; for leads with a contact
    detail `lead.partial` is due when the session has been idle for long enough.

    `email` is normalised and `phone` E.164, unless named in `invalid`: then as typed.

    `edited` holds what people have put right, field by field; a visitor's word does not change it
    any more. `version` grows with every change: a form made for an older one is refused.

    `missing` names what the site asks for and the visitor has not given.

    The list of leads walks `ix_leads_created_at_id`; the database's function `leads_of_person`
    finds those of the same person by the two indexes on their e-mail and phone number.
    """

    __tablename__ = "leads"
    __table_args__ = (
        Index("ix_leads_created_at_id", text("created_at DESC"), text("id DESC")),
        Index("ix_leads_awaits_partial", "session_id", postgresql_where=text("awaits_partial")),
        # For the search: `app.reporting.search`.
        Index(
            "ix_leads_pieces",
            text("text_pieces(lead_words(name, email, phone, company))"),
            postgresql_using="gin",
        ),
        Index(
            "ix_leads_without_contact",
            "session_id",
            postgresql_where=text("email IS NULL AND phone IS NULL"),
        ),
        Index(
            "ix_leads_email_created_at",
            "email",
            "created_at",
            postgresql_where=text("email IS NOT NULL"),
        ),
        Index(
            "ix_leads_phone_created_at",
            "phone",
            "created_at",
            postgresql_where=text("phone IS NOT NULL"),
        ),
    )

    id: Mapped[UuidKey]
    session_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("chat_sessions.id", ondelete="CASCADE"), unique=True
    )
    name: Mapped[Words | None]
    email: Mapped[Words | None]
    phone: Mapped[Words | None]
    company: Mapped[Words | None]
    qualification: Mapped[JsonObject]
    consent_text_version: Mapped[Words | None]
    consent_at: Mapped[Moment | None]
    missing: Mapped[JsonList]
    invalid: Mapped[JsonList]
    created_at: Mapped[Moment]
    updated_at: Mapped[Moment]
    edited: Mapped[JsonObject]
    version: Mapped[int] = mapped_column(default=1, server_default="1")
    awaits_partial: Mapped[bool] = mapped_column(default=True, server_default=text("true"))

    session: Mapped[ChatSession] = relationship(lazy="raise")


class LeadChange(Base):
    """A person put one field of a lead right: what stood there, what stands there now.

    `version`: the one that the lead got by it.
    """

    __tablename__ = "lead_changes"

    id: Mapped[NumberKey]
    lead_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("leads.id", ondelete="CASCADE"), index=True
    )
    at: Mapped[Moment]
    user_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("users.id"))
    version: Mapped[int]
    field: Mapped[Words]
    old: Mapped[Words | None]
    new: Mapped[Words | None]
