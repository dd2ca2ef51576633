"""What the visitor's new lines say, folded into the draft of one scripted turn."""

from __future__ import annotations

import re
from dataclasses import replace

from app.assistants.scripted_answers import take_answer, talk
from app.assistants.scripted_corrections import (
    take_change_request,
    take_changed_choice,
    take_correction,
    take_labelled,
)
from app.assistants.scripted_flow import CONSENT_FIELD, field_named, was_confirmed
from app.assistants.scripted_turn import ScriptedTurn
from app.leads.agreement import agrees_after_all, may_keep_contact_details, read_yes_no
from app.leads.answers import MAX_CHARACTERS
from app.leads.choices import exact_choice, mentioned_choice
from app.leads.contacts import (
    adding,
    contact_field,
    correcting,
    find_contacts,
    may_hold_contact,
    without_contacts,
)
from app.leads.dates import find_date
from app.leads.emails import looks_like_email
from app.leads.extraction import with_earlier_contacts
from app.leads.names import find_name
from app.models.message_text import to_understand
from app.models.site_profile import SiteProfile
from app.models.transcript import Answer, Line, Transcript

_SPACES = re.compile(r"[^\S\n]+")


def understand(transcript: Transcript, site: SiteProfile) -> ScriptedTurn:
    """Fold every visitor line that is not in the draft yet, oldest first."""
    draft = transcript.draft
    turn = ScriptedTurn(
        site=site,
        transcript=transcript,
        draft=draft,
        asked=field_named(site, draft.asking),
        is_confirmed=was_confirmed(transcript, site),
    )
    for line in transcript.lines:
        if line.role == "visitor" and line.id > draft.read_through:
            _read(turn, line)
            turn.draft = replace(turn.draft, read_through=max(line.id, turn.draft.read_through))
    return turn


def _read(turn: ScriptedTurn, line: Line) -> None:
    text = _SPACES.sub(" ", to_understand(line.text).replace("’", "'")).strip()
    if turn.draft.consent == "refused" and turn.asked is not CONSENT_FIELD:
        _read_after_refusal(turn, line, text)
        return
    took = False
    if turn.asked is CONSENT_FIELD:
        said = read_yes_no(text)
        if said == "no":
            _refuse_consent(turn, line)
            return
        took = said == "yes"
        if took:
            _give_consent(turn, line)
    elif turn.asked and turn.asked.type == "choice":
        choice = exact_choice(turn.asked, text)
        if choice:
            turn.keep(turn.asked, Answer(choice.value), line)
            return
    has_contacts = _take_contacts(turn, line, text)
    rest = without_contacts(text, turn.site.region) if has_contacts else text
    took = has_contacts or took
    # Contact details are found however long the text; what else it says, in its beginning.
    text, rest = text[:MAX_CHARACTERS], rest[:MAX_CHARACTERS]
    took = take_labelled(turn, line, rest, has_contacts=has_contacts) or took
    took = _take_name(turn, line, rest) or took
    if not took:
        took, rest = take_correction(turn, line, rest)
    took = take_changed_choice(turn, line, rest) or _take_mentioned(turn, line, rest) or took
    if not took:
        took = _take_broken_email(turn, line, text) or take_change_request(turn, line, text)
    if turn.asked and turn.asked is not CONSENT_FIELD and turn.ask in (None, CONSENT_FIELD):
        take_answer(turn, line, text, rest, took=took)
    elif not took:
        talk(turn, text)
        if turn.asked is CONSENT_FIELD and not turn.remarks:
            turn.remark("consent_unclear")


def _read_after_refusal(turn: ScriptedTurn, line: Line, text: str) -> None:
    if agrees_after_all(text):
        _give_consent(turn, line)
        _take_contacts(turn, line, text)
    elif "change" in text.casefold() and "mind" in text.casefold():
        turn.ask = CONSENT_FIELD
    else:
        talk(turn, text[:MAX_CHARACTERS])


