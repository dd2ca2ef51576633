"""What a conversation tells about the visitor, whoever answered it: Transcript → Draft."""

from __future__ import annotations

from dataclasses import replace

from app.leads.agreement import CONSENT, is_contact_detail, may_keep_contact_details, read_yes_no
from app.leads.answers import normalise
from app.leads.contacts import (
    adding,
    contact_field,
    correcting,
    find_contacts,
    with_contact,
    without_contacts,
)
from app.leads.names import find_name
from app.models.message_text import to_understand
from app.models.site_profile import SiteProfile
from app.models.transcript import Answer, Draft, Line, Transcript

__all__ = ["extract", "normalise", "with_earlier_contacts"]


def extract(transcript: Transcript, site: SiteProfile) -> Draft:
    """The transcript's draft, and what the visitor's lines after `draft.read_through` add to it.

    A line that answers a typed question is read as that field first; then every line is searched
    for e-mails, phone numbers and names, which fill what is empty and, where visitors correct
    themselves, replace what was there. Without the consent the site asks for: no contact detail.
    """
    draft = transcript.draft
    asked: str | None = None
    for line in transcript.lines:
        if line.role == "assistant":
            asked = line.field
        elif line.role == "visitor":
            if line.id > draft.read_through:
                line = replace(line, text=to_understand(line.text))  # noqa: PLW2901
                draft = _with_consent(draft, line, asked, transcript.lines, site)
                draft = _with_typed(draft, line, asked, site)
                draft = _with_found(draft, line, site)
            asked = None
    newest = max((line.id for line in transcript.lines if line.role == "visitor"), default=0)
    return replace(draft, read_through=max(draft.read_through, newest))


def with_earlier_contacts(
    draft: Draft, lines: tuple[Line, ...], consenting: Line, site: SiteProfile
) -> Draft:
    """The draft with the contact details typed before the visitor agreed that they be kept."""
    for line in lines:
        if line.id == consenting.id:
            break
        if line.role != "visitor":
            continue
        for kind, found in find_contacts(to_understand(line.text), site.region).items():
            key = contact_field(site, kind).key
            draft = with_contact(draft, key, Answer(found.value), consenting, site)
    return draft


def _with_consent(
    draft: Draft, line: Line, asked: str | None, lines: tuple[Line, ...], site: SiteProfile
) -> Draft:
    if asked != CONSENT or site.consent.mode != "question":
        return draft
    said = read_yes_no(line.text)
    if said == "no":
        return replace(draft, consent="refused", consent_at=line.at.isoformat())
    if said == "yes":
        draft = replace(draft, consent="given", consent_at=line.at.isoformat())
        return with_earlier_contacts(draft, lines, line, site)
    return draft


def _with_typed(draft: Draft, line: Line, asked: str | None, site: SiteProfile) -> Draft:
    field = site.field(asked) if asked else None
    if field is None:
        return draft
    may_keep = may_keep_contact_details(draft, site)
    if is_contact_detail(field) and not may_keep:
        return draft
    text = line.text if may_keep else without_contacts(line.text, site.region)
    answer = normalise(field, text, site.region)
    if answer is None:
        return draft
    if is_contact_detail(field):
        return with_contact(draft, field.key, answer, line, site)
    return draft.with_answer(field.key, answer)


def _with_found(draft: Draft, line: Line, site: SiteProfile) -> Draft:
    replaces = correcting(line.text) and not adding(line.text)
    if may_keep_contact_details(draft, site):
        for kind, found in find_contacts(line.text, site.region).items():
            key = contact_field(site, kind).key
            if replaces or _is_open(draft, key):
                draft = with_contact(draft, key, Answer(found.value), line, site)
    name = find_name(line.text)
    if name and (_is_open(draft, "name") or (name.is_sure and replaces)):
        draft = draft.with_answer("name", Answer(name.value))
    return draft


def _is_open(draft: Draft, key: str) -> bool:
    answer = draft.answers.get(key)
    return answer is None or not answer.is_valid
