"""A user of the dashboard."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base
from app.models.types import Moment, UuidKey, Words, one_of

ROLES = ("admin", "agent")


class User(Base):
    """`email` is kept in lower case. `token_version` grows when every sign-in must end."""

    __tablename__ = "users"
    __table_args__ = (
        CheckConstraint(one_of("role", ROLES), name="role"),
        CheckConstraint("email = lower(email)", name="email_lower"),
    )

    id: Mapped[UuidKey]
    email: Mapped[Words] = mapped_column(unique=True)
    name: Mapped[Words] = mapped_column(default="")
    role: Mapped[Words]
    password_hash: Mapped[Words]
    is_active: Mapped[bool] = mapped_column(default=True, server_default=text("true"))
    timezone: Mapped[Words] = mapped_column(default="UTC")
    token_version: Mapped[int] = mapped_column(default=0, server_default="0")
    created_at: Mapped[Moment]
    last_signed_in_at: Mapped[Moment | None]
