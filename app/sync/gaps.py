"""Row numbers that were not there when the rows after them were read.

A transaction took them and has not committed, or never will: nobody can tell, so they are asked
for again for ever (docs/decisions/0004-rows-that-come-late.md).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import text
from sqlalchemy.orm import Session

from app.core import clock

#: Up to this age a gap is looked at every time; then after a 20th of its age, at most hourly.
YOUNG = timedelta(minutes=10)
LONGEST_PAUSE = timedelta(hours=1)
#: So many are looked at in one go; the others come first the next time.
MOST_AT_ONCE = 2000

_DUE = text("""
    SELECT first_row, last_row, seen_at FROM memory_gaps
     WHERE source_id = :source AND check_at <= :now ORDER BY check_at LIMIT :most
""")
_LOOKED_AT = text("""
    UPDATE memory_gaps
       SET check_at = CASE WHEN seen_at > :young THEN CAST(:now AS timestamptz)
                           ELSE :now + least((:now - seen_at) / 20, :longest) END
     WHERE source_id = :source AND first_row = ANY(CAST(:firsts AS bigint[]))
       AND (seen_at <= :young OR :is_full)
""")
_DELETE = text("""
    DELETE FROM memory_gaps
     WHERE source_id = :source AND first_row = ANY(CAST(:firsts AS bigint[]))
""")
_INSERT = text("""
    INSERT INTO memory_gaps (source_id, first_row, last_row, seen_at, check_at)
    SELECT :source, g.first, g.last, g.seen_at, g.check_at
      FROM unnest(CAST(:firsts AS bigint[]), CAST(:lasts AS bigint[]),
                  CAST(:seen AS timestamptz[]), CAST(:checks AS timestamptz[]))
           AS g (first, last, seen_at, check_at)
    ON CONFLICT (source_id, first_row) DO UPDATE
       SET last_row = greatest(memory_gaps.last_row, excluded.last_row),
           check_at = excluded.check_at
""")
# Gaps of a source do not overlap: those that touch a range begin in it, or one begins before it.
_TOUCHING = """
    SELECT first_row, last_row, seen_at FROM memory_gaps
     WHERE source_id = :source AND first_row BETWEEN :first AND :last
    UNION ALL
    SELECT * FROM (
        SELECT first_row, last_row, seen_at FROM memory_gaps
         WHERE source_id = :source AND first_row < :first ORDER BY first_row DESC LIMIT 1
    ) before WHERE last_row >= :first
"""
_MAKE_DUE = text(
    f"""
    UPDATE memory_gaps SET check_at = :now
     WHERE source_id = :source AND check_at > :now
       AND first_row IN (SELECT first_row FROM ({_TOUCHING}) touching)
"""  # noqa: S608
)


_FORGET = text("DELETE FROM memory_gaps WHERE source_id = :source AND first_row > :above")
_SHORTEN = text("""
    UPDATE memory_gaps SET last_row = :above WHERE source_id = :source AND last_row > :above
""")


@dataclass(frozen=True, slots=True)
class Gap:
    """The numbers from `first` to `last`, both missing when they were first noticed (`seen_at`)."""

    first: int
    last: int
    seen_at: datetime


def due(session: Session, source_id: int, most: int = MOST_AT_ONCE) -> list[Gap]:
    """The gaps to look at now, those that have waited longest first."""
    rows = session.execute(_DUE, {"source": source_id, "now": clock.now(), "most": most})
    return [Gap(*row) for row in rows]


def between(session: Session, source_id: int, first: int, last: int) -> list[Gap]:
    """The gaps that touch this range of row numbers."""
    values = {"source": source_id, "first": first, "last": last}
    return [Gap(*row) for row in session.execute(text(_TOUCHING), values)]


def make_due(session: Session, source_id: int, ranges: Iterable[tuple[int, int]]) -> None:
    """Have the gaps that touch these ranges looked at the next time: rows came into them."""
    for first, last in ranges:
        values = {"source": source_id, "first": first, "last": last, "now": clock.now()}
        session.execute(_MAKE_DUE, values)


def looked_at(
    session: Session, source_id: int, gaps: Sequence[Gap], found: Iterable[int], *, is_full: bool
) -> None:
    """Note that these gaps were looked at, and which rows were found in them.

    What is left of a gap keeps its age. `is_full`: there are more gaps than were looked at, so
    these go to the end of the queue.
    """
    numbers = sorted(found)
    now = clock.now()
    untouched: list[Gap] = []
    filled: list[Gap] = []
    pieces: list[Gap] = []
    at = 0
    for gap in sorted(gaps, key=lambda gap: gap.first):
        while at < len(numbers) and numbers[at] < gap.first:
            at += 1
        start = at
        while at < len(numbers) and numbers[at] <= gap.last:
            at += 1
        if start == at:
            untouched.append(gap)
        else:
            filled.append(gap)
            pieces += _rest(gap, numbers[start:at])
    if filled:
        firsts = [gap.first for gap in filled]
        session.execute(_DELETE, {"source": source_id, "firsts": firsts})
    _insert(session, source_id, pieces, now)
    if untouched and (is_full or any(gap.seen_at <= now - YOUNG for gap in untouched)):
        session.execute(
            _LOOKED_AT,
            {
                "source": source_id,
                "firsts": [gap.first for gap in untouched],
                "now": now,
                "young": now - YOUNG,
                "longest": LONGEST_PAUSE,
                "is_full": is_full,
            },
        )


def remember(session: Session, source_id: int, ranges: Iterable[tuple[int, int]]) -> None:
    """New gaps, first missed now and looked at again the next time."""
    now = clock.now()
    _insert(session, source_id, [Gap(first, last, now) for first, last in ranges], now)


def missing(after_row: int, numbers: Sequence[int]) -> list[tuple[int, int]]:
    """The runs that are missing between `after_row` and the last of these rising numbers."""
    runs, before = [], after_row
    for number in numbers:
        if number > before + 1:
            runs.append((before + 1, number - 1))
        before = number
    return runs


def forget(session: Session, source_id: int, above: int = 0) -> None:
    """Numbers above this one are not missing any more: they are still to be read."""
    values = {"source": source_id, "above": above}
    session.execute(_FORGET, values)
    session.execute(_SHORTEN, values)


def _rest(gap: Gap, numbers: Sequence[int]) -> list[Gap]:
    runs = missing(gap.first - 1, [*numbers, gap.last + 1])
    return [Gap(first, last, gap.seen_at) for first, last in runs]


def _insert(session: Session, source_id: int, gaps: Sequence[Gap], check_at: datetime) -> None:
    if gaps:
        session.execute(
            _INSERT,
            {
                "source": source_id,
                "firsts": [gap.first for gap in gaps],
                "lasts": [gap.last for gap in gaps],
                "seen": [gap.seen_at for gap in gaps],
                "checks": [check_at] * len(gaps),
            },
        )
