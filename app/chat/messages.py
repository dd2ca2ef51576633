"""Stored messages as the widget gets them."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from app.core.errors import NotFound

#: One answer to a visitor who catches up: so many messages, and so many bytes of text unless a
#: single message has more. As JSON text takes up to three times its bytes.
MOST_MESSAGES = 200
MOST_TEXT_BYTES = 100_000


@dataclass(frozen=True, slots=True)
class StoredMessage:
    """One line as it is stored. `input`: what an assistant's line invites the visitor to do."""

    id: int
    role: str
    text: str
    created_at: datetime
    client_id: uuid.UUID | None = None
    input: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Conversation:
    """Messages, oldest first, with what the visitor may do now. `has_more`: these are not all."""

    messages: list[StoredMessage]
    input: dict[str, Any]
    completion_status: str
    has_more: bool = False


GONE = "This chat no longer exists."
NO_INPUT: dict[str, Any] = {"type": "none", "required": False}

_STATE = text("""
    SELECT s.completion_status,
           (SELECT m.input FROM messages m
             WHERE m.session_id = s.id AND m.input IS NOT NULL ORDER BY m.id DESC LIMIT 1)
      FROM chat_sessions s WHERE s.id = :session_id
""")
# A page is cut by id, so that its largest id is the cursor of the next one. One row more than fits
# says that there is a next one; of what does not fit, no text is read.
_SINCE = text("""
    WITH following AS MATERIALIZED (
        SELECT id, octet_length(text) AS bytes FROM messages
         WHERE session_id = :session_id AND id > :after ORDER BY id LIMIT :most + 1
    ), counted AS (
        SELECT id, row_number() OVER (ORDER BY id) AS place,
               sum(bytes) OVER (ORDER BY id) AS bytes_so_far
          FROM following
    ), page AS (
        SELECT id FROM counted
         WHERE place <= :most AND (place = 1 OR bytes_so_far <= :most_bytes)
    )
    SELECT m.id, m.role, m.text, m.created_at, m.client_id, m.input,
           (SELECT max(id) FROM following) > (SELECT max(id) FROM page) AS has_more
      FROM messages m JOIN page USING (id) ORDER BY m.created_at, m.id
""")


def since(session: Session, session_id: uuid.UUID, after: int) -> Conversation:
    """What was said after that message id (0: everything), one page of it: go on after its
    largest id. Raises NotFound.
    """
    state = session.execute(_STATE, {"session_id": session_id}).one_or_none()
    if state is None:
        raise NotFound(GONE)
    bounds = {"most": MOST_MESSAGES, "most_bytes": MOST_TEXT_BYTES}
    rows = session.execute(_SINCE, {"session_id": session_id, "after": after, **bounds}).all()
    return Conversation(
        [StoredMessage(*row[:-1]) for row in rows],
        state[1] or NO_INPUT,
        state[0],
        has_more=bool(rows and rows[0].has_more),
    )


_EXCHANGE = text("""
    SELECT id, role, text, created_at, client_id, input FROM messages
     WHERE session_id = :session_id
       AND (id = :message_id
            OR id = (SELECT id FROM messages WHERE session_id = :session_id
                        AND reply_to_id >= :message_id ORDER BY reply_to_id LIMIT 1))
     ORDER BY id
""")


def exchange(session: Session, session_id: uuid.UUID, message_id: int) -> Conversation | None:
    """A visitor's message and the answer to it; None while there is no answer. Raises NotFound."""
    rows = session.execute(_EXCHANGE, {"session_id": session_id, "message_id": message_id}).all()
    if not rows:
        raise NotFound(GONE)
    if len(rows) < 2:
        return None
    status = session.execute(_STATE, {"session_id": session_id}).one()[0]
    messages = [_message(row) for row in rows]
    return Conversation(messages, messages[-1].input or NO_INPUT, status)


def _message(row: Row[Any]) -> StoredMessage:
    return StoredMessage(**row._mapping)
