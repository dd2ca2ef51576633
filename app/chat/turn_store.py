"""The rows of a turn. Every change of a turn happens under the lock of its session's row.

The path of a message is the hottest of the product: its two transactions are one call each of a
function in the database (docs/decisions/0001-turn-functions.md; `make bench` measures them).
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from app.assistants.base import Reply
from app.assistants.registry import ASSISTANTS
from app.chat.messages import StoredMessage
from app.chat.wait_slots import MOST_UNANSWERED, MOST_WAITING, Wait, new_wait, too_many
from app.completion.known_sites import KnownSite, known_site
from app.core import clock
from app.core.db import call, transaction
from app.core.errors import NotFound
from app.models.transcript import Draft, Input, Line, Transcript

#: How long a turn is its answerer's who gives no sign of life (`lease_keeper` gives them).
LEASE_SECONDS = 10.0
#: How many of a session's newest lines an assistant is given.
LINES_READ = 60
#: A turn whose answerer died this often is given up: it gets an answer that reads none of it.
MOST_BREAKS = 3
#: After its second answerer died, a turn is left to a worker's process of its own for this long.
LEFT_TO_WORKER_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to answer everything up to `message_id`, while `token` is the turn's.

    `breaks`: how many answerers died over it. A turn that is given up has no lines; `last_input` is
    what its visitor was last invited to do.
    """

    session_id: uuid.UUID
    token: uuid.UUID
    message_id: int
    transcript: Transcript
    site: KnownSite
    breaks: int = 0
    last_input: Input | None = None

    @property
    def is_given_up(self) -> bool:
        return self.breaks >= MOST_BREAKS


def store_message(
    session_id: uuid.UUID, client_id: uuid.UUID, words: str
) -> tuple[StoredMessage, Lease | Wait | None]:
    """Store a visitor's message, unless this client id is stored already, and take the turn, or
    wait behind it when another request is answering: transaction 1, in one call.

    Gives neither for a message that was stored before. Raises NotFound, and Conflict, with nothing
    stored, when too many requests or messages wait behind the turn already.
    """
    token, wait = uuid.uuid4(), new_wait(session_id)
    row = call(
        "store_message",
        str(session_id),
        str(client_id),
        words,
        clock.now(),
        str(token),
        _lease_seconds(),
        LINES_READ,
        wait.until,
        MOST_WAITING,
        MOST_UNANSWERED,
    )
    if row is None:
        raise NotFound("This chat no longer exists.")
    message_id, said_at, said, is_new, is_ours, site_id, site_updated_at, *about = row
    if message_id is None:
        raise too_many()
    message = StoredMessage(message_id, "visitor", said, said_at, client_id)
    if not is_ours:
        return message, wait if is_new else None
    site = known_site(uuid.UUID(str(site_id)), site_updated_at)
    transcript = _transcript(session_id, about)
    return message, Lease(session_id, token, message_id, transcript, site)


def store_reply(
    lease: Lease, reply: Reply, session: Session | None = None, *, is_checked: bool
) -> tuple[StoredMessage, str] | None:
    """Store the answer of this lease and end its turn; None when the lease was lost.

    Gives the stored answer and the completion status before it. A transaction of its own, or
    part of `session`'s. `is_checked`: the caller judges it for completion. A message that
    came meanwhile leaves the turn due.
    """
    shown_input = reply.input.to_json()
    row = call(
        "store_reply",
        str(lease.session_id),
        str(lease.token),
        reply.text,
        clock.now(),
        lease.message_id,
        json.dumps(shown_input, ensure_ascii=False),
        json.dumps(reply.draft.to_json(), ensure_ascii=False),
        is_checked,
        session=session,
    )
    if row is None:
        return None
    message_id, said_at, status = row
    return StoredMessage(message_id, "assistant", reply.text, said_at, None, shown_input), status


_CLAIM = text("""
    WITH chat AS MATERIALIZED (
        SELECT s.id, s.site_id, si.updated_at, s.completion_status, s.draft, s.locale, s.timezone
          FROM chat_sessions s JOIN sites si ON si.id = s.site_id
         WHERE s.id = :session_id FOR UPDATE OF s
    )
    UPDATE turns SET token = :token, expires_at = :now + make_interval(secs => :seconds),
           breaks = breaks + (token IS NOT NULL)::int
      FROM chat
     WHERE turns.session_id = chat.id AND turns.expires_at <= :now
       AND (breaks = 0 OR breaks + (token IS NOT NULL)::int >= :most OR :is_alone
            OR turns.expires_at <= :left_alone_since)
    RETURNING turns.message_id, turns.breaks, chat.site_id, chat.updated_at,
              chat.completion_status, chat.draft, chat.locale, chat.timezone
""")
_LINES = text("SELECT turn_lines(:session_id, :most)")
_READ_NO_MORE = text("""
    UPDATE chat_sessions SET read_after_id = :message_id WHERE id = :session_id
    RETURNING (SELECT m.input FROM messages m
                WHERE m.session_id = :session_id AND m.input IS NOT NULL
                ORDER BY m.id DESC LIMIT 1)
""")


def claim(session_id: uuid.UUID, *, is_alone: bool = False) -> Lease | None:
    """Take a turn that is due: nobody is answering it any more. None when there is none.

    A lease that is taken over from somebody was broken, which is counted. After the second time
    only a process that does nothing else takes it (`is_alone`), unless none comes; after the third
    the turn is given up, and no assistant is given its lines again.
    """
    token = uuid.uuid4()
    now = clock.now()
    values = {
        "session_id": session_id,
        "token": token,
        "now": now,
        "seconds": LEASE_SECONDS,
        "most": MOST_BREAKS,
        "is_alone": is_alone,
        "left_alone_since": now - timedelta(seconds=LEFT_TO_WORKER_SECONDS),
    }
    with transaction() as session:
        row = session.execute(_CLAIM, values).one_or_none()
        if row is None:
            return None
        message_id, breaks, site_id, site_updated_at, *about = row
        lines, last_input = None, None
        if breaks >= MOST_BREAKS:
            values = {"session_id": session_id, "message_id": message_id}
            stored_input = session.scalar(_READ_NO_MORE, values)
            last_input = Input.from_json(stored_input) if stored_input else None
        else:
            lines = session.scalar(_LINES, {"session_id": session_id, "most": LINES_READ})
    site = known_site(site_id, site_updated_at)
    transcript = _transcript(session_id, [*about, lines])
    return Lease(session_id, token, message_id, transcript, site, breaks, last_input)


def _lease_seconds() -> str:
    """How long a turn of each assistant is leased, as JSON."""
    return json.dumps(dict.fromkeys(ASSISTANTS, LEASE_SECONDS))


def _transcript(session_id: uuid.UUID, about: Sequence[Any]) -> Transcript:
    """`about`: completion status, draft, locale, time zone, lines, as the database gives them."""
    completion_status, draft, locale, timezone, lines = about
    return Transcript(
        session_id=str(session_id),
        lines=tuple(Line.from_json(line) for line in lines or ()),
        draft=Draft.from_json(draft),
        locale=locale,
        timezone=timezone,
        is_completed=completion_status == "completed",
    )
