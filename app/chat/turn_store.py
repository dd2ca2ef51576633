"""The rows of a turn. Every change of a turn happens under the lock of its session's row.

Written as few, whole statements: the path of a message is the hottest of the product, and each
round trip to the database counts (`make bench` measures it against a bare floor).
"""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from app.assistants.base import Reply
from app.assistants.registry import assistant_for
from app.chat.known_sites import KnownSite, known_site
from app.chat.messages import StoredMessage
from app.core import clock, events
from app.core.errors import NotFound
from app.models.transcript import Draft, Line, Transcript

#: How long a lease outlasts its assistant's own time limit.
LEASE_MARGIN_SECONDS = 5.0
#: How many of a session's newest lines an assistant is given.
LINES_READ = 60


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to answer everything up to `message_id`, while `token` is the turn's."""

    session_id: uuid.UUID
    token: uuid.UUID
    message_id: int
    transcript: Transcript
    site: KnownSite


@dataclass(frozen=True, slots=True)
class _Locked:
    """What the session's row says while we hold its lock; `now` is not before its last message."""

    now: datetime
    site: KnownSite
    completion_status: str
    draft: dict[str, Any]
    locale: str | None
    timezone: str | None


_LOCK = text("""
    SELECT s.site_id, si.updated_at, s.last_message_at, s.completion_status, s.draft, s.locale,
           s.timezone
      FROM chat_sessions s JOIN sites si ON si.id = s.site_id
     WHERE s.id = :session_id FOR UPDATE OF s
""")


def lock(session: Session, session_id: uuid.UUID) -> _Locked:
    """Lock the session's row until the transaction ends. Raises NotFound."""
    row = session.execute(_LOCK, {"session_id": session_id}).one_or_none()
    if row is None:
        raise NotFound("This chat no longer exists.")
    now = clock.now()
    return _Locked(
        now if row[2] is None else max(now, row[2]),
        known_site(session, row[0], row[1]),
        row[3],
        row[4],
        row[5],
        row[6],
    )


_LINES = """
    (SELECT json_agg(json_build_array(m.id, m.role, m.text, m.created_at, m.input ->> 'field')
                     ORDER BY m.created_at, m.id)
       FROM (SELECT * FROM messages WHERE session_id = :session_id
              ORDER BY id DESC LIMIT :lines_read) m)
"""
# A data-changing WITH is run whether or not it is read; the outer SELECT sees the table as it
# was before, so the new message is added to the transcript by hand.
_STORE = text(f"""
    WITH stored AS (
        INSERT INTO messages (session_id, role, text, created_at, client_id)
        VALUES (:session_id, 'visitor', :text, :now, :client_id)
        ON CONFLICT (session_id, client_id) WHERE client_id IS NOT NULL DO NOTHING
        RETURNING id
    ), counted AS (
        UPDATE chat_sessions SET message_count = message_count + 1, last_message_at = :now
         WHERE id = :session_id AND EXISTS (SELECT FROM stored)
    ), leased AS (
        INSERT INTO turns (session_id, message_id, token, expires_at)
        SELECT :session_id, id, :token, :expires_at FROM stored
        ON CONFLICT (session_id) DO UPDATE SET
            message_id = excluded.message_id,
            token = CASE WHEN turns.expires_at <= :now THEN excluded.token
                         ELSE turns.token END,
            expires_at = CASE WHEN turns.expires_at <= :now THEN excluded.expires_at
                              ELSE turns.expires_at END
        RETURNING token = :token AS is_ours
    )
    SELECT (SELECT id FROM stored), (SELECT is_ours FROM leased), {_LINES}
""")  # noqa: S608 - put together from constants
_BY_CLIENT_ID = text("""
    SELECT id, role, text, created_at, client_id FROM messages
     WHERE session_id = :session_id AND client_id = :client_id
""")


