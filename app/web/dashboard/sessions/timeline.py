"""What happened to a session, and what a person's next move would do, in plain words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from app.delivery.destinations import active_destinations
from app.models import ChatSession, Delivery, SessionEvent
from app.reporting.sessions import TimelineEntry
from app.web.dashboard.deliveries.labels import deliveries_in_words, destination_name
from app.web.frame.labels import Badge

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
    `cancelled`: how many deliveries were."""

    event: SessionEvent
    badge: Badge
    change: str
    user_name: str | None
    is_here: bool
    cancelled: int


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


def badge_of(kind: str, cause: str | None) -> Badge:
    if kind in _OTHERS:
        return _OTHERS[kind]
    return Badge("circle-check", _COMPLETED.get(cause or "", "Completed"), "green")


def after_completing(deliveries: Sequence[Delivery]) -> str:
    """What marking the session as completed sends, and where."""
    told = {
        delivery.destination_key
        for delivery in deliveries
        if delivery.event == "lead.completed" and delivery.status != "cancelled"
    }
    active = active_destinations()
    new = [destination_name(key) for key in active if key not in told]
    again = [destination_name(key) for key in active if key in told]
    sentences = []
    if new:
        sentences.append(f"This sends the lead to {_listed(new)} now, with what is known.")
    if again:
        sentences.append(f"{_listed(again)} had it before and gets it as an update.")
    return " ".join(sentence[0].upper() + sentence[1:] for sentence in sentences)


def after_reopening(deliveries: Sequence[Delivery]) -> str:
    """What opening the session again cancels, and what it cannot. Letters about it stay."""
    of_lead = [each for each in deliveries if each.lead_id is not None]
    waiting = [each for each in of_lead if each.status in ("pending", "failed", "dead")]
    arrived = [each for each in of_lead if each.status == "delivered"]
    sentences = ["Nothing is waiting to be sent."]
    if waiting:
        count = Counter(destination_name(each.destination_key) for each in waiting)
        to = _listed(sorted(count))
        sentences = [f"This cancels {deliveries_in_words(len(waiting))} to {to}."]
    if arrived:
        names = sorted({destination_name(each.destination_key) for each in arrived})
        sentences.append(f"What {_listed(names)} has received stays there.")
    return " ".join(sentences)


def last_decision(chat: ChatSession, events: Sequence[ShownEvent]) -> ShownEvent | None:
    """Why the session stands as it does: what completed it, or who has it stay open."""
    kinds = ("completed",) if chat.is_completed else ("reopened", "left_open")
    if not chat.is_completed and chat.discounted_message_id is None:
        return None
    return next((event for event in reversed(events) if event.event.kind in kinds), None)


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


def _listed(names: Sequence[str]) -> str:
    """ "N8n", "N8n and Monday", "N8n, Monday and e-mail"."""
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last
