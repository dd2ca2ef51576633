"""Conversations that others wrote, into sessions and messages: whatever wrote them, once.

However many conversations a call brings, its statements stay the same dozen. The sessions' rows
are locked in the order of their ids before anything is compared or written.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy.orm import Session

from app.assistants.readable import readable
from app.chat import ingest_sessions, ingest_store
from app.chat.ingest_leads import keep_leads, read_drafts
from app.chat.ingest_sessions import session_key_of
from app.chat.ingest_store import New, Touched
from app.chat.ingest_times import times
from app.chat.outside import Channel, Incoming, Ingested, Outside
from app.chat.twins import Row, Stored, Twin, match
from app.completion import layers
from app.completion.judge import judge
from app.core import clock, events
from app.models.message_text import fitted, storable

__all__ = ["Channel", "Incoming", "Ingested", "Outside", "ingest", "session_key_of"]


def ingest(
    session: Session,
    conversations: Sequence[Outside],
    *,
    cause: str,
    source_id: int | None = None,
) -> Ingested:
    """Store what is new of these conversations and judge them, all in the caller's transaction.

    `source_id`: the memory whose rows these are; for lines with a `source_row`. `cause`: the layer
    that judges; when it is off, the lines are stored and left for another.
    """
    now = clock.now()
    done = Ingested()
    lines = _lines_by_session(session, conversations, now, source_id, done)
    _drop_known(session, lines, source_id, done)
    touched = _touched(session, lines, source_id, done, now)
    for each in touched:
        _place(each, source_id, now, done)
    touched = [each for each in touched if each.new or each.links]
    ingest_store.write(session, touched, source_id, is_checked=layers.is_active(cause))
    for each in touched:
        done.messages_added += len(each.added)
        done.duplicates += len(each.new) - len(each.added)
        _add_to_transcript(each, source_id)
    changed = [each for each in touched if each.added]
    read_drafts(session, changed)
    ingest_store.update(session, changed)
    _judge(session, changed, cause, done)
    for each in changed:
        events.announce(session, "sessions", each.chat.id)
    return done


def _lines_by_session(
    session: Session,
    conversations: Sequence[Outside],
    now: datetime,
    source_id: int | None,
    done: Ingested,
) -> dict[uuid.UUID, list[Incoming]]:
    """What is to be stored in each session: fitting lines, each row and each id once."""
    found = ingest_sessions.resolve(session, conversations, now, has_tails=source_id is not None)
    done.sessions_created = len(found.made)
    lines: dict[uuid.UUID, list[Incoming]] = {}
    seen: set[object] = set()
    for conversation, session_id in zip(conversations, found.sessions, strict=True):
        if session_id is not None:
            done.sessions[conversation.session_key] = session_id
        for line in conversation.lines:
            words = fitted(line.text)
            if not words:
                continue
            own_id = None if line.external_id is None else storable(line.external_id)
            name = line.source_row if own_id is None else (session_id, own_id)
            if session_id is None or name in seen:
                done.duplicates += 1
                continue
            if name is not None:
                seen.add(name)
            line = replace(line, text=words, external_id=own_id)  # noqa: PLW2901
            lines.setdefault(session_id, []).append(line)
    for session_id in found.made:
        events.announce(session, "sessions", session_id)
    return lines


def _drop_known(
    session: Session, lines: dict[uuid.UUID, list[Incoming]], source_id: int | None, done: Ingested
) -> None:
    """Take out what is stored already, and the sessions of which nothing is left."""
    pairs = [(chat, each.external_id) for chat in lines for each in lines[chat]]
    ids = ingest_store.known_ids(session, [(chat, given) for chat, given in pairs if given])
    numbers = [each.source_row for several in lines.values() for each in several]
    rows = ingest_store.known_rows(
        session, source_id, [number for number in numbers if number is not None]
    )
    for chat, several in list(lines.items()):
        left = [
            each
            for each in several
            if each.source_row not in rows and (chat, each.external_id) not in ids
        ]
        done.duplicates += len(several) - len(left)
        if left:
            lines[chat] = left
        else:
            del lines[chat]


def _touched(
    session: Session,
    lines: dict[uuid.UUID, list[Incoming]],
    source_id: int | None,
    done: Ingested,
    now: datetime,
) -> list[Touched]:
    """The sessions that get something, locked and read; rows that have to wait are held."""
    locked = ingest_sessions.lock(session, lines)
    for deleted in set(lines) - set(locked):
        done.duplicates += len(lines.pop(deleted))
        done.sessions = {key: each for key, each in done.sessions.items() if each != deleted}
    # Somebody else may have stored some of it before we had the locks.
    _drop_known(session, lines, source_id, done)
    touched = {each: Touched(locked[each], lines[each]) for each in sorted(lines)}
    ingest_store.read(session, touched, now)
    for each in touched.values():
        if each.is_being_answered:
            held = [line.source_row for line in each.lines if line.source_row is not None]
            done.held += held
            each.lines = [line for line in each.lines if line.source_row is None]
    return list(touched.values())


def _place(touched: Touched, source_id: int | None, now: datetime, done: Ingested) -> None:
    """Decide what of the session's lines is new, and when it was said."""
    rows = sorted((each.source_row, each) for each in touched.lines if each.source_row is not None)
    for line in touched.lines:
        if line.source_row is None:
            touched.new.append(New(line, min(line.said_at or now, now)))
    if not rows or source_id is None:
        return
    twins: list[Twin] = [Twin("new")] * len(rows)
    if touched.chat.channel == "web" or any(each.is_own for each in touched.stored):
        asked = [Row(number, line.role, line.text) for number, line in rows]
        twins = match(asked, touched.stored, source_id, touched.turn)
    new = [
        (number, line, twin)
        for (number, line), twin in zip(rows, twins, strict=True)
        if twin.kind == "new"
    ]
    touched.links = [each.message for each in twins if each.kind == "link" and each.message]
    done.duplicates += len(rows) - len(new)
    latest = max((each.created_at for each in touched.stored), default=None)
    numbers = [number for number, _, _ in new]
    at = times(numbers, _known(touched.stored, source_id), latest, now)
    is_shown = touched.chat.channel == "web"
    for (_, line, twin), created_at in zip(new, at, strict=True):
        if is_shown and line.role == "assistant":
            line = replace(line, text=fitted(readable(line.text)) or line.text)  # noqa: PLW2901
        touched.new.append(New(line, created_at, touched.turn if twin.is_awaited else None))
        touched.is_answered = touched.is_answered or twin.is_awaited