def _give_consent(turn: ScriptedTurn, line: Line) -> None:
    """Contact details typed before the yes may be kept from now on."""
    turn.draft = replace(turn.draft, consent="given", consent_at=line.at.isoformat())
    turn.draft = with_earlier_contacts(turn.draft, turn.transcript.lines, line, turn.site)
    turn.remark("noted")
    turn.answered()


def _refuse_consent(turn: ScriptedTurn, line: Line) -> None:
    turn.draft = replace(turn.draft, consent="refused", consent_at=line.at.isoformat())
    turn.remark("refused")
    turn.answered()


def _take_contacts(turn: ScriptedTurn, line: Line, text: str) -> bool:
    if not may_hold_contact(text):
        return False
    asks_phone = turn.asked is not None and turn.asked.type == "phone"
    found = find_contacts(text, turn.site.region, is_asked=asks_phone)
    if found and not may_keep_contact_details(turn.draft, turn.site):
        if turn.asked is not CONSENT_FIELD:
            turn.remark("consent_first")
        turn.ask = CONSENT_FIELD
        return True
    for kind, contact in found.items():
        field = contact_field(turn.site, kind, turn.asked)
        before = turn.draft.answers.get(field.key)
        is_asked = turn.asked is not None and turn.asked.key == field.key
        if before and before.is_valid and adding(text) and not correcting(text) and not is_asked:
            turn.remark("noted")
        elif before is None or before.value != contact.value or is_asked:
            turn.keep(field, Answer(contact.value), line)
    return bool(found)


def _take_name(turn: ScriptedTurn, line: Line, text: str) -> bool:
    found = find_name(text)
    if found is None:
        return False
    before = turn.draft.answers.get("name")
    if before and not found.is_sure and not correcting(text):
        return False
    if before is None or before.value != found.value:
        field = field_named(turn.site, "name")
        if field:
            turn.keep(field, Answer(found.value), line)
    elif turn.asked and turn.asked.key == "name":
        turn.answered()
    return True


def _take_mentioned(turn: ScriptedTurn, line: Line, text: str) -> bool:
    """Choices and dates that are named before anyone has asked for them."""
    took = False
    for field in turn.site.fields:
        if turn.asked and field.key == turn.asked.key:
            continue
        if field.type == "choice":
            is_new = field.key not in turn.draft.answers
            choice = (mentioned_choice if is_new else exact_choice)(field, text)
            if choice and _is_for_the_asked_name(turn, text, is_whole=not is_new):
                choice = exact_choice(field, text)
            if choice and (is_new or not _asks_open_text(turn)):
                if turn.draft.answers.get(field.key) != Answer(choice.value):
                    turn.keep(field, Answer(choice.value), line)
                took = True
        elif field.type == "date" and field.key not in turn.draft.answers:
            day = find_date(text, turn.site.region)
            if day and not _asks_open_text(turn):
                turn.keep(field, Answer(day), line)
                took = True
    return took


def _is_for_the_asked_name(turn: ScriptedTurn, text: str, *, is_whole: bool) -> bool:
    """ "Ann Kitchen" may be somebody's name, when the name is what was asked for."""
    asks_name = turn.asked is not None and turn.asked.key == "name"
    words = text.split()
    is_one_phrase = len(words) == 2 and not any(sign in text for sign in ",;\n")
    return asks_name and not is_whole and is_one_phrase and all(w[:1].isupper() for w in words)


def _asks_open_text(turn: ScriptedTurn) -> bool:
    return turn.asked is not None and turn.asked.type == "text" and turn.asked.key != "name"


def _take_broken_email(turn: ScriptedTurn, line: Line, text: str) -> bool:
    """An address that is given out of order and cannot be right is asked for at once."""
    if "@" not in text or not looks_like_email(text):
        return False
    if (turn.asked and turn.asked.type == "email") or turn.asked is CONSENT_FIELD:
        return False
    if not may_keep_contact_details(turn.draft, turn.site):
        return False
    field = contact_field(turn.site, "email")
    turn.ask_anew(field, line, is_invalid=True)
    return True
