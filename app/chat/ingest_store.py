"""The rows of an ingest: each kind read and written in one statement, however many there are."""

from __future__ import annotations

import json
import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from app.chat.outside import Incoming
from app.chat.twins import Stored
from app.models.transcript import Draft

#: What a visitor may do after an answer that N8n gave.
FREE_INPUT = {"type": "text", "required": False}


@dataclass(slots=True)
class New:
    """A line to be stored. `reply_to_id`: it is the answer a visitor waits for."""

    line: Incoming
    created_at: datetime
    reply_to_id: int | None = None
    id: int | None = None


@dataclass(slots=True)
class Touched:
    """A session with lines that are not known yet. `chat`: its locked row; `stored`: its
    transcript so far, oldest first; `turn`: the visitor's message that waits for an answer.
    """

    chat: Row[Any]
    lines: list[Incoming] = field(default_factory=list)
    stored: list[Stored] = field(default_factory=list)
    turn: int | None = None
    is_being_answered: bool = False
    is_answered: bool = False
    new: list[New] = field(default_factory=list)
    links: list[Stored] = field(default_factory=list)
    draft: Draft | None = None

    @property
    def added(self) -> list[New]:
        return [each for each in self.new if each.id is not None]


# LATERAL: each row and each session is one look-up. Left to itself, PostgreSQL may read a whole
# index of a long history instead.
_KNOWN_ROWS = text("""
    SELECT known.source_row FROM unnest(CAST(:rows AS bigint[])) AS w (source_row)
     CROSS JOIN LATERAL (SELECT m.source_row FROM messages m
                          WHERE m.source_id = :source_id AND m.source_row = w.source_row
                          LIMIT 1) known
""")
_KNOWN_IDS = text("""
    SELECT m.session_id, m.external_id
      FROM json_to_recordset(CAST(:wanted AS json)) AS w (session_id uuid, external_id text)
      JOIN messages m ON m.session_id = w.session_id AND m.external_id = w.external_id
""")


def known_rows(session: Session, source_id: int | None, rows: Sequence[int]) -> set[int]:
    """Which of these rows of the source are stored already."""
    if not rows or source_id is None:
        return set()
    return set(session.scalars(_KNOWN_ROWS, {"source_id": source_id, "rows": list(rows)}))


def known_ids(
    session: Session, pairs: Sequence[tuple[uuid.UUID, str]]
) -> set[tuple[uuid.UUID, str]]:
    """Which of these (session, external id) are stored already."""
    if not pairs:
        return set()
    wanted = [{"session_id": str(chat), "external_id": given} for chat, given in pairs]
    rows = session.execute(_KNOWN_IDS, {"wanted": json.dumps(wanted)})
    return {(row.session_id, row.external_id) for row in rows}


_TURNS = text("""
    SELECT t.session_id, t.message_id,
           t.token IS NOT NULL AND t.expires_at > CAST(:now AS timestamptz) AS is_being_answered,
           EXISTS (SELECT FROM messages m WHERE m.session_id = t.session_id
                      AND m.reply_to_id >= t.message_id) AS has_reply
      FROM turns t WHERE t.session_id = ANY(CAST(:ids AS uuid[]))
""")
_TRANSCRIPTS = text("""
    SELECT m.* FROM unnest(CAST(:ids AS uuid[])) AS w (id)
     CROSS JOIN LATERAL (
        SELECT session_id, id, role, text, created_at, input ->> 'field' AS field, source_id,
               source_row, client_id IS NOT NULL OR external_id IS NOT NULL OR source_row IS NULL
               OR reply_to_id IS NOT NULL AS is_own, client_id IS NOT NULL AS is_typed
          FROM messages WHERE session_id = w.id OFFSET 0) m
     ORDER BY m.created_at, m.id
""")


def read(session: Session, touched: Mapping[uuid.UUID, Touched], now: datetime) -> None:
    """The turns and transcripts of these locked sessions."""
    ids = [str(each) for each in touched]
    if not ids:
        return
    for row in session.execute(_TURNS, {"ids": ids, "now": now}):
        each = touched[row.session_id]
        each.is_being_answered = row.is_being_answered
        each.turn = None if row.has_reply else row.message_id
    for session_id, *values in session.execute(_TRANSCRIPTS, {"ids": ids}):
        touched[session_id].stored.append(Stored(*values))


