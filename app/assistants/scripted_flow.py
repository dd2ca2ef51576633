"""Where a scripted conversation stands: what is asked next, and when the booking is made."""

from __future__ import annotations

from typing import Literal

from app.assistants.scripted_words import can_be_repeated, placeholder_of, says_phrase
from app.leads.agreement import CONSENT, is_contact_detail
from app.models.site_profile import Field, SiteProfile
from app.models.transcript import Answer, Choice, Draft, Input, Transcript

Step = Field | Literal["confirm", "needs_contact", "refused"]

CONSENT_FIELD = Field(CONSENT, "", "choice", choices=(Choice("yes", "Yes"), Choice("no", "No")))
FREE_INPUT = Input("text", placeholder="Type a message")
CONTACT_INPUT = Input("text", placeholder="Your e-mail or phone number")


def next_step(draft: Draft, site: SiteProfile) -> Step:
    """What comes next for what is known: a field to ask, or how the conversation ends."""
    if draft.consent == "refused":
        return "refused"
    for field in site.fields:
        if field.key in draft.answers or field.key in draft.skipped:
            continue
        needs_consent = site.consent.mode == "question" and draft.consent is None
        return CONSENT_FIELD if needs_consent and is_contact_detail(field) else field
    return "confirm" if can_be_reached(draft, site) else "needs_contact"


def can_be_reached(draft: Draft, site: SiteProfile) -> bool:
    """Whether a person could get in touch, if need be by making sense of what was typed."""
    keys = {field.key for field in site.fields if is_contact_detail(field)} | {"email", "phone"}
    return any(_is_usable(draft.answers[key]) for key in keys if key in draft.answers)


def was_confirmed(transcript: Transcript, site: SiteProfile) -> bool:
    """Whether the visitor has been told already that the booking is made."""
    if transcript.is_completed:
        return True
    has_visitor_spoken = False
    for line in transcript.lines:
        if line.role == "visitor":
            has_visitor_spoken = True
        elif line.role == "assistant" and has_visitor_spoken and says_phrase(site, line.text):
            return True
    return False


def name_to_say(draft: Draft, site: SiteProfile) -> str | None:
    """The visitor's name, where it can stand in a reply."""
    answer = draft.answers.get("name")
    if answer and answer.is_valid and can_be_repeated(site, answer.value):
        return answer.value
    return None


def field_named(site: SiteProfile, key: str | None) -> Field | None:
    if key is None:
        return None
    return CONSENT_FIELD if key == CONSENT else site.field(key) or _OUTSIDE_THE_SITE.get(key)


def input_for(field: Field) -> Input:
    placeholder = None if field is CONSENT_FIELD else placeholder_of(field)
    return Input(field.type, field.key, placeholder, field.choices, field.required)


#: What a visitor may give although the site does not ask for it.
_OUTSIDE_THE_SITE = {
    "name": Field("name", "What is your name?", required=False),
    "email": Field("email", "What is your e-mail address?", "email", required=False),
    "phone": Field("phone", "What is your phone number?", "phone", required=False),
}


def _is_usable(answer: Answer) -> bool:
    return answer.is_valid or "@" in answer.value or sum(map(str.isdigit, answer.value)) >= 6