def store_message(
    session: Session, session_id: uuid.UUID, client_id: uuid.UUID, words: str
) -> tuple[StoredMessage, Lease | None]:
    """Store a visitor's message, unless this client id is stored already, and take the turn if
    nobody has it. Raises NotFound.
    """
    locked = lock(session, session_id)
    token = uuid.uuid4()
    message_id, is_ours, lines = session.execute(
        _STORE,
        {
            "session_id": session_id,
            "text": words,
            "client_id": client_id,
            "token": token,
            "lines_read": LINES_READ,
            **_lease_times(locked),
        },
    ).one()
    if message_id is None:
        row = session.execute(
            _BY_CLIENT_ID, {"session_id": session_id, "client_id": client_id}
        ).one()
        return StoredMessage(*row), None
    message = StoredMessage(message_id, "visitor", words, locked.now, client_id)
    events.announce(session, "sessions", session_id)
    if not is_ours:
        return message, None
    own_line = Line(message_id, "visitor", words, locked.now)
    transcript = _transcript(session_id, locked, [*_lines(lines), own_line])
    return message, Lease(session_id, token, message_id, transcript, locked.site)


_CLAIM = text(f"""
    WITH claimed AS (
        UPDATE turns SET token = :token, expires_at = :expires_at
         WHERE session_id = :session_id AND expires_at <= :now
        RETURNING message_id
    )
    SELECT (SELECT message_id FROM claimed), {_LINES}
""")  # noqa: S608 - put together from constants


def claim(session: Session, session_id: uuid.UUID) -> Lease | None:
    """Take a turn that is due: nobody is answering it any more. None when there is none."""
    locked = lock(session, session_id)
    token = uuid.uuid4()
    message_id, lines = session.execute(
        _CLAIM,
        {
            "session_id": session_id,
            "token": token,
            "lines_read": LINES_READ,
            **_lease_times(locked),
        },
    ).one()
    if message_id is None:
        return None
    transcript = _transcript(session_id, locked, _lines(lines))
    return Lease(session_id, token, message_id, transcript, locked.site)


_REPLY = text("""
    WITH held AS (
        SELECT message_id FROM turns WHERE session_id = :session_id AND token = :token
    ), stored AS (
        INSERT INTO messages (session_id, role, text, created_at, reply_to_id, input)
        SELECT :session_id, 'assistant', :text, :now, :read_through, :input FROM held
        RETURNING id
    ), ended AS (
        DELETE FROM turns USING held
         WHERE session_id = :session_id AND held.message_id <= :read_through
    ), due AS (
        UPDATE turns SET token = NULL, expires_at = :now FROM held
         WHERE session_id = :session_id AND held.message_id > :read_through
    ), counted AS (
        UPDATE chat_sessions SET message_count = message_count + 1, last_message_at = :now,
               assistant_engaged = true, draft = :draft
         WHERE id = :session_id AND EXISTS (SELECT FROM stored)
    )
    SELECT id FROM stored
""")


def store_reply(
    session: Session, lease: Lease, reply: Reply
) -> tuple[StoredMessage, str] | None:
    """Store the answer of this lease and end its turn; None when the lease was lost.

    Gives the stored answer and the session's completion status. A message that came meanwhile
    leaves the turn due.
    """
    locked = lock(session, lease.session_id)
    shown_input = reply.input.to_json()
    reply_id = session.execute(
        _REPLY,
        {
            "session_id": lease.session_id,
            "token": lease.token,
            "text": reply.text,
            "now": locked.now,
            "read_through": lease.message_id,
            "input": json.dumps(shown_input, ensure_ascii=False),
            "draft": json.dumps(reply.draft.to_json(), ensure_ascii=False),
        },
    ).scalar()
    if reply_id is None:
        return None
    events.announce(session, "sessions", lease.session_id)
    stored = StoredMessage(reply_id, "assistant", reply.text, locked.now, None, shown_input)
    return stored, locked.completion_status


def _lease_times(locked: _Locked) -> dict[str, datetime]:
    seconds = assistant_for(locked.site.profile).timeout_seconds + LEASE_MARGIN_SECONDS
    return {"now": locked.now, "expires_at": locked.now + timedelta(seconds=seconds)}


def _lines(rows: list[list[Any]] | None) -> list[Line]:
    return [
        Line(row[0], row[1], row[2], datetime.fromisoformat(row[3]), row[4]) for row in rows or ()
    ]


def _transcript(session_id: uuid.UUID, locked: _Locked, lines: list[Line]) -> Transcript:
    return Transcript(
        session_id=str(session_id),
        lines=tuple(lines),
        draft=Draft.from_json(locked.draft),
        locale=locked.locale,
        timezone=locked.timezone,
        is_completed=locked.completion_status == "completed",
    )
