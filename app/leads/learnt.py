"""Lead fields that an assistant names, taken over like a visitor's own input."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Mapping, Sequence

import phonenumbers

from app.leads.agreement import is_contact_detail, may_keep_contact_details
from app.leads.answers import normalise
from app.leads.contacts import contact_field, with_contact, without_contacts
from app.leads.emails import find_emails
from app.models.message_text import storable, to_understand
from app.models.site_profile import CONTACT_DETAILS, CONTACT_FIELDS, Field, SiteProfile
from app.models.transcript import Answer, Draft, Line

UNKNOWN = "There is no such field."
UNREADABLE = "This has to be plain text."
UNUSABLE = "This cannot be used for this field. Ask the visitor for it again."
NOT_AGREED = "The visitor has not agreed to be contacted, so this is not kept. Ask for that first."
NOT_HEARD = "The visitor has not typed this. Ask the visitor to type it."

_MOST_CHARACTERS = 2_000
#: What stands where nothing is known.
_NOTHING = frozenset(
    {
        *("", "-", "n/a", "null", "undefined", "unknown", "tbd"),
        *("not provided", "not specified", "not given"),
    }
)
#: What a template leaves that nobody filled in: `[name]`, `<your name>`, `{{ $json.name }}`.
_UNFILLED = re.compile(r"\[[^\[\]@\d]*\]|<[^<>@\d]*>|\{\{.*\}\}", re.S)
_SIGNS = re.compile(r"[\W_]*\b(?:at|dot)\b[\W_]*|[\W_]+")
_SPELLED = {
    word: str(digit)
    for digit, words in enumerate(
        ("zero oh nought", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
    )
    for word in words.split()
}
_SPELLED_DIGIT = re.compile(rf"\b(?P<twice>double\s+)?(?P<word>{'|'.join(_SPELLED)})\b", re.I)


def learn(
    draft: Draft,
    site: SiteProfile,
    values: Mapping[str, object],
    line: Line,
    *,
    heard: Sequence[Line] | None = None,
) -> tuple[Draft, dict[str, str]]:
    """The draft with these values, and a sentence for each that could not be taken, by its key.

    `values`: by field key; of the site's fields, or name, email, phone and company. Empty ones say
    nothing. `line`: the visitor's line that is being answered. `heard`: visitor lines in which an
    e-mail or a phone number has to stand, however it is spelled; None: it is taken as given.
    """
    problems: dict[str, str] = {}
    for key, value in values.items():
        field = field_for(site, key)
        if field is None:
            problems[key] = UNKNOWN
        elif isinstance(value, bool) or not isinstance(value, str | int | float | None):
            problems[key] = UNREADABLE
        elif not _is_nothing(value):
            learnt = _with_value(
                draft, site, field, storable(str(value))[:_MOST_CHARACTERS], line, heard
            )
            if isinstance(learnt, Draft):
                draft = learnt
            else:
                problems[key] = learnt
    return draft, problems


def field_for(site: SiteProfile, key: str) -> Field | None:
    """The field of this key: the site's own, else one a visitor may always fill."""
    if field := site.field(key):
        return field
    if key in CONTACT_DETAILS:
        return contact_field(site, key)
    return Field(key, "", required=False) if key in CONTACT_FIELDS else None


def _is_nothing(value: str | float | None) -> bool:
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return True
    text = str(value).strip()
    return text.rstrip(".").casefold() in _NOTHING or _UNFILLED.fullmatch(text) is not None


def _with_value(
    draft: Draft,
    site: SiteProfile,
    field: Field,
    text: str,
    line: Line,
    heard: Sequence[Line] | None,
) -> Draft | str:
    may_keep = may_keep_contact_details(draft, site)
    if is_contact_detail(field):
        if not may_keep:
            return NOT_AGREED
    elif not may_keep:
        text = without_contacts(text, site.region)
    answer = normalise(field, text, site.region)
    if answer is None or not answer.is_valid:
        return UNUSABLE
    if heard is not None and not _was_heard(field, answer, heard):
        return NOT_HEARD
    if draft.answers.get(field.key) == answer:
        return draft
    if is_contact_detail(field):
        return with_contact(draft, field.key, answer, line, site)
    return draft.with_answer(field.key, answer)


def _was_heard(field: Field, answer: Answer, heard: Sequence[Line]) -> bool:
    if field.type == "email":
        return _is_email_in(answer.value, [to_understand(line.text) for line in heard])
    if field.type == "phone":
        return _is_phone_in(answer.value, [to_understand(line.text) for line in heard])
    return True


def _is_email_in(email: str, texts: Sequence[str]) -> bool:
    """An address that was typed is that one, letter for letter; else it may be spelled out."""
    rest = []
    for text in texts:
        at = 0
        for found in find_emails(text):
            if found.value.casefold() == email.casefold():
                return True
            rest.append(text[at : found.start])
            at = found.end
        rest.append(text[at:])
    return _letters(email) in _letters("\n".join(rest))


def _letters(text: str) -> str:
    return _SIGNS.sub("", unicodedata.normalize("NFKC", text).casefold())


def _is_phone_in(number: str, texts: Sequence[str]) -> bool:
    national = str(phonenumbers.parse(number).national_number)
    return national in _digits(" ".join(texts))


def _digits(text: str) -> str:
    text = _SPELLED_DIGIT.sub(_as_digits, unicodedata.normalize("NFKC", text))
    return "".join(str(unicodedata.digit(sign)) for sign in text if sign.isdigit())


def _as_digits(spelled: re.Match[str]) -> str:
    digit = _SPELLED[spelled["word"].casefold()]
    return digit * 2 if spelled["twice"] else digit
