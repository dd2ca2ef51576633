"""When a visitor takes something back: "actually it's …", "sorry, I meant …", "my number is …"."""

from __future__ import annotations

import re
from difflib import SequenceMatcher

from app.assistants.scripted_flow import field_named
from app.assistants.scripted_turn import ScriptedTurn
from app.leads.agreement import is_contact_detail, may_keep_contact_details
from app.leads.answers import normalise
from app.leads.choices import match_choice, mentioned_choice
from app.leads.contacts import correcting
from app.leads.dates import find_date
from app.leads.names import read_name
from app.models.site_profile import Field
from app.models.transcript import Answer, Line

_LABELLED = (
    re.compile(
        r"\b(?:my|our|the)\s+(?:new |right |correct |real |actual )?([a-z][\w -]{1,24}?)\s+"
        r"(?:is|was|should be|should say|must be|ought to be)\s+"
        r"(?:actually |really |now |in fact |not [^,;]{1,60}[,;]\s*(?:but "
        r"|it's )?)?([^\n;]{1,200})",
        re.I,
    ),
    re.compile(
        r"\b(?:change|correct|update|set|fix|edit)\s+(?:my |the |our )?([a-z][\w -]{1,24}?)\s+"
        r"(?:to|into|as)\s+([^\n;]{1,200})",
        re.I,
    ),
    re.compile(
        r"(?:^[^\S\n]*+|\n[^\S\n]*+|[,;][^\S\n]++)([a-z][\w -]{1,24}?)\s*+[:=]\s*"
        r"([^\n;]{1,200})",
        re.I,
    ),
)
_ALIASES = {
    **dict.fromkeys(("email", "e-mail", "mail", "email address", "e-mail address"), "email"),
    **dict.fromkeys(("phone", "phone number", "number", "mobile", "mobile number"), "phone"),
    **dict.fromkeys(("telephone", "telephone number", "tel", "cell", "cell phone"), "phone"),
    **dict.fromkeys(("full name", "surname", "last name"), "name"),
}
_SOMETHING_WRONG = re.compile(
    r"\b(?:chang(?:e|ing)|correct|update|fix|edit|wrong|incorrect|mistake|mistyped|typo|misspel\w+"
    r"|isn't|is not|not my|not right|isn't right)\b",
    re.I,
)
_LEAD = re.compile(
    r"^\*?(?:(?:no|nope|oh|oops|ah|sorry|i'm sorry|wait|actually|i meant(?: to (?:say|write|type))?"
    r"|i mean|correction|hang on|my (?:mistake|bad)|make (?:that|it)|scratch that|typo|not that"
    r"|change (?:that|it) to|it's|it is|its|it should (?:be|say|have been)|should (?:be|say)"
    r"|that should (?:be|say|have been)|rather|let's say|that's)(?!\w)[\s,.!:;*…-]*)*",
    re.I,
)
_TAIL = re.compile(
    r"(?<![\s,])[\s,]+(?:sorry|actually|i meant?|instead|not [\w-]+|my mistake)[\s.!]*$", re.I
)
_LAST_ONE_MEANT = re.compile(
    r"^\*|\b(?:meant|i mean|correction|typo|make (?:that|it)|scratch that|my (?:mistake|bad)|oops"
    r"|change (?:that|it)|should (?:be|say|have been))\b",
    re.I,
)
_A_SENTENCE = re.compile(
    r"^(?:i|i'm|i'd|i've|i'll|we|we're|you|they|he|she|it|that|this|there|can|could|what|how"
    r"|when|why"
    r"|where|do|does|is|are|please|thanks?|but|and|if|about|for|not|idea|problem|worries|thank)\b",
    re.I,
)


def take_labelled(turn: ScriptedTurn, line: Line, text: str, *, has_contacts: bool) -> bool:
    """ "My company is Acme", "change the date to Friday": values named by their field.

    `has_contacts`: the line's e-mail and phone have been read already.
    """
    took = False
    for pattern in _LABELLED:
        for label, value in pattern.findall(text):
            field = _by_label(turn, label)
            if field is None or field.key == "name" or not _may_take(turn, field):
                continue
            if not (has_contacts and is_contact_detail(field)):
                took = _take_value(turn, field, value, line) or took
    return took


def take_change_request(turn: ScriptedTurn, line: Line, text: str) -> bool:
    """ "My e-mail is wrong", "can I change my number?": come back to that field."""
    if not _SOMETHING_WRONG.search(text):
        return False
    said = text.casefold()
    for label, key in (*_ALIASES.items(), *((_plain(k), k) for k in turn.draft.answers)):
        if key in turn.draft.answers and re.search(rf"\b{re.escape(label)}\b", said):
            field = field_named(turn.site, key)
            if field and _may_take(turn, field):
                turn.ask_anew(field, line, is_invalid=False)
                return True
    return False


