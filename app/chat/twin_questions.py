"""Which of several questions in the same words a row of N8n's memory belongs to. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

#: An answer that both sides have tells more than its beginning (the rest may be read later), and
#: either more than the order.
_IS_ANSWERED, _IS_BEGUN, _IS_IN_ORDER, _IS_KNOWN = 4, 2, 1, 1


def first_of_best(
    noted: Sequence[Sequence[str]], candidates: Sequence[tuple[bool, Sequence[Sequence[str]]]]
) -> int | None:
    """The candidate that the first of these rows goes with, when all of them are given to the
    candidates in order and as many as possible find their answer; None without candidates.

    `noted`: for each row, what N8n answered. `candidates`: for each question whether it comes
    after everything noted before, and the answers that were shown, each by its paragraphs.
    """
    heard = [(_runs(answers), _starts(answers)) for answers in noted]

    def points(row: int, candidate: int) -> int:
        is_in_order, shown = candidates[candidate]
        runs, starts = heard[row]
        total = _IS_IN_ORDER * is_in_order + _IS_KNOWN
        if any(" ".join(paragraphs) in runs for paragraphs in shown):
            return total + _IS_ANSWERED
        is_begun = any(not starts.isdisjoint(_starts(paragraphs)) for paragraphs in shown)
        return total + _IS_BEGUN * is_begun

    @cache
    def best(row: int, first: int) -> tuple[int, int | None]:
        """The most points for these rows from this one on, and who it goes with then."""
        if row == len(heard) or first == len(candidates):
            return 0, None
        total, chosen = best(row + 1, first)[0], None
        for candidate in range(first, len(candidates)):
            with_it = points(row, candidate) + best(row + 1, candidate + 1)[0]
            if with_it > total:
                total, chosen = with_it, candidate
        return total, chosen

    chosen = best(0, 0)[1]
    return 0 if chosen is None and candidates else chosen


def _runs(answers: Sequence[str]) -> set[str]:
    """What was shown may be any of them, or several that follow each other, as one."""
    ends = range(1, len(answers) + 1)
    return {" ".join(answers[start:end]) for end in ends for start in range(end)}


def _starts(parts: Sequence[str]) -> set[str]:
    return {" ".join(parts[:end]) for end in range(1, len(parts) + 1)}
