"""Contact details in a visitor's line, and what happens to a draft when one is kept."""

from __future__ import annotations

import re
from dataclasses import replace

from app.leads.emails import Found, find_emails
from app.leads.phones import find_phones
from app.models.site_profile import Field, SiteProfile
from app.models.transcript import Answer, Draft, Line

_CORRECTING = re.compile(
    r"\b(?:actually|sorry|i meant|i mean|correct(?:ion|ed)?|oops|typo|mistyped|wrong|mistake|"
    r"instead|rather|changed?|update[ds]?|should (?:be|have been|say)|scratch that|make that|"
    r"spelled|spelt|not)\b|^\W*no\b[\s,.!]+\S",
    re.I,
)
_BESIDES = re.compile(r"\b(?:also|as well|too|second|other|another|alternatively|or)\b", re.I)
_TURNED_DOWN = re.compile(r"\b(?:not|isn't|instead of|rather than|old|wrong)\W*$", re.I)
_LED_IN = re.compile(
    r"(?P<leads>\b(?:and|or|but|so|my|the|is|it's|its|it is|email|mail|address|phone|tele|"
    r"telephone|tel|number|mobile|cell|whatsapp|on|at|by|via|to|me|call|text|ring|reach|contact|write|you|can|"
    r"i'm|i|am|use|under|here|no|not|sorry|actually|wait|e|m|t|p)\b|[\s.:=,;&+()<-]++)|\w++|.",
    re.I | re.S,
)
_LEAD_IN_CHARACTERS = 80


def correcting(text: str) -> bool:
    """Whether the visitor seems to take back or change something said before."""
    return _CORRECTING.search(text) is not None


def adding(text: str) -> bool:
    """Whether what is named comes beside what was said before, and does not replace it."""
    return _BESIDES.search(text) is not None


def may_hold_contact(text: str) -> bool:
    """A quick look, to spare most lines the search."""
    return "@" in text or sum(map(str.isdigit, text)) >= 6


def find_contacts(text: str, region: str, *, is_asked: bool = False) -> dict[str, Found]:
    """The "email" and the "phone" meant by the text; one the visitor turns down is passed by."""
    contacts: dict[str, Found] = {}
    for kind, found in _all_contacts(text, region, is_asked).items():
        wanted = [f for f in found if not _TURNED_DOWN.search(text[max(0, f.start - 20) : f.start])]
        if wanted:
            takes_last = len(wanted) > 1 and correcting(text) and not adding(text)
            contacts[kind] = wanted[-1 if takes_last else 0]
    return contacts


def without_contacts(text: str, region: str) -> str:
    """What else the text says: each contact detail and the words that led to it end a line."""
    found = [f for kind in _all_contacts(text, region, False).values() for f in kind]
    parts, at = [], 0
    for item in sorted(found, key=lambda f: f.start):
        parts.append(text[at : max(at, _lead_in_of(text, item))])
        at = item.end
    return "\n".join((*parts, text[at:])).strip()


def _lead_in_of(text: str, item: Found) -> int:
    """Where the words begin that lead up to a contact detail: "you can call me on …"."""
    window_start = max(0, item.start - _LEAD_IN_CHARACTERS)
    window = text[window_start : item.start]
    start = 0
    for piece in _LED_IN.finditer(window):
        if piece["leads"] is None:
            start = piece.end()
    return window_start + start


def contact_field(site: SiteProfile, kind: str, asked: Field | None = None) -> Field:
    """Where an "email" or "phone" belongs: the asked field, else the site's first, else ours."""
    if asked and asked.type == kind:
        return asked
    for field in site.fields:
        if field.type == kind:
            return field
    return Field(kind, "", "email" if kind == "email" else "phone", required=False)


def with_contact(draft: Draft, key: str, answer: Answer, line: Line, site: SiteProfile) -> Draft:
    """The draft with a contact detail, which under a consent line also gives the consent."""
    draft = draft.with_answer(key, answer)
    if site.consent.mode == "line" and draft.consent is None:
        return replace(draft, consent="given", consent_at=line.at.isoformat())
    return draft


def _all_contacts(text: str, region: str, is_asked: bool) -> dict[str, list[Found]]:
    if not may_hold_contact(text):
        return {}
    emails = find_emails(text)
    blanked: list[str] = []
    at = 0
    for item in emails:
        blanked += (text[at : item.start], "x" * (item.end - item.start))
        at = item.end
    blanked.append(text[at:])
    return {"email": emails, "phone": find_phones("".join(blanked), region, is_asked=is_asked)}
