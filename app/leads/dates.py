"""Dates, read loosely: a calendar day as YYYY-MM-DD, or the plain words someone used."""

from __future__ import annotations

import re
from datetime import date

_ISO = re.compile(r"(?<![\d-])(\d{4})-(\d{1,2})-(\d{1,2})(?![\d-])")
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


def read_date(text: str) -> tuple[str, bool] | None:
    """An answer to "when?": the value and whether it can be used; None when it names no time."""
    if match := _ISO.search(text):
        return (match.group(), True) if (day := _day(match)) is None else day
    if _WORDS.search(text.replace("’", "'")):
        return text, True
    return None


def find_date(text: str) -> str | None:
    """A day named in passing: YYYY-MM-DD, or the words ("next Tuesday"), or None."""
    if (match := _ISO.search(text)) and (day := _day(match)) and day[1]:
        return day[0]
    phrase = _PHRASE.search(text)
    return " ".join(phrase.group().split()) if phrase else None


def _day(match: re.Match[str]) -> tuple[str, bool] | None:
    year, month, day = (int(part) for part in match.groups())
    try:
        return date(year, month, day).isoformat(), True
    except ValueError:
        return match.group(), False
