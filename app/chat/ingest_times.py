"""When rows without a time were said: first seen, in the order of their source. Pure."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from datetime import datetime, timedelta

#: Rows of one session seen at once are at most this far apart.
MOST_MICROSECONDS = 1000
#: Row numbers may be anything; times may not.
_FARTHEST = 10**12
_MICROSECOND = timedelta(microseconds=1)


def times(
    rows: Sequence[int],
    known: Sequence[tuple[int, datetime]],
    latest: datetime | None,
    now: datetime,
) -> list[datetime]:
    """A time for each of these new rows (ascending) of a session, of which the rows `known`
    (ascending, with their times) are stored already; `latest`: its newest message's.

    The newest rows end at `now` and come after all there is; a row that shows up late stands just
    before the next one.
    """
    numbers = [number for number, _ in known]
    newest = numbers[-1] if numbers else None
    given: list[datetime] = []
    for row in rows:
        if newest is None or row > newest:
            break
        given.append(_late(row, known, bisect_left(numbers, row)))
    return given + _at_the_end(rows[len(given) :], latest, now)


def _late(row: int, known: Sequence[tuple[int, datetime]], at: int) -> datetime:
    next_row, next_at = known[at]
    wanted = next_at - min(next_row - row, _FARTHEST) * _MICROSECOND
    if at == 0:
        return wanted
    row_before, before = known[at - 1]
    if wanted > before:
        return wanted
    # No room for the whole distance: a share of it, so that a later one still fits before.
    room = max((next_at - before) // _MICROSECOND, 0)
    return before + room * (row - row_before) // (next_row - row_before) * _MICROSECOND


def _at_the_end(rows: Sequence[int], latest: datetime | None, now: datetime) -> list[datetime]:
    backwards = [now]
    for row, following in zip(rows[-2::-1], rows[:0:-1], strict=True):
        backwards.append(backwards[-1] - min(following - row, MOST_MICROSECONDS) * _MICROSECOND)
    given: list[datetime] = []
    for wanted in backwards[::-1] if rows else ():
        at = wanted if latest is None else max(wanted, latest + _MICROSECOND)
        given.append(at)
        latest = at
    return given
