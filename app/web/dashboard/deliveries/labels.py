"""What became of a delivery, in a receptionist's words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from app.core import clock
from app.delivery.repeat import MOST_AT_ONCE
from app.gateways import n8n, resend
from app.models import Delivery, DeliveryAttempt, Destination
from app.web.frame.labels import (
    DELIVERY,
    Badge,
    capitalize_first,
    capitalized_name,
    destination_name,
)

PAUSED = Badge("circle-pause", "Paused", "amber")
#: Of each kind of destination, after how many seconds a try is given up.
_LIMITS = {"n8n": n8n.TOTAL_SECONDS, "email": resend.TOTAL_SECONDS}
_LEFT_OUT = {
    "sent": ("had been sent", "had been sent"),
    "under_way": ("is on its way already", "are on their way already"),
    "cancelled": ("was cancelled", "were cancelled"),
    "gone": ("is there no more", "are there no more"),
}
_REASONS = {
    "refused": "Could not reach {}",
    "unreachable": "Could not reach {}",
    "dns": "The address of {} is not known",
    "address": "The address of {} is not allowed",
    "forbidden": "The address of {} is not one that may be reached from here",
    "tls": "No safe connection to {}",
    "closed": "{} broke off half-way",
    "garbage": "{} answered with something we cannot read",
    "redirected": "{} sent us to another address, which we do not follow",
    "gone": "{} does not want any more",
    "not_configured": "No address is set for {}",
    "interrupted": "We were interrupted while sending to {}",
    "key_refused": "Resend did not accept our key. RESEND_API_KEY has to be set anew",
    "sender_refused": "Resend does not let us send from our address. RESEND_FROM has to be one of"
    " a domain that is verified there",
    "letter_refused": "Resend did not take this letter, and would not take it another time",
    "sent_differently": "Resend had this letter before, from another sender of ours",
    "still_sending": "Resend was still busy with the try before",
    "quota": "All letters that the plan at Resend allows for now are sent",
    "unreadable": "The letter was sealed with a SECRET_KEY that is gone. It has to be written anew",
}


@dataclass(frozen=True, slots=True)
class State:
    """`sentence` goes on with the moment `retry_at`, when there is one. `can_repeat`: "Send again"
    would change something.
    """

    badge: Badge
    sentence: str
    retry_at: datetime | None = None
    can_repeat: bool = False


def deliveries_in_words(number: int) -> str:
    return "1 delivery" if number == 1 else f"{number:,} deliveries"


def sent_again(count: int, left_out: dict[str, int]) -> str:
    """How many go out again, and why the others do not (`repeat.Repeated.left_out`)."""
    if not count and not left_out:
        return "Nothing was selected. Please tick the deliveries first."
    told = [f"{count} {'is' if count == 1 else 'are'} being sent again."] if count else []
    told += [
        f"{number} {_LEFT_OUT[why][0 if number == 1 else 1]}, so nothing was done there."
        for why, number in sorted(left_out.items())
    ]
    return " ".join(told)


def waits_for(paused: Sequence[str]) -> str:
    """Of the destinations that something was sent to again, those that are paused, by key."""
    told = [
        f"{capitalized_name(key)} is paused: it goes out once that is resumed." for key in paused
    ]
    return " ".join(["", *told])


def all_sent_again(key: str, count: int) -> str:
    """The same of all that were given up at a destination."""
    name = destination_name(key)
    if not count:
        return f"Nothing was done: nothing that should go to {name} is given up any more."
    told = f"{count} {'is' if count == 1 else 'are'} being sent to {name} again."
    return told + (" There may be more: please press once more." if count == MOST_AT_ONCE else "")


def state(delivery: Delivery, destination: Destination, last: DeliveryAttempt | None) -> State:
    """What is shown of a delivery."""
    name = destination_name(delivery.destination_key)
    badge = DELIVERY[delivery.status]
    if delivery.status == "delivered":
        return State(badge, "Shown on the console" if name == "the console" else f"Sent to {name}")
    if delivery.status == "cancelled":
        return State(badge, f"Cancelled, not sent to {name}")
    if delivery.status == "unknown":
        return State(badge, f"May have reached {name}. Not repeated by itself", None, True)
    if delivery.status == "dead":
        return State(
            badge, f"{_why(delivery.destination_key, last)}. We stopped trying", None, True
        )
    if destination.paused_at:
        return State(PAUSED, f"{capitalize_first(name)} is paused. Waits until it is resumed")
    if delivery.claimed_until and delivery.claimed_until > clock.now():
        return State(badge, f"Sending to {name} now")
    if delivery.status == "failed":
        why = _why(delivery.destination_key, last)
        return State(badge, f"{why}, trying again", delivery.next_attempt_at, True)
    return State(badge, f"Waiting to be sent to {name}")


def attempted(attempt: DeliveryAttempt, destination_key: str) -> str:
    """How one try went."""
    name = destination_name(destination_key)
    return _why(destination_key, attempt) if attempt.error else f"Sent to {name}"


def _why(key: str, attempt: DeliveryAttempt | None) -> str:
    name = destination_name(key)
    if attempt is None:
        return f"Not sent to {name} yet"
    if attempt.error == "timeout":
        limit = _LIMITS.get(key.partition("/")[0])
        sentence = "{} did not answer in " + (f"{limit:g} s" if limit else "time")
    else:
        sentence = _REASONS.get(attempt.error or "") or _answered(attempt.status_code)
    return capitalize_first(sentence.format(name))


def _answered(status: int | None) -> str:
    if status is None:
        return "Could not send to {}"
    if status == 429:
        return "{} is too busy (429)"
    if status in (401, 403):
        return f"{{}} did not accept our password ({status})"
    if status == 404:
        return "{} has nothing at this address (404)"
    if status >= 500:
        return f"{{}} answered with an error ({status})"
    return f"{{}} did not accept it ({status})"
