"""Is this still the table we have read, or was it emptied or made anew and starts at 1 again?

To take an old table for a new one would double every line; to take a new one for the old would
lose its first ones. So a table is the same as long as any row of it says what we have stored.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from app.chat.ingest import session_key_of
from app.core import clock
from app.gateways.n8n_memory import Unreadable, read
from app.models import MemorySource
from app.sync import access, gaps, rows, sources
from app.sync.rows import Look, SourceRow
from app.sync.sources import Source

#: How many rows are compared, of either kind.
SAMPLE = 50
_KNOWN_NUMBERS = text("""
    SELECT source_row FROM messages WHERE source_id = :source AND source_row <= :high
     ORDER BY source_row DESC LIMIT :most
""")
_KNOWN = text("""
    SELECT m.source_row, m.text, c.id, c.external_session_id
      FROM messages m JOIN chat_sessions c ON c.id = m.session_id
     WHERE m.source_id = :source AND m.source_row = ANY(CAST(:rows AS bigint[]))
""")
_RELEASE = text("""
    UPDATE messages SET source_id = NULL, source_row = NULL
     WHERE source_id = :source AND source_row = ANY(CAST(:rows AS bigint[]))
""")
_EXPLAINED = text("""
    SELECT s.source_row FROM memory_rows_set_aside s
     WHERE s.source_id = :source AND s.source_row = ANY(CAST(:rows AS bigint[]))
""")
_GONE = text("""
    SELECT coalesce(external_session_id, session_id::text) FROM deleted_sessions
     WHERE external_session_id = ANY(CAST(:keys AS text[]))
        OR session_id::text = ANY(CAST(:keys AS text[]))
""")


def is_recognised(state: Row[Any], look: Look) -> bool:
    """By the row we remember: the same conversation, and the same words or the same file."""
    if state.anchor_row is None:
        return bool(state.high_row == 0)
    anchor = look.anchor
    if anchor is None or anchor.session != state.anchor_session:
        return False
    return anchor.fingerprint() == state.anchor_hash or bool(look.relation == state.relation)


@dataclass(frozen=True, slots=True)
class Verdict:
    """`newest`: the highest row that says what we have stored. Above it the table may have been
    taken back to an earlier state, and its numbers be used again.
    """

    is_same: bool
    newest: SourceRow | None = None


def compare(session: Session, source: Source, state: Row[Any], seconds: float | None) -> Verdict:
    """A closer look: do the table's rows say what we have stored?

    A table without any row that tells counts as the same: there is time to find out.
    """
    found = _sample(session, source, state.high_row, seconds)
    known = {
        row.source_row: row
        for row in session.execute(_KNOWN, {"source": source.id, "rows": [row.id for row in found]})
    }
    pairs = [(row, known[row.id]) for row in found if row.id in known]
    same = [row for row, stored in pairs if _is_session(row, stored)]
    equal = [row for row, stored in pairs if _is_session(row, stored) and _is_text(row, stored)]
    if equal:
        return Verdict(True, max(equal, key=lambda row: row.id))
    # Every text was changed, and every row still belongs to its own conversation.
    if len(same) == len(pairs) and len({row.session for row in same}) > 1:
        return Verdict(True, max(same, key=lambda row: row.id))
    strange = [row for row in found if row.id not in known or row not in same]
    return Verdict(not _is_any_new(session, source, strange, known))


def go_back(session: Session, source: Source, newest: SourceRow) -> None:
    """Read on after this row: what is above it was deleted, or replaced by other rows."""
    sources.change(
        session,
        source.id,
        high_row=newest.id,
        anchor_row=newest.id,
        anchor_session=newest.session,
        anchor_hash=newest.fingerprint(),
    )
    gaps.forget(session, source.id, above=newest.id)


def release_used_again(session: Session, source: Source, found: Sequence[SourceRow]) -> None:
    """These rows are new: messages that have their numbers came from rows that are no more."""
    numbers = [row.id for row in found]
    if not numbers:
        return
    stored = session.execute(_KNOWN, {"source": source.id, "rows": numbers}).all()
    if stored:
        by_number = {row.id: row for row in found}
        used = [
            each.source_row for each in stored if not _is_session(by_number[each.source_row], each)
        ]
        session.execute(_RELEASE, {"source": source.id, "rows": used})


def begin_anew(session: Session, source: Source) -> Source:
    """The table's life is over; a new one begins at its first row. Gives the new source."""
    now = clock.now()
    sources.change(session, source.id, ended_at=now)
    gaps.forget(session, source.id)
    fresh = MemorySource(table_name=source.table, created_at=now)
    session.add(fresh)
    session.flush()
    return Source(fresh.id, source.table, source.site_id)


def _sample(
    session: Session, source: Source, high_row: int, seconds: float | None
) -> list[SourceRow]:
    """Rows that should be known: those we have stored last, and the table's lowest and highest."""
    stored = list(
        session.scalars(_KNOWN_NUMBERS, {"source": source.id, "high": high_row, "most": 2 * SAMPLE})
    )

    def question(connection: Any, milliseconds: int) -> list[SourceRow]:
        return [
            *rows.numbered(connection, milliseconds, source.table, stored),
            *rows.ends(connection, milliseconds, source.table, high_row, SAMPLE),
        ]

    found = {row.id: row for row in access.ask(session, question, seconds)}
    if not found:
        return []
    missed = gaps.between(session, source.id, min(found), max(found))
    return [
        row for row in found.values() if not any(gap.first <= row.id <= gap.last for gap in missed)
    ]


def _is_session(row: SourceRow, stored: Row[Any]) -> bool:
    return session_key_of(row.session) in (stored.external_session_id, str(stored.id))


def _is_text(row: SourceRow, stored: Row[Any]) -> bool:
    return _plain(_words(row)) == _plain(stored.text)


def _plain(words: str) -> str:
    return " ".join(words.split())[:500]


def _words(row: SourceRow) -> str:
    try:
        line = read(row.message or "")
    except Unreadable:
        return ""
    return line.text if line else ""


def _is_any_new(
    session: Session, source: Source, strange: Sequence[SourceRow], known: dict[int, Row[Any]]
) -> bool:
    """Is there a row that we should have stored, and have not? Tools' rows, rows set aside and
    those of deleted conversations are not stored.
    """
    numbers = [row.id for row in strange]
    aside = set(session.scalars(_EXPLAINED, {"source": source.id, "rows": numbers}))
    keys = list({session_key_of(row.session) for row in strange})
    gone = set(session.scalars(_GONE, {"keys": keys}))
    return any(
        row.id in known
        or (row.id not in aside and session_key_of(row.session) not in gone and bool(_words(row)))
        for row in strange
    )
