"""All that happened to a session, in one order: its status, what people put right, its QA."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from app.models import ChatSession
from app.reporting.lead_changes import ShownChange
from app.reporting.qa import QaEntry
from app.web.dashboard.sessions.timeline import ShownEvent
from app.web.frame import labels
from app.web.frame.labels import Badge
from app.web.qa.labels import CATEGORY, what_happened


@dataclass(frozen=True, slots=True)
class Moment:
    """`badge.text` says what happened. `event`: the change of status, with its evidence;
    `is_of_status`: it is such a change, or the beginning.
    """

    at: datetime
    badge: Badge
    user_name: str | None = None
    note: str | None = None
    event: ShownEvent | None = None
    is_of_status: bool = False


def moments_of(
    chat: ChatSession,
    events: Iterable[ShownEvent],
    changes: Sequence[ShownChange],
    reviews: Iterable[QaEntry],
) -> list[Moment]:
    """Oldest first. `changes`: newest first."""
    began = "Chat opened" if chat.channel == "web" else "Conversation began"
    found = [
        Moment(chat.started_at, Badge("comment-dots", began, "grey"), is_of_status=True),
        *(_of_event(each) for each in events),
        *_of_changes(changes),
        *(_of_review(each) for each in reviews if each.move.undone_at is None),
    ]
    return sorted(found, key=lambda moment: moment.at)


def _of_event(shown: ShownEvent) -> Moment:
    badge = Badge(shown.badge.icon, shown.change, shown.badge.tone)
    return Moment(shown.event.at, badge, shown.user_name, event=shown, is_of_status=True)


def _of_changes(changes: Sequence[ShownChange]) -> list[Moment]:
    """One moment for what was saved together."""
    found = []
    for _, saved in groupby(changes, key=lambda each: each.change.version):
        together = list(saved)
        names = ", ".join(labels.field_name(each.change.field) for each in reversed(together))
        badge = Badge("pen", f"Lead edited: {names}", "grey")
        found.append(Moment(together[0].change.at, badge, together[0].user_name))
    return found


def _of_review(entry: QaEntry) -> Moment:
    move = entry.move
    badge = labels.QA[move.to_status]
    said = labels.capitalize_first(what_happened(move))
    category = f": {CATEGORY[move.category].lower()}" if move.category else ""
    return Moment(move.at, Badge(badge.icon, f"QA: {said}{category}", badge.tone), entry.user_name)
