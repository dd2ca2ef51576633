"""E-mail addresses in what people write: found, and brought into one form. Nothing is looked up."""

from __future__ import annotations

import re
from itertools import islice
from typing import NamedTuple

from email_validator import EmailNotValidError, validate_email

#: Who writes more addresses or numbers than this gives a list, not their own.
MOST_CANDIDATES = 50


class Found(NamedTuple):
    """A normalised value and where it stands in the text it was found in."""

    value: str
    start: int
    end: int


# Bounded lengths (RFC 5321: 64 and 255) keep the search linear on long texts.
_CANDIDATE = re.compile(r"[^\s@<>()\[\],;:\"“”«»]{1,64}@[^\s@<>()\[\],;:\"“”«»/]{1,255}")
_OF_AN_ADDRESS_BAR = frozenset("?%#")
_EDGES = "'’‘*_.!?…-"
_PREFIX = re.compile(r"^(?:e-?mail|mail)=", re.I)
_SPACE_AT_SIGNS = re.compile(r"(?<!\s)\s++(?=[@.])|(?<=[@.])\s++")
_SPOKEN_AT = re.compile(r"(?:(?<!\s)\s++)?[(\[]\s*+at\s*+[)\]]\s*+|(?<!\s)\s++at\s++", re.I)
_SPOKEN_DOT = re.compile(r"(?:(?<!\s)\s++)?[(\[]\s*+dot\s*+[)\]]\s*+|(?<!\s)\s++dot\s++", re.I)
_SPOKEN = re.compile(r"[\w.+-](?:\s++at\s++|\s*+[(\[]\s*+at\s*+[)\]]\s*+)[\w-]", re.I)
_LOOKS_MEANT = re.compile(r"[^\s@]@|@[^\s@]+\.|^\S+\.[a-z]{2,6}$", re.I)


def find_emails(text: str) -> list[Found]:
    """All valid addresses in the text, in order, normalised."""
    if "@" not in text:
        return []
    found = []
    for match in islice(_CANDIDATE.finditer(text), MOST_CANDIDATES):
        typed = match.group()
        if typed.startswith("//"):  # a user in a web address
            continue
        bare = _PREFIX.sub("", typed.lstrip(_EDGES)).rstrip(_EDGES)
        if value := _valid(bare):
            start = match.start() + typed.index(bare)
            found.append(Found(value, start, start + len(bare)))
    return found


def read_email(text: str) -> str | None:
    """The address in an answer to "what is your e-mail?", with spaces or spelled-out signs too."""
    if found := find_emails(text):
        return found[0].value
    if "@" in text:
        closed_up = find_emails(_SPACE_AT_SIGNS.sub("", text))
        return closed_up[0].value if closed_up else None
    if _SPOKEN.search(text):
        written = _SPOKEN_AT.sub("@", _SPOKEN_DOT.sub(".", text), count=1)
        spoken = find_emails(written)
        return spoken[0].value if spoken else None
    return None


def looks_like_email(text: str) -> bool:
    """Whether someone seems to have meant an address, however broken."""
    return _LOOKS_MEANT.search(text) is not None


def _valid(candidate: str) -> str | None:
    # RFC 5321 allows them; no mailbox has them, an address bar does: `sales?bcc=spy%40…@b.co`.
    if not _OF_AN_ADDRESS_BAR.isdisjoint(candidate):
        return None
    try:
        return validate_email(candidate, check_deliverability=False).normalized
    except EmailNotValidError:
        return None
