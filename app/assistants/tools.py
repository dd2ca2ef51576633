"""The two tools of the language model: note what the visitor said, and make the booking.

They reach the open conversation's own fields and nothing else. What a model sends is checked like
anything from outside: one thing that is not as it should be, and the call does nothing but tell.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from app.assistants.base import Call
from app.assistants.free_talk import consent_question
from app.assistants.scripted_flow import can_be_reached
from app.assistants.scripted_intents import intent_of, is_refusal
from app.leads.agreement import CONSENT, is_contact_detail
from app.leads.choices import exact_choice
from app.leads.extraction import extract
from app.leads.learnt import learn
from app.models.site_profile import Field, SiteProfile
from app.models.transcript import Answer, Draft, Line, Transcript

SAVE, CONFIRM = "save_details", "confirm_booking"
_DECLINED, _ASKS_FOR = "declined", "asks_for"
_MOST_CHARACTERS = 8_000
_MOST_CALLS = 16


def offered(site: SiteProfile) -> list[dict[str, Any]]:
    """The tools as a model is told of them."""
    keys = [field.key for field in site.fields]
    can_ask = [*keys, *([CONSENT] if site.consent.mode == "question" else [])]
    properties: dict[str, Any] = {
        field.key: {"type": "string", "description": _described(field)} for field in site.fields
    }
    if keys:
        properties[_DECLINED] = {
            "type": "array",
            "items": {"type": "string", "enum": keys},
            "description": "What the visitor would rather not tell.",
        }
    if can_ask:
        properties[_ASKS_FOR] = {
            "type": "string",
            "enum": can_ask,
            "description": "The one detail your answer asks for.",
        }
    return [
        _tool(SAVE, "Note what the visitor has told. Leave out what is not known.", properties),
        _tool(CONFIRM, "Make the booking. It says what is missing, if anything is.", {}),
    ]


class Done(NamedTuple):
    """What the model is told of its call, and whether it has nothing more to do about it."""

    told: str
    is_well: bool


class Toolbox:
    """The tools at work on one answer. `draft`: what is known; `asks_for`: what is asked next.

    What a line seems to answer is only kept in the end where the model does not know better; an
    address or a choice typed as the answer to its question is not overruled.
    """

    def __init__(self, transcript: Transcript, site: SiteProfile) -> None:
        self._site = site
        self._before = transcript.draft
        self._is_completed = transcript.is_completed
        self._heard = [line for line in transcript.lines if line.role == "visitor"]
        self._new = [line for line in self._heard if line.id > self._before.read_through]
        self.draft, self._guess = self._understood(extract(transcript, site))
        self.asks_for: str | None = None
        self.is_confirmed = False
        self.calls: list[Call] = []

    def use(self, name: str, arguments: str) -> Done:
        """Do what a call says."""
        done = self._use(name, arguments)
        self.calls.append(Call(name[:64], arguments[:_MOST_CHARACTERS], done.told))
        return done

    def known(self, asks_for: str | None) -> Draft:
        """All that is known in the end. `asks_for`: asked again, so that it was not answered."""
        if self._guess is None or self._guess[0] == asks_for:
            return self.draft
        return self.draft.with_answer(*self._guess)

    def _understood(self, draft: Draft) -> tuple[Draft, tuple[str, Answer] | None]:
        """What is sure of what was found, and what may be an answer to the question or may not."""
        key = self._before.asking
        field = self._site.field(key) if key else None
        if field is None or draft.answers.get(field.key) == self._before.answers.get(field.key):
            return draft, None
        answer = draft.answers[field.key]
        if is_contact_detail(field) or self._is_pressed(field, answer):
            return draft, None
        answers = {k: v for k, v in draft.answers.items() if k != field.key}
        if before := self._before.answers.get(field.key):
            answers[field.key] = before
        is_answer = not any(_is_talk(line.text) for line in self._new)
        return replace(draft, answers=answers), (field.key, answer) if is_answer else None

    def _is_pressed(self, field: Field, answer: Answer) -> bool:
        choices = (exact_choice(field, line.text) for line in self._new)
        return any(choice is not None and choice.value == answer.value for choice in choices)

    def _use(self, name: str, arguments: str) -> Done:
        if len(self.calls) >= _MOST_CALLS:
            return _nothing("too many calls. Answer the visitor")
        if name not in (SAVE, CONFIRM):
            return _nothing(f"there are only {SAVE} and {CONFIRM}")
        values = _read(arguments)
        if values is None:
            return _nothing("the arguments are not one JSON object")
        known = offered(self._site)[(SAVE, CONFIRM).index(name)]["function"]["parameters"]
        if not values.keys() <= known["properties"].keys():
            names = ", ".join(known["properties"]) or "none"
            return _nothing(f"unknown arguments. Known are: {names}")
        return self._save(values) if name == SAVE else self._confirm()

    def _save(self, values: dict[str, Any]) -> Done:
        declined = values.pop(_DECLINED, None) or []
        asks_for = values.pop(_ASKS_FOR, None) or None
        keys = [field.key for field in self._site.fields]
        if not isinstance(declined, list) or not all(key in keys for key in declined):
            return _nothing(f"{_DECLINED} lists keys of details")
        if asks_for is not None and asks_for not in (*keys, CONSENT):
            return _nothing(f"{_ASKS_FOR} is the key of one detail")
        if values:
            self._guess = None
        problems = self._learn(values)
        without = frozenset(declined) - self.draft.answers.keys()
        self.draft = replace(self.draft, skipped=self.draft.skipped | without)
        self.asks_for = asks_for
        told = [f"Not noted: {key}. {sentence}" for key, sentence in problems.items()]
        outlook, is_over = self._outlook()
        text = " ".join([*(told or ["Noted."]), outlook]).strip()
        return Done(text, is_well=not problems and not is_over)

    def _learn(self, values: Mapping[str, Any]) -> dict[str, str]:
        problems: dict[str, str] = {}
        for key, value in values.items():
            field = self._site.field(key)
            if field is None or self._is_settled(field, value):
                continue
            self.draft, unusable = learn(
                self.draft, self._site, {key: value}, self._heard[-1], heard=self._heard_for(field)
            )
            problems |= unusable
        return problems

    def _is_settled(self, field: Field, value: object) -> bool:
        """Whether the visitor has just pressed the button of another choice."""
        if field.key != self._before.asking or field.type != "choice":
            return False
        answer = self.draft.answers.get(field.key)
        return answer is not None and answer.value != value and self._is_pressed(field, answer)

    def _heard_for(self, field: Field) -> list[Line]:
        """Where a contact detail has to stand: in the answer, where its question got one."""
        answer = self.draft.answers.get(field.key)
        was_answered = answer is not None and answer != self._before.answers.get(field.key)
        if field.key == self._before.asking and was_answered and answer and answer.is_valid:
            return self._new
        return self._heard

    def _confirm(self) -> Done:
        if self._is_completed:
            return Done("The booking is made already. Just answer the visitor.", is_well=True)
        self.draft, self._guess = self.known(None), None
        if obstacle := self._obstacle():
            return Done(f"Not booked. {obstacle}", is_well=False)
        self.is_confirmed = True
        return Done("Booked. The website tells the visitor.", is_well=True)

    def _obstacle(self) -> str:
        draft, site = self.draft, self._site
        if draft.consent == "refused":
            return "The visitor does not want to be contacted."
        if site.consent.mode == "question" and draft.consent != "given":
            return f"First the visitor has to say yes to: {consent_question(site)}"
        if missing := [field.key for field in site.fields if self._is_missing(field)]:
            return f"Still missing: {', '.join(missing)}."
        if not can_be_reached(draft, site):
            return "There is no e-mail address and no phone number yet."
        return ""

    def _is_missing(self, field: Field) -> bool:
        """An answer that cannot be used is asked for once more, and then taken as it is."""
        answer = self.draft.answers.get(field.key)
        if answer is None:
            return field.required and field.key not in self.draft.skipped
        return not answer.is_valid and self._before.answers.get(field.key) != answer

    def _outlook(self) -> tuple[str, bool]:
        """What is left to do, and whether that is but to make the booking."""
        if self._is_completed:
            return "", False
        if obstacle := self._obstacle():
            return obstacle, False
        is_known = self.draft.answers.keys() | self.draft.skipped
        nothing_open = all(field.key in is_known for field in self._site.fields)
        return f"All that is required is there: call {CONFIRM}.", nothing_open


def _nothing(why: str) -> Done:
    return Done(f"Nothing was done: {why}.", is_well=False)


def _read(arguments: str) -> dict[str, Any] | None:
    if arguments.strip() in ("", "null"):  # both mean: none
        return {}
    if len(arguments) > _MOST_CHARACTERS:
        return None
    try:
        values = json.loads(arguments)
    except (ValueError, RecursionError):
        return None
    return values if isinstance(values, dict) else None


def _is_talk(text: str) -> bool:
    """Whether it is rather a question, a greeting or a refusal than an answer."""
    text = text.replace("’", "'").strip()
    return intent_of(text) is not None or is_refusal(text)


def _described(field: Field) -> str:
    if field.choices:
        labels = ", ".join(choice.label for choice in field.choices)
        return f"{field.question} One of: {labels}; or the visitor's own words."
    return field.question


def _tool(name: str, description: str, properties: dict[str, Any]) -> dict[str, Any]:
    parameters = {"type": "object", "properties": properties, "additionalProperties": False}
    return {
        "type": "function",
        "function": {"name": name, "description": description, "parameters": parameters},
    }
