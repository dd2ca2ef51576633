"""A person puts a lead right: what was typed, checked like a visitor's own words, and kept."""

from __future__ import annotations

import uuid
from collections.abc import Mapping

from sqlalchemy.orm import Session

from app.core import clock
from app.core.errors import Invalid
from app.leads.answers import MAX_CHARACTERS, normalise
from app.leads.emails import find_emails
from app.leads.phones import find_phones
from app.models import Lead, LeadChange
from app.models.message_text import storable
from app.models.site_profile import CONTACT_FIELDS, Field, FieldType, SiteProfile

WRONG: dict[FieldType, str] = {
    "email": "This is no e-mail address. Write it like name@example.com.",
    "phone": "There is no such number. Write it with its country code, like +44 20 7946 0958.",
    "date": "This names no day. Write it like 24 November 2026, or next Tuesday.",
    "choice": "Please choose one, or write it in a word or two.",
    "text": "Please write this in letters or digits, or leave it empty.",
}
#: What a visitor's answer may hold is taken from it; of a person's word nothing is left out.
SEVERAL: dict[FieldType, str] = {
    "email": "Please write one e-mail address only. There is room for one.",
    "phone": "Please write one number only. There is room for one.",
}
LONG = f"This is too long. Please write at most {MAX_CHARACTERS} letters."
_TYPES: dict[str, FieldType] = {"email": "email", "phone": "phone"}


def fields_of(site: SiteProfile, lead: Lead | None) -> list[Field]:
    """What a person can fill in: name, e-mail, phone and company, what else the site asks for,
    and what else the lead holds.
    """
    contact = [
        site.field(key) or Field(key, "", _TYPES.get(key, "text"), required=False)
        for key in CONTACT_FIELDS
    ]
    asked = [field for field in site.fields if field.key not in CONTACT_FIELDS]
    known = {field.key for field in asked}
    held = [Field(key, "") for key in (lead.qualification if lead else {}) if key not in known]
    return [*contact, *asked, *held]


def value_of(lead: Lead | None, key: str) -> str | None:
    if lead is None:
        return None
    value = getattr(lead, key) if key in CONTACT_FIELDS else lead.qualification.get(key)
    return None if value is None else str(value)


def changes_of(
    site: SiteProfile, lead: Lead | None, typed: Mapping[str, str]
) -> dict[str, str | None]:
    """What `typed`, by field key, changes: new values in the form a lead keeps them, None for an
    emptied one. A field that is not named, or stands as it stood, is no change. Raises Invalid.
    """
    changes: dict[str, str | None] = {}
    errors: dict[str, list[str]] = {}
    for field in fields_of(site, lead):
        before, text = value_of(lead, field.key), _one_line(storable(typed.get(field.key, "")))
        if field.key not in typed or text == _one_line(before or ""):
            continue
        value = _read(field, text, site.region) if text else None
        if text and (problem := _problem(field, text, value, site.region)):
            errors[field.key] = [problem]
        elif value != before:
            changes[field.key] = value
    if errors:
        raise Invalid(errors)
    return changes


def edit(
    session: Session,
    lead: Lead,
    site: SiteProfile,
    changes: Mapping[str, str | None],
    user_id: uuid.UUID | None,
) -> None:
    """Put these fields right for good, and note who did, in the caller's transaction.

    `changes`: as `changes_of` gives them; none: nothing happens. The session's row is locked.
    """
    if not changes:
        return
    now = clock.now()
    before = {key: value_of(lead, key) for key in changes}
    qualification = dict(lead.qualification)
    for key, value in changes.items():
        if key in CONTACT_FIELDS:
            setattr(lead, key, value)
        elif value is None:
            qualification.pop(key, None)
        else:
            qualification[key] = value
    lead.qualification = qualification
    lead.edited = {**lead.edited, **changes}
    lead.missing = [field.key for field in site.fields if value_of(lead, field.key) is None]
    lead.invalid = [key for key in lead.invalid if key not in changes]
    lead.version, lead.updated_at = lead.version + 1, now
    session.add_all(
        LeadChange(
            lead_id=lead.id,
            at=now,
            user_id=user_id,
            version=lead.version,
            field=key,
            old=before[key],
            new=value,
        )
        for key, value in changes.items()
    )
    session.flush()


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _problem(field: Field, text: str, value: str | None, region: str) -> str | None:
    if len(text) > MAX_CHARACTERS:
        return LONG
    if value is None:
        return WRONG[field.type]
    return SEVERAL[field.type] if _names_several(field, text, region) else None


def _names_several(field: Field, text: str, region: str) -> bool:
    if field.type == "email":
        return len({found.value.casefold() for found in find_emails(text)}) > 1
    if field.type == "phone":
        return len({found.value for found in find_phones(text, region, is_asked=True)}) > 1
    return False


def _read(field: Field, text: str, region: str) -> str | None:
    """As a visitor's answer is read; but a name is written as the person writes it."""
    if field.key == "name" and field.type == "text":
        return text if any(map(str.isalpha, text)) else None
    answer = normalise(field, text, region)
    return answer.value if answer and answer.is_valid else None
