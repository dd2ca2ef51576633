"""Rows of a chat memory into conversations, each row on its own: a bad one loses only itself."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from app.chat.ingest import Incoming, Ingested, Outside, ingest, session_key_of
from app.chat.outside import TRIAL
from app.core import clock
from app.gateways.n8n_memory import Unreadable, read
from app.sync.failures import is_passing, sqlstate
from app.sync.report import ReadReport
from app.sync.rows import SourceRow
from app.sync.sources import Source

logger = logging.getLogger(__name__)

CHANNEL: Final = "n8n"
EXCERPT_CHARACTERS = 300
#: What one row's words can do to a database or to our own rules.
_BROKEN = (SQLAlchemyError, ValueError, TypeError, LookupError, RecursionError)
_SET_ASIDE = text("""
    INSERT INTO memory_rows_set_aside
           (source_id, source_row, session_key, reason, excerpt, seen_at)
    SELECT :source, a.row, a.session, a.reason, a.excerpt, :now
      FROM unnest(CAST(:rows AS bigint[]), CAST(:sessions AS text[]), CAST(:reasons AS text[]),
                  CAST(:excerpts AS text[])) AS a (row, session, reason, excerpt)
    ON CONFLICT (source_id, source_row) DO UPDATE
       SET session_key = excluded.session_key, reason = excluded.reason,
           excerpt = excluded.excerpt
""")
_TAKE_BACK = text("""
    DELETE FROM memory_rows_set_aside
     WHERE source_id = :source AND source_row = ANY(CAST(:rows AS bigint[]))
""")


@dataclass(frozen=True, slots=True)
class Line:
    key: str
    incoming: Incoming
    row: SourceRow


@dataclass(frozen=True, slots=True)
class SetAside:
    row: SourceRow
    reason: str


def store(
    session: Session,
    source: Source,
    rows: Sequence[SourceRow],
    cause: str,
    report: ReadReport,
    hopeless: Collection[int] = (),
) -> list[int]:
    """Import these rows in the caller's transaction, and add what came of it to `report`. Those
    with a number in `hopeless` are set aside unread.

    Gives the numbers of rows that have to wait (`Ingested.held`). Raises the database's error when
    another try can cure it.
    """
    lines: list[Line] = []
    bad: list[SetAside] = []
    for row in rows:
        if row.id in hopeless:
            bad.append(SetAside(row, "The program stopped each time it read this row."))
            continue
        try:
            line = _line(row)
        except Unreadable as error:
            bad.append(SetAside(row, str(error)))
        else:
            if line is not None:
                lines.append(line)
    held: list[int] = []
    _ingest(session, source, lines, cause, report, held, bad)
    _set_aside(session, source, bad)
    _take_back(session, source, rows, bad)
    report.rows_read += len(rows)
    report.set_aside += len(bad)
    return held


def _line(row: SourceRow) -> Line | None:
    if row.session.startswith(TRIAL):
        return None
    if not row.session.strip():
        raise Unreadable("It does not say which conversation it belongs to.")
    if row.message is None:
        raise Unreadable("Its message is empty, or larger than 16 MB.")
    found = read(row.message)
    if found is None:
        return None
    return Line(
        session_key_of(row.session), Incoming(found.role, found.text, source_row=row.id), row
    )


def _ingest(
    session: Session,
    source: Source,
    lines: Sequence[Line],
    cause: str,
    report: ReadReport,
    held: list[int],
    bad: list[SetAside],
) -> None:
    """All at once; where that fails, half and half, until the bad row stands alone."""
    if not lines:
        return
    try:
        with session.begin_nested():
            done = ingest(session, _conversations(source, lines), cause=cause, source_id=source.id)
    except _BROKEN as error:
        if is_passing(error):
            raise
        if len(lines) == 1:
            logger.warning(
                "a row of N8n's memory was set aside",
                extra={
                    "table": source.table,
                    "row": lines[0].row.id,
                    # Never the error's own words: they hold what the visitor said.
                    "error": sqlstate(error) or type(error).__name__,
                },
            )
            bad.append(SetAside(lines[0].row, "It could not be stored."))
            return
        half = len(lines) // 2
        for part in (lines[:half], lines[half:]):
            _ingest(session, source, part, cause, report, held, bad)
    else:
        _count(report, done)
        held += done.held


def _conversations(source: Source, lines: Iterable[Line]) -> list[Outside]:
    by_key: dict[str, list[Incoming]] = {}
    for line in lines:
        by_key.setdefault(line.key, []).append(line.incoming)
    return [Outside(source.site_id, CHANNEL, key, said) for key, said in by_key.items()]


def _count(report: ReadReport, done: Ingested) -> None:
    report.sessions_created += done.sessions_created
    report.messages_added += done.messages_added
    report.duplicates += done.duplicates
    report.completions_found += done.completions_found
    report.leads_created += done.leads_created
    report.deliveries_enqueued += done.deliveries_enqueued


def _set_aside(session: Session, source: Source, bad: Sequence[SetAside]) -> None:
    if bad:
        session.execute(
            _SET_ASIDE,
            {
                "source": source.id,
                "now": clock.now(),
                "rows": [each.row.id for each in bad],
                "sessions": [session_key_of(each.row.session) for each in bad],
                "reasons": [each.reason for each in bad],
                "excerpts": [_excerpt(each.row.message or "") for each in bad],
            },
        )


def _take_back(
    session: Session, source: Source, rows: Sequence[SourceRow], bad: Sequence[SetAside]
) -> None:
    """What can be read now was perhaps set aside before."""
    good = {row.id for row in rows} - {each.row.id for each in bad}
    if good:
        session.execute(_TAKE_BACK, {"source": source.id, "rows": sorted(good)})


def _excerpt(words: str) -> str:
    return words.replace("\0", "")[:EXCERPT_CHARACTERS]
