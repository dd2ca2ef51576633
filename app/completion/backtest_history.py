"""Past sessions with what was said in them, read in bulk."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

from app.completion.judge import discounted
from app.models.transcript import Line

_CHATS = """
    SELECT id, completion_status, completion_cause, completion_phrase, completion_message_id,
           discounted_message_id, discounted_until
      FROM chat_sessions
     WHERE site_id = :site_id AND id > CAST(:after AS uuid)
"""
_PIECE = text(f"{_CHATS} ORDER BY id LIMIT :most")
_OPEN_PIECE = text(f"{_CHATS} AND completion_status = 'in_progress' ORDER BY id LIMIT :most")
# Only the assistant's words matter; of the visitor's, that there are some.
_LINES = text("""
    SELECT session_id, id, role, CASE role WHEN 'assistant' THEN text ELSE '' END, created_at
      FROM messages
     WHERE session_id = ANY(CAST(:ids AS uuid[])) AND role IN ('visitor', 'assistant')
     ORDER BY session_id, created_at, id
""")
_FIRST = "00000000-0000-0000-0000-000000000000"


@dataclass(frozen=True, slots=True)
class PastSession:
    """A session, how it was completed if it was, and its lines, oldest first.

    A visitor's lines come without their words. `discounted`: up to where a person's word counts.
    """

    id: uuid.UUID
    is_completed: bool
    cause: str | None
    phrase: str | None
    message_id: int | None
    discounted: tuple[int, datetime] | None
    lines: Sequence[Line]


def read_piece(
    session: Session, site_id: uuid.UUID, after: str | None, most: int, *, only_open: bool = False
) -> list[PastSession]:
    """The site's next `most` sessions behind the id `after`, by id; none: that was all."""
    values = {"site_id": site_id, "after": after or _FIRST, "most": most}
    chats = session.execute(_OPEN_PIECE if only_open else _PIECE, values).all()
    if not chats:
        return []
    lines: dict[uuid.UUID, list[Line]] = {chat.id: [] for chat in chats}
    for session_id, *line in session.execute(_LINES, {"ids": [str(chat.id) for chat in chats]}):
        lines[session_id].append(Line(*line))
    return [
        PastSession(
            chat.id,
            chat.completion_status == "completed",
            chat.completion_cause,
            chat.completion_phrase,
            chat.completion_message_id,
            discounted(chat.discounted_message_id, chat.discounted_until),
            lines[chat.id],
        )
        for chat in chats
    ]