def _known(stored: Sequence[Stored], source_id: int) -> list[tuple[int, datetime]]:
    return sorted(
        (each.source_row, each.created_at)
        for each in stored
        if each.source_id == source_id and each.source_row is not None
    )


def _add_to_transcript(touched: Touched, source_id: int | None) -> None:
    for each in touched.added:
        assert each.id is not None
        touched.stored.append(
            Stored(each.id, each.line.role, each.line.text, each.created_at, None, source_id)
        )
    touched.stored.sort(key=lambda each: (each.created_at, each.id))


def _judge(session: Session, changed: Sequence[Touched], cause: str, done: Ingested) -> None:
    completed = judge(session, [each.chat.id for each in changed if _is_telling(each)], cause)
    done.completions_found = len(completed)
    done.deliveries_enqueued = sum(each.deliveries_enqueued for each in completed)
    done.leads_created = sum(each.is_new_lead for each in completed)
    ids = {each.session_id for each in completed}
    done.leads_created += keep_leads(session, [each for each in changed if each.chat.id not in ids])


def _is_telling(touched: Touched) -> bool:
    """Whether the new lines could complete: an assistant's, or a visitor's before one of these."""
    new = {each.id for each in touched.added}
    has_visitor_spoken_anew = False
    for each in touched.stored:
        if each.role == "visitor":
            has_visitor_spoken_anew = has_visitor_spoken_anew or each.id in new
        elif each.role == "assistant" and (each.id in new or has_visitor_spoken_anew):
            return True
    return False
