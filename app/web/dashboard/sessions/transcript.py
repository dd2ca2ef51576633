"""A session's transcript as its page shows it: messages, and between them what happened."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from app.reporting.transcript import ShownMessage
from app.web.dashboard.sessions.timeline import TimelineItem


@dataclass(frozen=True, slots=True)
class TranscriptRow:
    """Either something that was said, or something that happened."""

    at: datetime
    shown: ShownMessage | None = None
    item: TimelineItem | None = None


def rows_of(
    said: Sequence[ShownMessage],
    timeline: Sequence[TimelineItem],
    *,
    has_earlier: bool = False,
    has_later: bool = False,
) -> list[TranscriptRow]:
    """Both by time. Of a piece of a transcript: what happened while it was said."""
    first, last = (
        (said[0].message.created_at, said[-1].message.created_at) if said else (None, None)
    )
    within = [
        item
        for item in timeline
        if item.is_of_status
        and not (has_earlier and first and item.at < first)
        and not (has_later and last and item.at > last)
    ]
    messages = [TranscriptRow(each.message.created_at, shown=each) for each in said]
    # Sorting keeps the order of equals: what a message brought about stands after it.
    return sorted(
        [*messages, *(TranscriptRow(each.at, item=each) for each in within)], key=lambda row: row.at
    )
