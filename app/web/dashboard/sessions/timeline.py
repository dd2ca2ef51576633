"""What happened to a session, in one order: its status, edits of its lead, its reviews."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from app.models import ChatSession, Delivery, SessionEvent
from app.reporting.lead_changes import ShownChange
from app.reporting.qa import QaEntry
from app.reporting.sessions import TimelineEntry
from app.web.frame import labels
from app.web.frame.labels import Badge
from app.web.qa.labels import CATEGORY, what_happened

_COMPLETED = {
    "live": "The assistant promised the booking",
    "auto_sync": "The promise came in with N8n's conversations",
    "sweep": "The promise was found by the regular check",
    "manual_sync": "The promise was found by a sync",
    "user": "Marked as completed by hand",
}
_OTHERS = {
    "reopened": Badge("rotate-left", "Opened again by hand", "amber"),
    "left_open": Badge("circle-pause", "Left open when the phrases were changed", "grey"),
    "archived": Badge("box-archive", "Archived", "grey"),
    "activated": Badge("inbox", "Brought back from the archive", "grey"),
}


@dataclass(frozen=True, slots=True)
class ShownEvent:
    """`badge.text` says why, `change` what changed and why. `is_here`: its message is on the page.
    `cancelled`: how many deliveries were.
    """

    event: SessionEvent
    badge: Badge
    change: str
    user_name: str | None
    is_here: bool
    cancelled: int


@dataclass(frozen=True, slots=True)
class TimelineItem:
    """`badge.text` says what happened. `event`: the change of status, with its evidence;
    `is_of_status`: it is such a change, or the beginning.
    """

    at: datetime
    badge: Badge
    user_name: str | None = None
    note: str | None = None
    event: ShownEvent | None = None
    is_of_status: bool = False


def shown_events(
    timeline: Sequence[TimelineEntry], deliveries: Sequence[Delivery], message_ids: Iterable[int]
) -> list[ShownEvent]:
    """Oldest first, as `timeline` is."""
    here = set(message_ids)
    return [
        ShownEvent(
            entry.event,
            badge := badge_of(entry.event.kind, entry.event.cause),
            _change(entry.event, badge),
            entry.user_name,
            entry.event.message_id in here,
            _cancelled(entry.event, timeline, deliveries),
        )
        for entry in timeline
    ]


def timeline_of(
    chat: ChatSession,
    events: Iterable[ShownEvent],
    changes: Sequence[ShownChange],
    reviews: Iterable[QaEntry],
) -> list[TimelineItem]:
    """Oldest first. `changes`: newest first."""
    began = "Chat opened" if chat.channel == "web" else "Conversation began"
    found = [
        TimelineItem(chat.started_at, Badge("comment-dots", began, "grey"), is_of_status=True),
        *(_of_event(each) for each in events),
        *_of_changes(changes),
        *(_of_review(each) for each in reviews if each.move.undone_at is None),
    ]
    return sorted(found, key=lambda item: item.at)


def badge_of(kind: str, cause: str | None) -> Badge:
    if kind in _OTHERS:
        return _OTHERS[kind]
    return Badge("circle-check", _COMPLETED.get(cause or "", "Completed"), "green")


def last_decision(chat: ChatSession, events: Sequence[ShownEvent]) -> ShownEvent | None:
    """Why the session stands as it does: what completed it, or who has it stay open."""
    kinds = ("completed",) if chat.is_completed else ("reopened", "left_open")
    if not chat.is_completed and chat.discounted_message_id is None:
        return None
    return next((event for event in reversed(events) if event.event.kind in kinds), None)


def _of_event(shown: ShownEvent) -> TimelineItem:
    badge = Badge(shown.badge.icon, shown.change, shown.badge.tone)
    return TimelineItem(shown.event.at, badge, shown.user_name, event=shown, is_of_status=True)


def _of_changes(changes: Sequence[ShownChange]) -> list[TimelineItem]:
    """One item for what was saved together."""
    found = []
    for _, saved in groupby(changes, key=lambda each: each.change.version):
        together = list(saved)
        names = ", ".join(labels.field_name(each.change.field) for each in reversed(together))
        badge = Badge("pen", f"Lead edited: {names}", "grey")
        found.append(TimelineItem(together[0].change.at, badge, together[0].user_name))
    return found


def _of_review(entry: QaEntry) -> TimelineItem:
    move = entry.move
    badge = labels.QA[move.to_status]
    said = labels.capitalize_first(what_happened(move))
    category = f": {CATEGORY[move.category].lower()}" if move.category else ""
    shown = Badge(badge.icon, f"QA: {said}{category}", badge.tone)
    return TimelineItem(move.at, shown, entry.user_name)


def _change(event: SessionEvent, badge: Badge) -> str:
    if event.kind != "completed" or event.cause == "user":
        return badge.text
    return f"Completed: {badge.text[0].lower()}{badge.text[1:]}"


def _cancelled(
    event: SessionEvent, timeline: Sequence[TimelineEntry], deliveries: Sequence[Delivery]
) -> int:
    """Of the deliveries there were, those cancelled from this reopening to the next."""
    if event.kind != "reopened":
        return 0
    later = [
        entry.event.at
        for entry in timeline
        if entry.event.kind == "reopened"
        and (entry.event.at, entry.event.id) > (event.at, event.id)
    ]
    return sum(
        each.status == "cancelled"
        and each.lead_id is not None
        and each.created_at <= event.at
        and each.finished_at is not None
        and each.finished_at >= event.at
        and not (later and each.finished_at >= later[0])
        for each in deliveries
    )
