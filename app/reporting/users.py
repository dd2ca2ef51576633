"""Who may sign in, to be listed."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core import clock
from app.models import User, UserLink
from app.reporting.pages import Keyset, Page

PAGE_SIZE = 50
_KEYSET = Keyset(User.created_at, User.id, uuid.UUID)


def list_page(session: Session, *, cursor: str | None = None, limit: int = PAGE_SIZE) -> Page[User]:
    """The newest users first. One query. Raises Invalid (cursor)."""
    # Towards the newer end a page is cut in reverse.
    found = sorted(session.scalars(_KEYSET.cut(select(User), limit, cursor)), key=_place)[::-1]
    return _KEYSET.page(found, _place, limit, cursor)


def _place(user: User) -> tuple[datetime, uuid.UUID]:
    return user.created_at, user.id


def open_link(session: Session, user_id: uuid.UUID) -> UserLink | None:
    """The link that the user could still use, if there is one."""
    return session.scalar(
        select(UserLink)
        .where(
            UserLink.user_id == user_id,
            UserLink.used_at.is_(None),
            UserLink.expires_at > clock.now(),
        )
        .limit(1)
    )
