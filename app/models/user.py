"""A user of the dashboard, and what they keep there."""

from __future__ import annotations

import uuid

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base
from app.models.types import BigNumber, Moment, UuidKey, Words, one_of

ROLES = ("admin", "agent")
THEMES = ("system", "light", "dark")
VIEW_PAGES = ("sessions", "leads", "deliveries")


class User(Base):
    """`email` is kept in lower case. `token_version` grows when every sign-in must end.

    `password_hash`: empty until an invitation is taken up. `totp_secret` (sealed): an
    authenticator app is asked for at sign-in once `totp_enabled_at` is set; `totp_last_step` is
    the newest time step that was used, so that a code works once.
    """

    __tablename__ = "users"
    __table_args__ = (
        CheckConstraint(one_of("role", ROLES), name="role"),
        CheckConstraint(one_of("theme", THEMES), name="theme"),
        CheckConstraint("email = lower(email)", name="email_lower"),
        CheckConstraint("totp_enabled_at IS NULL OR totp_secret IS NOT NULL", name="totp"),
    )

    id: Mapped[UuidKey]
    email: Mapped[Words] = mapped_column(unique=True)
    name: Mapped[Words] = mapped_column(default="")
    role: Mapped[Words]
    password_hash: Mapped[Words | None]
    is_active: Mapped[bool] = mapped_column(default=True, server_default=text("true"))
    timezone: Mapped[Words] = mapped_column(default="UTC")
    theme: Mapped[Words] = mapped_column(default="system", server_default="system")
    wants_notices: Mapped[bool] = mapped_column(default=True, server_default=text("true"))
    token_version: Mapped[int] = mapped_column(default=0, server_default="0")
    totp_secret: Mapped[Words | None]
    totp_enabled_at: Mapped[Moment | None]
    totp_last_step: Mapped[BigNumber | None]
    created_at: Mapped[Moment]
    last_signed_in_at: Mapped[Moment | None]

    @property
    def is_invited(self) -> bool:
        """Asked in, and has not chosen a password yet."""
        return self.password_hash is None


class SavedView(Base):
    """A list's filters under a name of one's own; `query` is the address's, without a page."""

    __tablename__ = "saved_views"
    __table_args__ = (
        CheckConstraint(one_of("page", VIEW_PAGES), name="page"),
        UniqueConstraint("user_id", "page", "name"),
    )

    id: Mapped[UuidKey]
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    page: Mapped[Words]
    name: Mapped[Words]
    query: Mapped[Words]
    created_at: Mapped[Moment]
