"""What completing or reopening a session would send or cancel, in the button's sentence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from app.delivery.destinations import active_destinations
from app.models import Delivery
from app.web.dashboard.deliveries.labels import deliveries_in_words
from app.web.frame.labels import destination_name


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


def _listed(names: Sequence[str]) -> str:
    """ "N8n", "N8n and Monday", "N8n, Monday and e-mail"."""
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last
