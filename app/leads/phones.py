"""Phone numbers in what people write, national or international, as E.164."""

from __future__ import annotations

import re
from itertools import islice

import phonenumbers

from app.leads.emails import MOST_CANDIDATES, Found

_CANDIDATE = re.compile(r"(?<![\w@£$€#])(?:[+＋]|00)?[ ]?\(?\d[\d \t\u00a0().\-–‑/·]{4,24}\d(?!\w)")
_DATE = re.compile(
    r"(?<!\d)(?:\d{4}[-./]\d{1,2}[-./]\d{1,2}|\d{1,2}[-./]\d{1,2}[-./](?:19|20)\d{2})"
    r"(?:[T ]\d{1,2}:\d{2})?(?!\d)"
)
_NO_PHONE = re.compile(
    r"\d{1,2}[ ./-]\d{1,2}[ ./-](?:19|20)\d{2}"  # a date
    r"|(?:19|20)\d{2}\s*[-–/]\s*(?:19|20)\d{2}"  # from one year to another
    r"|\d{1,3}(?:[ .]000)+"  # a round sum
)
_PRICED_BEFORE = re.compile(r"(?:[£$€#]|\b(?:eur|gbp|usd|order|ref|reference|no)\.?)\s*$", re.I)
_PRICED_AFTER = re.compile(
    r"\s*(?:[€£$%²]|(?:eur|euros?|pounds?|quid|gbp|usd|dollars?|zł|k|sqm|sq|m2|kg|km|square)\b)",
    re.I,
)
_CALLING = re.compile(
    r"phone|number|numero|número|nummer|call|ring|mobile|cell|\btel|whats ?app|text me|reach|"
    r"handy|ruf",
    re.I,
)
_SEPARATED = re.compile(r"\d[ ()./\-–‑\u00a0]+\d")


def find_phones(text: str, region: str, *, is_asked: bool = False) -> list[Found]:
    """All valid numbers in the text, in order, as E.164.

    `region`: ISO 3166 two letters, for national numbers. `is_asked`: the visitor answers "what is
    your number?"; otherwise bare digits need a sign that a number to call is meant.
    """
    if sum(map(str.isdigit, text)) < 6:
        return []
    text = _DATE.sub(lambda date: "x" * len(date.group()), text)
    whole = text.strip().rstrip(".!")
    is_about_calls: bool | None = None
    found = []
    for match in islice(_CANDIDATE.finditer(text), MOST_CANDIDATES):
        typed = match.group()
        if _is_other_number(text, match):
            continue
        if not (is_asked or _is_meant(typed, whole)):
            if is_about_calls is None:
                is_about_calls = _CALLING.search(text) is not None
            if not is_about_calls:
                continue
        if value := e164(typed, region):
            lead = len(typed) - len(typed.lstrip())
            found.append(Found(value, match.start() + lead, match.end()))
    return found


def e164(typed: str, region: str) -> str | None:
    """The number as +441234567890, or None when no such number can exist."""
    typed = typed.strip()
    digits = "".join(filter(str.isdigit, typed))
    if not 6 <= len(digits) <= 17:
        return None
    if digits.startswith("00"):
        return _valid("+" + digits[2:], None)
    if value := _valid(typed, region):
        return value
    code = phonenumbers.country_code_for_region(region)
    if code and digits.startswith(str(code)) and not typed.startswith(("+", "＋")):
        return _valid("+" + digits, None)
    return None


def _valid(typed: str, region: str | None) -> str | None:
    try:
        number = phonenumbers.parse(typed, region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


def _is_other_number(text: str, match: re.Match[str]) -> bool:
    return bool(
        _NO_PHONE.fullmatch(match.group().strip())
        or _PRICED_BEFORE.search(text[max(0, match.start() - 12) : match.start()])
        or _PRICED_AFTER.match(text, match.end())
    )


def _is_meant(typed: str, whole: str) -> bool:
    """Whether the number itself looks like one to call. `whole`: what all of the text says."""
    bare = typed.strip()
    return bool(bare.lstrip("(")[:1] in "+＋0" or _SEPARATED.search(bare) or bare == whole)