def take_correction(turn: ScriptedTurn, line: Line, text: str) -> tuple[bool, str]:
    """Apply a correction that does not name its field.

    Gives whether one was applied, and otherwise the text without the words that announced it.
    """
    bare, is_announced = _announced(text)
    if not is_announced or not bare:
        return False, text
    asked = turn.asked
    if asked and asked.type == "choice" and match_choice(asked, bare):
        return False, bare
    if _change_choice(turn, line, bare) or _change_date(turn, line, bare):
        return True, bare
    if len(bare.split()) > 6 or _A_SENTENCE.match(bare):
        return False, text
    last = _last_answered(turn, line)
    is_last_meant = _LAST_ONE_MEANT.search(text) is not None
    if _change_name(turn, line, bare, last, is_last_meant):
        return True, bare
    if asked and asked.type in ("text", "date") and not is_last_meant:
        return False, bare
    if last and last.type == "phone" and sum(map(str.isdigit, bare)) >= 4:
        turn.ask_anew(last, line, is_invalid=True)
        return True, bare
    if last and last.type in ("text", "choice") and last.key != "name":
        answer = normalise(last, bare, turn.site.region)
        if answer:
            turn.keep(last, answer, line)
            return True, bare
    return False, bare


def take_changed_choice(turn: ScriptedTurn, line: Line, text: str) -> bool:
    """ "not the kitchen, the bathroom": another choice named outright."""
    if not correcting(text):
        return False
    for field in _answered(turn, "choice"):
        choice = mentioned_choice(field, text)
        if choice and turn.draft.answers[field.key].value != choice.value:
            turn.keep(field, Answer(choice.value), line)
            return True
    return False


def _announced(text: str) -> tuple[str, bool]:
    lead = _LEAD.match(text)
    announced = lead.group() if lead else ""
    bare = text[len(announced) :]
    ended = _TAIL.sub("", bare)
    only_says_it = re.fullmatch(r"(?:it's|it is|its|that's)\W*", announced, re.I) is not None
    is_announced = (bool(announced) and not only_says_it) or ended != bare
    return ended.strip(" .!,;:*"), is_announced


def _take_value(turn: ScriptedTurn, field: Field, value: str, line: Line) -> bool:
    value = _TAIL.sub("", value).strip(" .!,")
    answer = normalise(field, value, turn.site.region)
    before = turn.draft.answers.get(field.key)
    if answer and answer.is_valid:
        if before != answer:
            turn.keep(field, answer, line)
        return True
    if field.type in ("email", "phone", "date") and (answer or before):
        if turn.asked and turn.asked.key == field.key:
            return False
        if _SOMETHING_WRONG.search(value) and not answer:
            turn.ask_anew(field, line, is_invalid=False)
        else:
            turn.ask_anew(field, line, is_invalid=True)
        return True
    return False


def _change_choice(turn: ScriptedTurn, line: Line, bare: str) -> bool:
    for field in _answered(turn, "choice"):
        choice = match_choice(field, bare)
        if choice and turn.draft.answers[field.key].value != choice.value:
            turn.keep(field, Answer(choice.value), line)
            return True
    return False


def _change_date(turn: ScriptedTurn, line: Line, bare: str) -> bool:
    for field in _answered(turn, "date"):
        answer = normalise(field, bare, turn.site.region) if find_date(bare) else None
        if answer and answer.is_valid:
            turn.keep(field, answer, line)
            return True
    return False


def _change_name(
    turn: ScriptedTurn, line: Line, bare: str, last: Field | None, is_last_meant: bool
) -> bool:
    before = turn.draft.answers.get("name")
    name = read_name(bare) if before and len(bare.split()) <= 4 else None
    if before is None or name is None or name == before.value:
        return False
    likeness = SequenceMatcher(None, name.casefold(), before.value.casefold()).ratio()
    was_last = last is not None and last.key == "name"
    asks_text = turn.asked is not None and turn.asked.type in ("text", "date")
    if likeness >= 0.5 or (was_last and (is_last_meant or not asks_text)):
        field = field_named(turn.site, "name")
        if field:
            turn.keep(field, Answer(name), line)
            return True
    return False


def _last_answered(turn: ScriptedTurn, line: Line) -> Field | None:
    """The answered field whose question stood last before this line."""
    open_key = turn.asked.key if turn.asked else None
    earlier = [one for one in turn.transcript.lines if one.id < line.id and one.role == "assistant"]
    for one in reversed(earlier):
        if one.field and one.field != open_key and one.field in turn.draft.answers:
            return field_named(turn.site, one.field)
    answered = [f for f in turn.site.fields if f.key in turn.draft.answers and f.key != open_key]
    return answered[-1] if answered else None


def _answered(turn: ScriptedTurn, kind: str) -> list[Field]:
    return [f for f in turn.site.fields if f.type == kind and f.key in turn.draft.answers]


def _by_label(turn: ScriptedTurn, label: str) -> Field | None:
    label = " ".join(label.casefold().split())
    for field in turn.site.fields:
        if label == _plain(field.key):
            return field
    return field_named(turn.site, _ALIASES.get(label))


def _may_take(turn: ScriptedTurn, field: Field) -> bool:
    return not is_contact_detail(field) or may_keep_contact_details(turn.draft, turn.site)


def _plain(key: str) -> str:
    return key.casefold().replace("_", " ").replace("-", " ")
