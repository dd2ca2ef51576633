"""The assistant that needs no model: it runs the site's questions and confirms the booking."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from app.assistants.base import Reply
from app.assistants.scripted_flow import (
    CONSENT_FIELD,
    CONTACT_INPUT,
    FREE_INPUT,
    input_for,
    name_to_say,
    next_step,
)
from app.assistants.scripted_turn import ACKNOWLEDGEMENTS, PLAIN_THANKS, ScriptedTurn
from app.assistants.scripted_understanding import understand
from app.assistants.scripted_words import confirmation, say
from app.models.site_profile import Field, SiteProfile
from app.models.transcript import Draft, Input, Transcript

_PIECE = re.compile(r"(?:\S+\s*){1,5}")


class ScriptedAssistant:
    """Asks for each field of the site in order and understands what is said out of order."""

    promises_in_words = True

    def is_set_up(self, site: SiteProfile) -> bool:
        """It needs nothing."""
        return True

    def opening(self, site: SiteProfile) -> list[Reply]:
        """The greeting, then the first question."""
        greeting = Reply(site.greeting.strip() or say(site, "greeting"), FREE_INPUT, Draft())
        step = next_step(Draft(), site)
        if not isinstance(step, Field):
            return [greeting]
        return [greeting, Reply(question_of(site, step), input_for(step), Draft(asking=step.key))]

    def reply(self, transcript: Transcript, site: SiteProfile) -> Iterator[str | Reply]:
        """The answer to all the visitor's lines that are not in the draft yet."""
        reply = _reply_to(understand(transcript, site))
        yield from _PIECE.findall(reply.text)
        yield reply


def _reply_to(turn: ScriptedTurn) -> Reply:
    step = turn.ask or next_step(turn.draft, turn.site)
    if step == "refused":
        return _reply(turn, _remarks_or(turn, "still_refused"), FREE_INPUT)
    if turn.is_confirmed and turn.ask is None and turn.hint is None:
        return _reply(turn, _remarks_or(turn, "afterwards"), FREE_INPUT)
    if isinstance(step, Field):
        # A question that is still open is put again, even where its field has a value already.
        return _ask(turn, turn.asked if turn.hint and turn.ask is None and turn.asked else step)
    if step == "needs_contact":
        text = _joined(turn.hint, *_remarks(turn), say(turn.site, "needs_contact"))
        return _reply(turn, text, CONTACT_INPUT)
    if turn.hint and turn.asked:
        return _ask(turn, turn.asked)
    return _confirm(turn)


def _ask(turn: ScriptedTurn, field: Field) -> Reply:
    hint = None if field is CONSENT_FIELD else turn.hint
    question = hint or question_of(turn.site, field)
    is_repeated = turn.draft.asking == field.key or turn.ask is field
    attempts = turn.draft.attempts if is_repeated else 0
    draft = replace(turn.draft, asking=field.key, attempts=attempts)
    return Reply(_joined(*_remarks(turn), question), input_for(field), draft)


def _confirm(turn: ScriptedTurn) -> Reply:
    name = name_to_say(turn.draft, turn.site)
    said = (text for (key, _), text in turn.remarks.items() if key not in ACKNOWLEDGEMENTS)
    text = _joined(*said, confirmation(turn.site, name))
    return replace(_reply(turn, text, FREE_INPUT), confirms_booking=True)


def _reply(turn: ScriptedTurn, text: str, input_: Input) -> Reply:
    return Reply(text, input_, replace(turn.draft, asking=None, attempts=0))


def question_of(site: SiteProfile, field: Field) -> str:
    """What the visitor is asked for this field."""
    if field is CONSENT_FIELD:
        return site.consent.text.strip() or say(site, "consent")
    return field.question


def _remarks(turn: ScriptedTurn) -> list[str]:
    """What is said before the question: a plain "thank you" only where nothing else is said."""
    telling = {at: text for at, text in turn.remarks.items() if at[0] not in PLAIN_THANKS}
    said = telling or dict(list(turn.remarks.items())[:1])
    return [said[at] for at in sorted(said, key=lambda at: at[0] != "pleased")]


def _remarks_or(turn: ScriptedTurn, key: str) -> str:
    return _joined(*_remarks(turn)) or say(turn.site, key)


def _joined(*sentences: str | None) -> str:
    return " ".join(sentence.strip() for sentence in sentences if sentence)