_LINK = text("""
    UPDATE messages m SET source_id = :source_id, source_row = w.source_row
      FROM json_to_recordset(CAST(:links AS json)) AS w (id bigint, source_row bigint)
     WHERE m.id = w.id
""")
_INSERT = text("""
    INSERT INTO messages (session_id, role, text, created_at, reply_to_id, input, external_id,
                          source_id, source_row, is_checked)
    SELECT session_id, role, text, created_at, reply_to_id, input, external_id,
           CASE WHEN source_row IS NOT NULL THEN CAST(:source_id AS int) END, source_row,
           :is_checked
      FROM json_to_recordset(CAST(:lines AS json))
           AS w (n int, session_id uuid, role text, text text, created_at timestamptz,
                 reply_to_id bigint, input jsonb, external_id text, source_row bigint)
     ORDER BY n
    ON CONFLICT DO NOTHING
    RETURNING id, session_id, external_id, source_row
""")
_END_TURNS = text("DELETE FROM turns WHERE session_id = ANY(CAST(:ids AS uuid[]))")


def write(
    session: Session, touched: Iterable[Touched], source_id: int | None, *, is_checked: bool
) -> None:
    """Store the links and the new lines; those that were stored get their id."""
    links = [each for one in touched for each in one.links]
    if links:
        values = [{"id": each.id, "source_row": each.source_row} for each in links]
        session.execute(_LINK, {"source_id": source_id, "links": json.dumps(values)})
    answered = [str(each.chat.id) for each in touched if each.is_answered]
    if answered:
        session.execute(_END_TURNS, {"ids": answered})
    new = [(each.chat.id, one) for each in touched for one in each.new]
    if not new:
        return
    values = [_line(number, *each) for number, each in enumerate(new)]
    rows = session.execute(
        _INSERT,
        {
            "source_id": source_id,
            "is_checked": is_checked,
            "lines": json.dumps(values, ensure_ascii=False),
        },
    )
    waiting: dict[Any, list[New]] = defaultdict(list)
    for session_id, one in new:
        waiting[session_id, one.line.external_id, one.line.source_row].append(one)
    for row in rows:
        waiting[row.session_id, row.external_id, row.source_row].pop(0).id = row.id


def _line(number: int, session_id: uuid.UUID, new: New) -> dict[str, Any]:
    return {
        "n": number,
        "session_id": str(session_id),
        "role": new.line.role,
        "text": new.line.text,
        "created_at": new.created_at.isoformat(),
        "reply_to_id": new.reply_to_id,
        "input": FREE_INPUT if new.reply_to_id is not None else None,
        "external_id": new.line.external_id,
        "source_row": new.line.source_row,
    }


_UPDATE = text("""
    UPDATE chat_sessions s
       SET message_count = s.message_count + w.added,
           started_at = CASE WHEN s.external_session_id IS NULL THEN s.started_at
                             ELSE least(s.started_at, w.first_at) END,
           last_message_at = greatest(s.last_message_at, w.last_at),
           assistant_engaged = s.assistant_engaged OR w.is_engaged,
           draft = coalesce(w.draft, s.draft)
      FROM json_to_recordset(CAST(:sessions AS json))
           AS w (id uuid, added int, first_at timestamptz, last_at timestamptz,
                 is_engaged boolean, draft jsonb)
     WHERE s.id = w.id
""")


def update(session: Session, touched: Iterable[Touched]) -> None:
    """Bring the sessions' counters, times and drafts up to their new lines."""
    values = [_session(each) for each in touched]
    if values:
        session.execute(_UPDATE, {"sessions": json.dumps(values, ensure_ascii=False)})


def _session(touched: Touched) -> dict[str, Any]:
    times = [each.created_at for each in touched.added]
    return {
        "id": str(touched.chat.id),
        "added": len(times),
        "first_at": min(times).isoformat() if times else None,
        "last_at": max(times).isoformat() if times else None,
        "is_engaged": _is_engaged(touched),
        "draft": touched.draft.to_json() if touched.draft else None,
    }


def _is_engaged(touched: Touched) -> bool:
    has_visitor_spoken = False
    for each in touched.stored:
        if each.role == "visitor":
            has_visitor_spoken = True
        elif each.role == "assistant" and has_visitor_spoken:
            return True
    return False
