"""The one source of time (design rule 9). Everything is UTC; tests may move the clock."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

_offset = timedelta(0)


def now() -> datetime:
    """The present moment, aware, in UTC."""
    return datetime.now(UTC) + _offset


def iso(moment: datetime) -> str:
    """`2026-11-22T17:12:00.123456Z`: how every interface of ours writes a time."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


@contextmanager
def moved(by: timedelta) -> Iterator[None]:
    """Within the block every part of this process believes it is `by` later. For tests."""
    global _offset  # noqa: PLW0603 - a clock is global by nature
    before = _offset
    _offset = before + by
    try:
        yield
    finally:
        _offset = before
