"""How users get in: one-time links, recovery codes, sign-ins, and counts of wrong passwords."""

from __future__ import annotations

import uuid

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base
from app.models.types import Moment, UuidKey, Words, one_of

PURPOSES = ("invite", "reset")
SIGN_IN_KINDS = ("browser", "api")


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


class SignIn(Base):
    """One sign-in: of a browser, or of an API client that was given a pair of tokens. The row is
    deleted to end it, so that a copy of its cookie or of its tokens is worth nothing.

    `secret_hash`: of what the browser's cookie holds, or of the id of the only refresh token that
    may still be used. `token_version`: the user's at that moment; a later one ends the sign-in.
    """

    __tablename__ = "sign_ins"
    __table_args__ = (
        CheckConstraint(one_of("kind", SIGN_IN_KINDS), name="kind"),
        Index(None, "user_id", "kind", "last_seen_at"),
    )

    id: Mapped[UuidKey]
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    kind: Mapped[Words]
    secret_hash: Mapped[Words] = mapped_column(unique=True)
    token_version: Mapped[int]
    created_at: Mapped[Moment]
    last_seen_at: Mapped[Moment]
    expires_at: Mapped[Moment] = mapped_column(index=True)


class SignInFailure(Base):
    """Failed tries to sign in, under one of the keys that `accounts.limits` counts by. Nobody gets
    in under it before `blocked_until`. `account_hash`: whose tries, where the key is an account's.
    """

    __tablename__ = "sign_in_failures"

    key: Mapped[Words] = mapped_column(primary_key=True)
    account_hash: Mapped[Words | None] = mapped_column(index=True)
    count: Mapped[int]
    last_at: Mapped[Moment] = mapped_column(index=True)
    blocked_until: Mapped[Moment | None]
