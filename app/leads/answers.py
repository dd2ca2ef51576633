"""From what a visitor typed to the value a field keeps."""

from __future__ import annotations

from app.leads.choices import match_choice
from app.leads.dates import read_date
from app.leads.emails import find_emails, looks_like_email, read_email
from app.leads.names import read_name
from app.leads.phones import find_phones
from app.models.site_profile import Field
from app.models.transcript import Answer

MAX_CHARACTERS = 500


def normalise(field: Field, text: str, region: str) -> Answer | None:
    """The answer in `text` to this field's question.

    `region`: ISO 3166 two letters, for phone numbers. None: nothing usable was said. Not valid:
    meant as an answer but wrong, kept as typed.
    """
    typed = as_typed(text)
    if found := find_emails(text) if field.type == "email" else []:
        return Answer(found[0].value)
    if not typed:
        return None
    if field.type == "email":
        return _email(typed)
    if field.type == "phone":
        return _phone(typed, region)
    if field.type == "choice":
        return _choice(field, typed)
    if field.type == "date":
        date = read_date(typed, region)
        return Answer(*date) if date else None
    if field.key == "name":
        name = read_name(typed)
        return Answer(name) if name else None
    return Answer(typed) if any(map(str.isalnum, typed)) else None


def as_typed(text: str) -> str:
    """One line without needless space, at most 500 characters."""
    return " ".join(text.split())[:MAX_CHARACTERS].rstrip()


def _email(typed: str) -> Answer | None:
    if value := read_email(typed):
        return Answer(value)
    return Answer(typed, is_valid=False) if looks_like_email(typed) else None


def _phone(typed: str, region: str) -> Answer | None:
    if found := find_phones(typed, region, is_asked=True):
        return Answer(found[0].value)
    return Answer(typed, is_valid=False) if any(map(str.isdigit, typed)) else None


def _choice(field: Field, typed: str) -> Answer | None:
    if choice := match_choice(field, typed):
        return Answer(choice.value)
    is_sensible = sum(map(str.isalpha, typed)) >= 2
    return Answer(typed) if is_sensible else None
