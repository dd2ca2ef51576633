"""A turn: a visitor's message is stored, an assistant thinks, its answer is stored (rule 3).

Two short transactions with nothing held in between. Between them stands a row in `turns`: a
lease that is fenced by its token, so that of two answers to one message only one is stored, and
a message whose answerer died is answered by whoever finds the lease run out.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Integer, cast, select, true

from app.assistants.base import Reply
from app.assistants.registry import SCRIPTED, assistant_for
from app.chat import wait_slots
from app.chat.answer import answer
from app.chat.lease_keeper import kept
from app.chat.messages import Conversation, StoredMessage, exchange
from app.chat.turn_store import MOST_BREAKS, Lease, claim, store_message, store_reply
from app.chat.wait_slots import PATIENCE_SECONDS, Wait
from app.completion import layers
from app.completion.complete import complete
from app.completion.known_sites import last_known
from app.core import clock
from app.core.db import transaction
from app.core.errors import Conflict
from app.core.notices import announce_soon
from app.leads.changes import take_over
from app.leads.record import has_contact_detail
from app.models import Turn

#: How long a due turn is left to the request that waits for it before the worker answers it.
OVERDUE_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Received:
    """A stored visitor message: the caller's to answer (`lease`), or to wait for (`wait`), or
    answered already (`answered`).
    """

    session_id: uuid.UUID
    message: StoredMessage
    lease: Lease | None = None
    wait: Wait | None = None
    answered: Conversation | None = None


def is_quick(site_id: uuid.UUID) -> bool:
    """Whether this site's turns take milliseconds, as far as this process knows."""
    site = last_known(site_id)
    return site is not None and assistant_for(site.profile) is SCRIPTED


def receive(session_id: uuid.UUID, client_id: uuid.UUID, text: str) -> Received:
    """Transaction 1: store the message, once however often it comes.

    Raises NotFound, and Conflict when too many requests wait behind the session's running turn:
    then a new message is not stored, and the same client id may be sent again.
    """
    message, held = store_message(session_id, client_id, text)
    if held is None:
        return _repeated(session_id, message)
    announce_soon("sessions", session_id)
    if isinstance(held, Lease):
        return Received(session_id, message, lease=held)
    return Received(session_id, message, wait=held)


def _repeated(session_id: uuid.UUID, message: StoredMessage) -> Received:
    """A message that was stored before: its answer, or the turn, or a slot behind it."""
    if answered := _find_answer(session_id, message):
        return Received(session_id, message, answered=answered)
    if lease := claim(session_id):
        return Received(session_id, message, lease=lease)
    if wait := wait_slots.take(session_id):
        return Received(session_id, message, wait=wait)
    if answered := _find_answer(session_id, message):  # the turn may have ended meanwhile
        return Received(session_id, message, answered=answered)
    raise wait_slots.too_many()


def _find_answer(session_id: uuid.UUID, message: StoredMessage) -> Conversation | None:
    with transaction() as session:
        return exchange(session, session_id, message.id)


def respond(received: Received) -> Iterator[str | Conversation]:
    """Yield the answer's words as they come, then the message with its answer as stored.

    Who stops listening half-way still leaves a whole answer behind. Raises Conflict when an
    answer that somebody else is making takes too long.
    """
    if received.answered is not None:
        yield received.answered
        return
    lease, wait = received.lease, received.wait
    give_up_at = time.monotonic() + PATIENCE_SECONDS
    pause_seconds = 0.02
    try:
        while True:
            if lease is not None:
                answered = yield from _think(lease)
                if answered is not None:
                    yield Conversation(
                        [received.message, *answered.messages],
                        answered.input,
                        answered.completion_status,
                    )
                    return
            found = _find_answer(received.session_id, received.message)
            if found is not None:
                yield found
                return
            lease = claim(received.session_id)
            if lease is None:
                if time.monotonic() > give_up_at:
                    raise Conflict("The answer is still being made. Please ask again.", 2)
                time.sleep(pause_seconds)
                pause_seconds = min(pause_seconds * 2, 0.5)
            elif wait is not None:  # who answers does not count as waiting
                wait_slots.free(wait)
                wait = None
    finally:
        if wait is not None:
            wait_slots.free(wait)


def finish(received: Received) -> None:
    """Make the answer that is the caller's to make, though nobody listens any more."""
    if received.wait is not None:
        wait_slots.free(received.wait)
    if received.lease is not None:
        for _ in _think(received.lease):
            pass


def waiting(limit: int = 50, *, is_broken: bool | None = None) -> Sequence[uuid.UUID]:
    """Sessions with a message that nobody answers, the longest waiting first; for the worker.

    `is_broken`: only those whose answerer died over it, which may kill the next one, too, or only
    the others. A turn that is given up kills nobody.
    """
    overdue = clock.now() - timedelta(seconds=OVERDUE_SECONDS)
    breaks = Turn.breaks + cast(Turn.token.is_not(None), Integer)
    is_suspect = (breaks > 0) & (breaks < MOST_BREAKS)
    with transaction() as session:
        return session.scalars(
            select(Turn.session_id)
            .where(Turn.expires_at < overdue)
            .where(true() if is_broken is None else is_suspect == is_broken)
            .order_by(Turn.expires_at)
            .limit(limit)
        ).all()


def answer_waiting(session_id: uuid.UUID) -> bool:
    """Answer this session's message, unless somebody else is at it. Where `waiting` says that its
    answerer died, this must be all that the process does.
    """
    lease = claim(session_id, is_alone=True)
    if lease is None:
        return False
    for _ in _think(lease):
        pass
    return True


def _think(lease: Lease) -> Generator[str, None, Conversation | None]:
    """Let the assistant answer; None when the lease was lost meanwhile."""
    thoughts = answer(lease)
    reply: Reply | None = None
    with kept(lease.token):
        try:
            for part in thoughts:
                if isinstance(part, Reply):
                    reply = part
                else:
                    yield part
        except GeneratorExit:
            _record(lease, reply or next(part for part in thoughts if isinstance(part, Reply)))
            raise
        assert reply is not None, "an answer ends with a Reply"
        return _record(lease, reply)


def _record(lease: Lease, reply: Reply) -> Conversation | None:
    """Transaction 2: the answer, and all that follows from it, or nothing."""
    before, site = lease.transcript, lease.site
    is_checked = layers.is_active("live")
    phrase = site.rule.find(reply.text) if is_checked else None
    is_news = reply.draft.answers != before.draft.answers
    # A detail that is taken back is news, too.
    has_lead = before.is_completed or any(map(has_contact_detail, (before.draft, reply.draft)))
    if phrase or (is_news and has_lead):
        with transaction() as session:
            stored = store_reply(lease, reply, session, is_checked=is_checked)
            if stored is None:
                return None
            message, status = stored
            if phrase and status != "completed":
                complete(
                    session,
                    lease.session_id,
                    site.profile,
                    cause="live",
                    phrase=phrase,
                    message_id=message.id,
                )
                status = "completed"
            elif is_news:
                is_completed = status == "completed"
                take_over(session, lease.session_id, site.profile, reply.draft, is_completed)
            session.expunge_all()
    else:
        stored = store_reply(lease, reply, is_checked=is_checked)
        if stored is None:
            return None
        message, status = stored
    announce_soon("sessions", lease.session_id)
    return Conversation([message], message.input or {}, status)
