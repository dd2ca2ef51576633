"""Who is looking at which session of the queue, so that two reviewers do not check the same one."""

from __future__ import annotations

import uuid
from datetime import timedelta

from sqlalchemy import ColumnElement, Select, func, select, text
from sqlalchemy.orm import Session

from app.core import clock
from app.models import QaLook, User

#: Whoever has not gone on by then has probably left.
LOOKS_FOR = timedelta(minutes=5)

_LOOK = text("""
    INSERT INTO qa_looks (user_id, session_id, at)
    SELECT :user_id, id, :now FROM chat_sessions WHERE id = :session_id
    ON CONFLICT (user_id) DO UPDATE SET session_id = excluded.session_id, at = excluded.at
""")


def look(session: Session, session_id: uuid.UUID, user_id: uuid.UUID) -> str | None:
    """Note that this reviewer has opened it, in the caller's transaction. Gives who else has."""
    values = {"session_id": session_id, "user_id": user_id, "now": clock.now()}
    session.execute(_LOOK, values)
    other: str | None = session.scalar(
        select(func.coalesce(func.nullif(User.name, ""), User.email))
        .join(QaLook, QaLook.user_id == User.id)
        .where(QaLook.session_id == session_id, QaLook.user_id != user_id, _is_fresh())
        .limit(1)
    )
    return other


def of_others(user_id: uuid.UUID) -> Select[uuid.UUID]:
    """The sessions that somebody else is looking at."""
    return select(QaLook.session_id).where(QaLook.user_id != user_id, _is_fresh())


def _is_fresh() -> ColumnElement[bool]:
    return QaLook.at > clock.now() - LOOKS_FOR
