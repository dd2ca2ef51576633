"""Whether a line answers the question that was asked, and what to say when it does not."""

from __future__ import annotations

import re
from dataclasses import replace

from app.assistants.scripted_flow import CONSENT_FIELD
from app.assistants.scripted_intents import (
    Intent,
    intent_of,
    is_question,
    is_refusal,
    is_skip,
    is_story,
    is_unsure,
)
from app.assistants.scripted_turn import ScriptedTurn
from app.leads.agreement import may_keep_contact_details
from app.leads.answers import normalise
from app.leads.choices import exact_choice, match_choice
from app.leads.dates import find_date
from app.leads.emails import looks_like_email
from app.leads.names import read_name
from app.models.site_profile import Field
from app.models.transcript import Answer, Line

_SEGMENTS = re.compile(r"[,;\n]+|\s{1,20}and\s+", re.I)
_COMPANY_LEAD = re.compile(
    r"^(?:(?:it's|it is|we're|we are|i'm (?:from|with|at)|i work (?:for|at)|(?:my|our|the) company "
    r"(?:is|name is)|it's called|we are called|we're called|called|from)\s+)+(?=\S)",
    re.I,
)
_REPLIES: dict[Intent, str] = {
    "identity": "identity",
    "human": "human",
    "why": "why",
    "goodbye": "goodbye",
    "thanks": "welcome",
    "hello": "hello",
    "question": "colleague",
}


def take_answer(turn: ScriptedTurn, line: Line, text: str, rest: str, *, took: bool) -> None:
    """Read the line as an answer to the open question.

    `rest`: the line without contact details and words that announce a correction. `took`: something
    in it was understood already, so that it need not be an answer.
    """
    asked = turn.asked
    if asked is None or not rest.strip():
        return
    if asked.type in ("email", "phone"):
        _take_contact_answer(turn, asked, line, text, took=took)
    elif asked.type == "choice":
        _take_choice_answer(turn, asked, line, rest, took=took)
    elif asked.type == "date":
        _take_date_answer(turn, asked, line, rest, took=took)
    elif asked.key == "name":
        _take_name_answer(turn, asked, line, rest, took=took)
    else:
        _take_text_answer(turn, asked, line, text, rest, took=took)


def talk(turn: ScriptedTurn, text: str) -> None:
    """Answer what is no answer: a greeting, a question, thanks."""
    intent = intent_of(text)
    if intent == "question" and turn.asked is CONSENT_FIELD:
        turn.remark("why")
    elif intent in _REPLIES:
        turn.remark(_REPLIES[intent])
    elif intent == "chatter" and turn.is_confirmed:
        turn.remark("anything_else")


def _take_contact_answer(
    turn: ScriptedTurn, asked: Field, line: Line, text: str, *, took: bool
) -> None:
    answer = normalise(asked, text, turn.site.region)
    if answer and answer.is_valid:
        turn.keep(asked, answer, line)
    elif is_skip(text) or (is_refusal(text) and not _is_attempt(asked, text)):
        turn.refuse(line)
    elif took:
        return
    elif intent_of(text) and not _is_attempt(asked, text):
        talk(turn, text)
    elif is_story(text) and not _is_attempt(asked, text):
        turn.remark("story")
    else:
        turn.ask_in_vain(line, text)


def _is_attempt(asked: Field, text: str) -> bool:
    if asked.type == "email":
        return "@" in text and looks_like_email(text)
    return sum(map(str.isdigit, text)) >= 5


def _take_choice_answer(
    turn: ScriptedTurn, asked: Field, line: Line, rest: str, *, took: bool
) -> None:
    choice = match_choice(asked, rest)
    if choice and not (is_skip(rest) or intent_of(rest) in ("identity", "human")):
        if is_question(rest) and not exact_choice(asked, rest):
            turn.remark("colleague")
        turn.keep(asked, Answer(choice.value), line)
    elif is_skip(rest):
        turn.refuse(line)
    elif is_unsure(rest) and turn.draft.attempts == 0:
        _help_to_choose(turn, asked, line)
    elif took:
        return
    elif intent_of(rest):
        talk(turn, rest)
    else:
        _keep_or_ask_again(turn, asked, line, rest)


def _help_to_choose(turn: ScriptedTurn, asked: Field, line: Line) -> None:
    if asked.required:
        turn.remark("undecided")
        turn.draft = replace(turn.draft, attempts=1)
    else:
        turn.refuse(line)


def _take_date_answer(
    turn: ScriptedTurn, asked: Field, line: Line, rest: str, *, took: bool
) -> None:
    day = find_date(rest, turn.site.region)
    if day is None and is_skip(rest):
        turn.refuse(line)
    elif is_unsure(rest):
        _keep_or_ask_again(turn, asked, line, rest)
    elif day is None and intent_of(rest):
        talk(turn, rest)
    elif day and is_question(rest):
        turn.keep(asked, Answer(day), line)
    elif not took or day:
        _keep_or_ask_again(turn, asked, line, rest)


def _take_name_answer(
    turn: ScriptedTurn, asked: Field, line: Line, rest: str, *, took: bool
) -> None:
    intent = intent_of(rest)
    name = None if intent or is_refusal(rest) else _name_in(turn, rest, took=took)
    if name:
        turn.keep(asked, Answer(name), line)
    elif is_refusal(rest):
        turn.refuse(line)
    elif intent:
        if not took or intent in ("identity", "human", "question"):
            talk(turn, rest)
    elif is_story(rest):
        turn.remark("story")
    elif not took:
        turn.ask_in_vain(line, rest)


def _name_in(turn: ScriptedTurn, rest: str, *, took: bool) -> str | None:
    """The name among what was said: all of it, or its first part that can be one."""
    segments = [part.strip() for part in _SEGMENTS.split(rest) if part.strip()]
    others = [part for part in segments if _is_other_answer(turn, part)]
    if len(segments) > 1 and (others or took):
        names = (read_name(part) for part in segments if part not in others)
        return next((name for name in names if name), None)
    if others:
        return None
    name = read_name(rest)
    if name is None and len(segments) > 1 and len(segments[0].split()) <= 3:
        return read_name(segments[0])
    return name


def _is_other_answer(turn: ScriptedTurn, part: str) -> bool:
    fields = turn.site.fields
    return any(
        (field.type == "choice" and match_choice(field, part))
        or (field.type == "date" and find_date(part, turn.site.region))
        for field in fields
    )


def _take_text_answer(
    turn: ScriptedTurn, asked: Field, line: Line, text: str, rest: str, *, took: bool
) -> None:
    intent = intent_of(rest)
    is_open = asked.key != "company"
    if is_skip(rest) or (not is_open and is_refusal(rest)):
        turn.refuse(line)
    elif intent and not (intent == "question" and is_open):
        talk(turn, rest)
    elif took and not (is_open and len(rest.split()) >= 3):
        return
    else:
        if intent == "question":
            turn.remark("colleague")
        whole = text if is_open and may_keep_contact_details(turn.draft, turn.site) else rest
        _keep_or_ask_again(turn, asked, line, whole if is_open else _COMPANY_LEAD.sub("", rest))


def _keep_or_ask_again(turn: ScriptedTurn, asked: Field, line: Line, text: str) -> None:
    answer = normalise(asked, text, turn.site.region)
    if answer and answer.is_valid:
        turn.keep(asked, answer, line)
    else:
        turn.ask_in_vain(line, text)
