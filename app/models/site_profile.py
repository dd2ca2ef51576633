"""A site as a plain value: what assistants, the completion rule and the widget need to know."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from app.models.assistant_settings import DEFAULTS, AssistantSettings
from app.models.transcript import Choice

FieldType = Literal["text", "email", "phone", "choice", "date"]
#: Fields with a column of their own on the lead; every other field is part of its qualification.
CONTACT_FIELDS = ("name", "email", "phone", "company")
#: A value for one of these is a contact detail: it makes a lead, and needs consent.
CONTACT_DETAILS = ("email", "phone")


@dataclass(frozen=True, slots=True)
class Field:
    """Something to ask the visitor."""

    key: str
    question: str
    type: FieldType = "text"
    required: bool = True
    choices: tuple[Choice, ...] = ()


@dataclass(frozen=True, slots=True)
class Consent:
    """How a visitor agrees to be contacted: not at all, by a line above the input, or by yes/no."""

    mode: Literal["none", "line", "question"] = "none"
    text: str = ""
    version: str = "1"


@dataclass(frozen=True, slots=True)
class SiteProfile:
    """`phrases`: plain text whose appearance in an assistant's message completes the session,
    unless one of the `exclusions` stands in the same sentence.

    `confirmation`: the booking sentence, may contain {name}; `afterwards`: said after it.
    `region`: ISO 3166 two letters, for phone numbers. `flow`: further texts of the assistant.
    """

    key: str
    name: str
    assistant: str = "scripted"
    language: str = "en"
    region: str = "GB"
    timezone: str = "UTC"
    greeting: str = ""
    fields: tuple[Field, ...] = ()
    consent: Consent = Consent()
    phrases: tuple[str, ...] = ("within 24 hours",)
    exclusions: tuple[str, ...] = ()
    confirmation: str = ""
    flow: Mapping[str, str] | None = None
    ai: AssistantSettings = DEFAULTS
    #: Hosts whose links may be clicked in the chat.
    link_hosts: tuple[str, ...] = ()

    def field(self, key: str) -> Field | None:
        return next((f for f in self.fields if f.key == key), None)


def field_from_json(data: Mapping[str, Any]) -> Field:
    return Field(
        key=data["key"],
        question=data["question"],
        type=data.get("type", "text"),
        required=data.get("required", True),
        choices=tuple(Choice(c["value"], c["label"]) for c in data.get("choices", ())),
    )
