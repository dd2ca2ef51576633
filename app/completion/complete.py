"""The one door through which a session completes (design rule 1)."""

from __future__ import annotations

import logging
import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from app.core import clock, events
from app.delivery import outbox, payload
from app.delivery.destinations import active_destinations
from app.leads.extraction import extract
from app.leads.record import record, record_all
from app.models.site_profile import SiteProfile
from app.models.transcript import Draft, Transcript

logger = logging.getLogger(__name__)

_COMPLETE = text(f"""
    WITH asked AS (
        SELECT * FROM unnest(CAST(:ids AS uuid[]), CAST(:phrases AS text[]),
                             CAST(:message_ids AS bigint[])) AS a (id, phrase, message_id)
    ), completed AS (
        UPDATE chat_sessions s
           SET completion_status = 'completed', completed_at = :now, completion_cause = :cause,
               completion_phrase = asked.phrase, completion_message_id = asked.message_id
          FROM asked WHERE s.id = asked.id AND s.completion_status = 'in_progress' RETURNING s.*
    ), told AS (
        INSERT INTO session_events (session_id, at, kind, cause, phrase, message_id, user_id)
        SELECT id, :now, 'completed', :cause, completion_phrase, completion_message_id,
               CAST(:user_id AS uuid)
          FROM completed
    )
    SELECT *, ({payload.LINES_OF_COMPLETED}) AS lines FROM completed
""")  # noqa: S608 - put together from constants


@dataclass(frozen=True, slots=True)
class Promise:
    """What completes a session: `phrase` in the message `message_id`, or a person's word."""

    session_id: uuid.UUID
    site: SiteProfile
    phrase: str | None = None
    message_id: int | None = None


@dataclass(frozen=True, slots=True)
class Completed:
    """What a completion brought about."""

    session_id: uuid.UUID
    is_new_lead: bool
    deliveries_enqueued: int


def complete(
    session: Session,
    session_id: uuid.UUID,
    site: SiteProfile,
    *,
    cause: str,
    phrase: str | None = None,
    message_id: int | None = None,
    user_id: uuid.UUID | None = None,
) -> Completed | None:
    """Complete the session with its lead and deliveries, in the caller's transaction.

    Idempotent: None when it was completed already, or is gone. `cause` is a layer or `user`;
    `phrase` in the message `message_id` is the evidence. The statement that completes locks the
    session's row; of two at once the second waits and finds nothing to do.
    """
    promise = Promise(session_id, site, phrase, message_id)
    done = complete_many(session, [promise], cause=cause, user_id=user_id)
    return done[0] if done else None


def complete_many(
    session: Session, promises: Sequence[Promise], *, cause: str, user_id: uuid.UUID | None = None
) -> list[Completed]:
    """`complete` for several sessions, whose rows are locked already; gives what was not
    completed before.
    """
    if not promises:
        return []
    now = clock.now()
    values = {
        "ids": [str(each.session_id) for each in promises],
        "phrases": [each.phrase for each in promises],
        "message_ids": [each.message_id for each in promises],
        "now": now,
        "cause": cause,
        "user_id": user_id,
    }
    chats = session.connection().execute(_COMPLETE, values).all()
    sites = {each.session_id: each.site for each in promises}
    leads = _leads(session, chats, sites, now)
    sent = _send(session, chats, leads, sites)
    for chat in chats:
        events.announce(session, "sessions", chat.id)
        logger.info(
            "session completed",
            extra={
                "session_id": str(chat.id),
                "cause": cause,
                "phrase": chat.completion_phrase,
                "message_id": chat.completion_message_id,
                "user_id": user_id and str(user_id),
            },
        )
    return [Completed(chat.id, leads[chat.id].created_at == now, sent[chat.id]) for chat in chats]


def _leads(
    session: Session,
    chats: Sequence[Row[Any]],
    sites: Mapping[uuid.UUID, SiteProfile],
    now: datetime,
) -> dict[uuid.UUID, Row[Any]]:
    drafts = [(chat.id, sites[chat.id], _draft(chat, sites[chat.id])) for chat in chats]
    return record_all(session, drafts, now, is_completed=True)


def _send(
    session: Session,
    chats: Sequence[Row[Any]],
    leads: Mapping[uuid.UUID, Row[Any]],
    sites: Mapping[uuid.UUID, SiteProfile],
) -> Counter[uuid.UUID | None]:
    """How many deliveries of each session."""
    contents = {
        chat.id: payload.of_lead(
            leads[chat.id], chat, sites[chat.id], payload.read_lines(chat.lines)
        )
        for chat in chats
    }
    # Only what was open by a person's word can have been sent before.
    anew = [chat.id for chat in chats if chat.discounted_message_id is not None]
    sent: Counter[uuid.UUID | None] = Counter()
    for session_id in anew:
        sent[session_id] = len(outbox.enqueue_again(session, contents.pop(session_id)))
    first = list(contents.values())
    new = outbox.enqueue_many(session, "lead.completed", first, active_destinations())
    sent.update(new.values())
    return sent


def lead_of(
    session: Session, chat: Row[Any], site: SiteProfile
) -> tuple[Row[Any], payload.Content]:
    """The completed session's lead, made or brought up to what was said, and what is told of it.

    `chat`: its row, locked, with `lines` as `payload.LINES` gives them.
    """
    lead, _ = record(session, chat.id, site, _draft(chat, site), is_completed=True)
    return lead, payload.of_lead(lead, chat, site, payload.read_lines(chat.lines))


def _draft(chat: Row[Any], site: SiteProfile) -> Draft:
    lines = payload.read_lines(chat.lines)
    before = Draft.from_json(chat.draft)
    return extract(Transcript(str(chat.id), lines, before, is_completed=True), site)
