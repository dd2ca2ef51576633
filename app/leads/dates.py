"""Dates, read loosely: a calendar day as YYYY-MM-DD, or the plain words someone used."""

from __future__ import annotations

import re
from datetime import date

_ISO = re.compile(r"(?<![\d-])(?P<y>\d{4})-(?P<m>\d{1,2})-(?P<d>\d{1,2})(?![\d-])")
_MONTHS = (
    r"(?:jan(?:uary|uar)?|feb(?:ruary|ruar)?|mar(?:ch)?|märz|apr(?:il)?|may|mai|june?|juni|july?|"
    r"juli|aug(?:ust)?|sept?(?:ember)?|o[ck]t(?:ober)?|nov(?:ember)?|de[cz](?:ember)?)"
)
_DAYS = (
    r"(?:mon|tues|wednes|thurs|fri|satur|sun)days?|montag|dienstag|mittwoch|donnerstag|freitag|"
    r"samstag|sonntag|lundi|mardi|mercredi|jeudi|vendredi|samedi|dimanche|lunes|martes|miércoles|"
    r"jueves|viernes|sábado|domingo|lunedì|martedì|mercoledì|giovedì|venerdì|sabato|domenica|"
    r"maandag|dinsdag|woensdag|donderdag|vrijdag|zaterdag|zondag"
)
_PART = (
    r"(?:\s+(?:early |late )?(?:morning|afternoon|evening|night"
    r"|at\s+\d{1,2}(?::\d{2})?\s*(?:am|pm)?))?"
)
_PHRASE = re.compile(
    rf"\b(?:the day after tomorrow|(?:next|this|coming)\s+(?:{_DAYS}|week(?:end)?|month|{_MONTHS})"
    rf"|(?:{_DAYS})|tomorrow|today|tonight|morgen|mañana|demain|domani"
    rf"|(?:the\s+)?\d{{1,2}}(?:st|nd|rd|th|\.)?\s+(?:of\s+)?{_MONTHS}(?:\s+\d{{4}})?"
    rf"|{_MONTHS}\s+(?:the\s+)?\d{{1,2}}(?:st|nd|rd|th)?(?:,?\s+\d{{4}})?"
    rf"|\d{{1,2}}[./]\d{{1,2}}[./]\d{{2,4}})\b{_PART}",
    re.I,
)
_WORDS = re.compile(
    rf"\d|\b(?:{_DAYS}|{_MONTHS}|weeks?|weekends?|weekdays?|months?|years?|days?|mornings?|"
    r"afternoons?|evenings?|noon|lunch\w*|night|tomorrow|today|tonight|soon(?:er|est)?|asap|now|"
    r"immediately|any ?time|when ?ever|flexible|spring|summer|autumn|fall|winter|christmas|easter|"
    r"new year\w*|holidays?|don't mind|do not mind|not sure|don't know|no rush|up to you|later|"
    r"morgen|übermorgen|woche|nächste\w*|mañana|semana|demain|semaine|domani|settimana)\b",
    re.I,
)


_NAMED = (
    re.compile(
        rf"(?P<d>\d{{1,2}})(?:st|nd|rd|th|\.)?\s+(?:of\s+)?(?P<m>{_MONTHS})\.?,?\s+(?P<y>\d{{4}})",
        re.I,
    ),
    re.compile(
        rf"(?P<m>{_MONTHS})\.?\s+(?:the\s+)?(?P<d>\d{{1,2}})(?:st|nd|rd|th)?,?\s+(?P<y>\d{{4}})",
        re.I,
    ),
    re.compile(
        r"(?<!\d)(?P<d>\d{1,2})\s*(?P<sign>[./-])\s*(?P<m>\d{1,2})\s*[./-]\s*(?P<y>\d{4})(?!\d)"
    ),
)
_POLITE = re.compile(r"(?<![\s,.!])[\s,.!]+(?:please|thanks|thank you)[\s.!]*$", re.I)
_AROUND = re.compile(
    rf"(?:\b(?:on|the|by|maybe|perhaps|please|thanks|thank you|would be|is|good|great|fine|from|um|"
    rf"well|let's say|i'd say|{_DAYS})\b|[\s,.!])*",
    re.I,
)
_MONTH_NUMBERS = {
    name: number
    for number, names in enumerate(
        (
            "jan",
            "feb",
            "mar mär",
            "apr",
            "may mai",
            "jun",
            "jul",
            "aug",
            "sep",
            "oct okt",
            "nov",
            "dec dez",
        ),
        1,
    )
    for name in names.split()
}
_MAX_CHARACTERS = 500
#: Where people write the month first.
_MONTH_FIRST = ("US", "PH", "CA")


def read_date(text: str, region: str = "GB") -> tuple[str, bool] | None:
    """An answer to "when?": the value and whether it can be used; None when it names no time.

    A day with its year becomes YYYY-MM-DD, unless more was said about it. `region`: ISO 3166 two
    letters, to tell day and month apart in 1/2/2027.
    """
    text = text[:_MAX_CHARACTERS]
    if whole := _whole_day(text, region):
        value, is_real, says_more = whole
        return (text if says_more or not is_real else value), is_real
    if _WORDS.search(text.replace("’", "'")):
        return _POLITE.sub("", text), True
    return None


def find_date(text: str, region: str = "GB") -> str | None:
    """A day named in passing: YYYY-MM-DD, or the words ("next Tuesday"), or None."""
    text = text[:_MAX_CHARACTERS]
    whole = _whole_day(text, region)
    if whole:
        return whole[0] if whole[1] else None
    phrase = _PHRASE.search(text)
    return " ".join(phrase.group().split()) if phrase else None


def _whole_day(text: str, region: str) -> tuple[str, bool, bool] | None:
    """A day with its year: as YYYY-MM-DD, whether it exists, whether the text says more."""
    matches = (pattern.search(text) for pattern in (_ISO, *_NAMED))
    match = next((match for match in matches if match), None)
    if match is None:
        return None
    day, month, year = int(match["d"]), _month_number(match["m"]), int(match["y"])
    has_sign = "sign" in match.re.groupindex and match["sign"] != "."
    if has_sign and day <= 12 and (region in _MONTH_FIRST or month > 12):
        day, month = month, day
    rest = f"{text[: match.start()]} {text[match.end() :]}"
    says_more = _AROUND.fullmatch(rest) is None
    try:
        return date(year, month, day).isoformat(), True, says_more
    except ValueError:
        return match.group(), False, says_more


def _month_number(written: str) -> int:
    return int(written) if written.isdecimal() else _MONTH_NUMBERS[written[:3].casefold()]
