"""The rows of a turn. Every change of a turn happens under the lock of its session's row.

The path of a message is the hottest of the product: its two transactions are one call each of a
function in the database (docs/decisions/0001-turn-functions.md; `make bench` measures them).
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
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
from app.models.transcript import Draft, Line, Transcript

#: How long a turn is its answerer's who gives no sign of life (`lease_keeper` gives them).
LEASE_SECONDS = 10.0
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
    UPDATE turns SET token = :token, expires_at =
           :now + make_interval(secs => :seconds)
      FROM chat WHERE turns.session_id = chat.id AND turns.expires_at <= :now
    RETURNING turns.message_id, chat.site_id, chat.updated_at, chat.completion_status, chat.draft,
              chat.locale, chat.timezone
""")
_LINES = text("SELECT turn_lines(:session_id, :most)")


def claim(session_id: uuid.UUID) -> Lease | None:
    """Take a turn that is due: nobody is answering it any more. None when there is none."""
    token = uuid.uuid4()
    values = {
        "session_id": session_id,
        "token": token,
        "now": clock.now(),
        "seconds": LEASE_SECONDS,
    }
    with transaction() as session:
        row = session.execute(_CLAIM, values).one_or_none()
        if row is None:
            return None
        lines = session.scalar(_LINES, {"session_id": session_id, "most": LINES_READ})
    message_id, site_id, site_updated_at, *about = row
    site = known_site(site_id, site_updated_at)
    transcript = _transcript(session_id, [*about, lines])
    return Lease(session_id, token, message_id, transcript, site)


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
