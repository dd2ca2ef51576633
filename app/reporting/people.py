"""Other sessions of the same person: same e-mail, same phone number, or same browser."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

from app.models import ChatSession, Lead

SHOWN = 10
#: Of each sign, how many sessions are looked at; who has more is said to have more than that.
MOST = 100

# Each sign is a short walk along an index of its own, newest first.
_OTHERS = text("""
    WITH found AS (
        (SELECT session_id AS id, 'email' AS sign FROM leads
          WHERE email = CAST(:email AS text) ORDER BY created_at DESC LIMIT :most)
        UNION ALL
        (SELECT session_id, 'phone' FROM leads
          WHERE phone = CAST(:phone AS text) ORDER BY created_at DESC LIMIT :most)
        UNION ALL
        (SELECT id, 'visitor' FROM chat_sessions
          WHERE visitor_id = :visitor_id ORDER BY started_at DESC LIMIT :most)
    ), others AS (
        SELECT id, array_agg(sign ORDER BY sign) AS signs FROM found
         WHERE id <> :id GROUP BY id
    )
    SELECT s.id, s.started_at, s.completion_status, s.archive_status, si.name AS site_name,
           l.name, o.signs, count(*) OVER () AS number
      FROM others o JOIN chat_sessions s ON s.id = o.id JOIN sites si ON si.id = s.site_id
      LEFT JOIN leads l ON l.session_id = s.id
     ORDER BY s.started_at DESC, s.id DESC LIMIT :shown
""")


@dataclass(frozen=True, slots=True)
class OtherSession:
    """`signs`: by what it is the same person, of `email`, `phone` and `visitor`."""

    id: uuid.UUID
    started_at: datetime
    completion_status: str
    archive_status: str
    site_name: str
    name: str | None
    signs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Others:
    """The newest ones, and how many there are besides; `is_more`: at least that many."""

    sessions: list[OtherSession]
    besides: int
    is_more: bool


def other_sessions(session: Session, chat: ChatSession, lead: Lead | None) -> Others:
    """By one query. What was only kept as typed is no sign of anybody."""
    rows = session.execute(
        _OTHERS,
        {
            "id": chat.id,
            "visitor_id": chat.visitor_id,
            "email": _sure(lead, "email"),
            "phone": _sure(lead, "phone"),
            "most": MOST + 1,
            "shown": SHOWN,
        },
    ).all()
    number = rows[0].number if rows else 0
    found = [
        OtherSession(
            row.id,
            row.started_at,
            row.completion_status,
            row.archive_status,
            row.site_name,
            row.name,
            tuple(row.signs),
        )
        for row in rows
    ]
    return Others(found, max(0, min(number, MOST) - len(found)), number >= MOST)


def _sure(lead: Lead | None, key: str) -> str | None:
    return None if lead is None or key in lead.invalid else getattr(lead, key)
