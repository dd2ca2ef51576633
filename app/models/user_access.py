"""How users get in: one-time links, recovery codes, and who is kept out for a while."""

from __future__ import annotations

import uuid

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base
from app.models.types import Moment, UuidKey, Words, one_of

PURPOSES = ("invite", "reset")


class UserLink(Base):
    """A link that lets a user choose a password, once. Only a hash of its token is kept."""

    __tablename__ = "user_links"
    __table_args__ = (CheckConstraint(one_of("purpose", PURPOSES), name="purpose"),)

    id: Mapped[UuidKey]
    user_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), index=True
    )
    purpose: Mapped[Words]
    token_hash: Mapped[Words] = mapped_column(unique=True)
    created_at: Mapped[Moment]
    expires_at: Mapped[Moment]
    used_at: Mapped[Moment | None]
    created_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("users.id"))


class RecoveryCode(Base):
    """Instead of the authenticator app, once. Only its hash is kept."""

    __tablename__ = "recovery_codes"

    id: Mapped[UuidKey]
    user_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), index=True
    )
    code_hash: Mapped[Words]
    used_at: Mapped[Moment | None]


class SignInFailure(Base):
    """Sign-ins that went wrong, for one account or one address. `key`: `account:<hash>`,
    `address:<hash>`. Nobody gets in under it before `blocked_until`.
    """

    __tablename__ = "sign_in_failures"

    key: Mapped[Words] = mapped_column(primary_key=True)
    count: Mapped[int]
    last_at: Mapped[Moment]
    blocked_until: Mapped[Moment | None]
