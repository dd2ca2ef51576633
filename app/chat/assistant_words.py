"""Incidents of assistants, in plain words and without a word of a visitor's."""

from __future__ import annotations

import uuid
from datetime import date

from app.assistants.base import FailureKind
from app.assistants.run import Finished
from app.chat.assistant_caps import Cap
from app.chat.assistant_state import Permit, Refusal
from app.chat.turn_store import Lease
from app.incidents.record import Seen
from app.models.site_profile import SiteProfile

NAMES = {"n8n": "N8n workflow", "openai": "language model"}
PROBLEMS: dict[FailureKind, str] = {
    "not_set_up": "It is chosen but not set up yet: its address or its key is missing.",
    "too_slow": "It did not begin to answer in time.",
    "too_long": "It did not finish its answer in time.",
    "too_big": "It did not stop writing.",
    "unreachable": "It could not be reached.",
    "refused": "It refused our key or password.",
    "missing": "Nobody answers at its address. Is the workflow published?",
    "busy": "It is busy and asked us to come back later.",
    "broken": "It reported an error of its own.",
    "cut_off": "Its answer broke off.",
    "empty": "Its answer was empty.",
    "not_for_people": "Its answer was nothing a visitor should see.",
    "capped": "One answer would have used up more than it may.",
    "bug": "Something went wrong on our side while it answered.",
}
CAPS: dict[Cap, str] = {
    "session_turns": "A conversation reached the most answers it may have.",
    "session_tokens": "A conversation used up its tokens.",
    "session_money": "A conversation used up its money.",
    "day_turns": "The day's answers are used up.",
    "day_tokens": "The day's tokens are used up.",
    "day_money": "The day's money is used up.",
}


def not_set_up_incident(site: SiteProfile, site_id: uuid.UUID, day: date) -> Seen:
    """An assistant that cannot answer anybody: one report a day."""
    return Seen(
        source="assistant",
        group=(site.key, site.assistant, "not_set_up"),
        title=_title(site),
        problem=PROBLEMS["not_set_up"],
        site_id=site_id,
        external_id=day.isoformat(),
        detail={"kind": "not_set_up"},
    )


def failure_incident(site: SiteProfile, permit: Permit, finished: Finished) -> Seen:
    """A failed answer."""
    kind = finished.failure
    assert kind is not None, "only a failed answer is an incident"
    return Seen(
        source="assistant",
        group=(site.key, site.assistant, kind),
        title=_title(site),
        problem=PROBLEMS[kind],
        site_id=permit.site_id,
        session_id=permit.session_id,
        detail={"kind": kind, "detail": finished.detail, "after_ms": finished.whole_ms},
    )


def cap_incident(site: SiteProfile, refusal: Refusal, session_id: uuid.UUID) -> Seen:
    """A cap that is reached: one report a conversation, or a day."""
    assert refusal.reason != "resting", "a rest is no incident: the failures before it are"
    is_of_day = refusal.reason.startswith("day_")
    return Seen(
        source="assistant",
        group=(site.key, site.assistant, refusal.reason),
        title=_title(site),
        problem=f"{CAPS[refusal.reason]} Visitors are answered with our own questions.",
        site_id=refusal.site_id,
        session_id=session_id,
        external_id=refusal.day.isoformat() if is_of_day else str(session_id),
        detail={"cap": refusal.reason},
    )


def given_up_incident(site: SiteProfile, site_id: uuid.UUID, lease: Lease) -> Seen:
    """A turn over which every process died that answered it: one report a turn."""
    return Seen(
        source="assistant",
        group=(site.key, "given_up"),
        title=f"An answer on {site.name}",
        problem="The program stopped each time it tried to answer a message. The visitor was"
        " told that we can't answer it right now. Please read the conversation.",
        site_id=site_id,
        session_id=lease.session_id,
        external_id=f"{lease.session_id}:{lease.message_id}",
        detail={"kind": "given_up", "tries": lease.breaks},
    )


def _title(site: SiteProfile) -> str:
    return f"The {NAMES.get(site.assistant, 'assistant')} of {site.name}"
