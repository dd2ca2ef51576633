"""Plain values that describe a conversation. No database, no Flask: what an assistant is given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal

Role = Literal["visitor", "assistant", "agent", "system"]
InputType = Literal["text", "email", "phone", "choice", "date", "none"]


@dataclass(frozen=True, slots=True)
class Choice:
    """One button: the label is what the visitor sees and what is sent when it is pressed."""

    value: str
    label: str


@dataclass(frozen=True, slots=True)
class Input:
    """What the visitor may do next. `field` names the site field (or "consent") being asked for."""

    type: InputType = "text"
    field: str | None = None
    placeholder: str | None = None
    choices: tuple[Choice, ...] = ()
    required: bool = False

    def to_json(self) -> dict[str, Any]:
        data: dict[str, Any] = {"type": self.type, "required": self.required}
        if self.field:
            data["field"] = self.field
        if self.placeholder:
            data["placeholder"] = self.placeholder
        if self.choices:
            data["choices"] = [{"value": c.value, "label": c.label} for c in self.choices]
        return data

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Input:
        return cls(
            type=data["type"],
            field=data.get("field"),
            placeholder=data.get("placeholder"),
            choices=tuple(Choice(**each) for each in data.get("choices", ())),
            required=data.get("required", False),
        )


@dataclass(frozen=True, slots=True)
class Line:
    """One message as an assistant sees it. `field`: what an assistant's line asked for."""

    id: int
    role: Role
    text: str
    at: datetime
    field: str | None = None

    @classmethod
    def from_json(cls, row: Sequence[Any]) -> Line:
        """`[id, role, text, "2026-11-22T17:12:00+00:00", field]`, as PostgreSQL gives it."""
        id_, role, words, at, field = row
        return cls(id_, role, words, datetime.fromisoformat(at), field)


@dataclass(frozen=True, slots=True)
class Answer:
    """A value the visitor gave. Not valid: kept exactly as typed."""

    value: str
    is_valid: bool = True


@dataclass(frozen=True, slots=True)
class Draft:
    """What is known so far about the visitor, before and beside the stored lead.

    `answers` maps a site field's key to its answer; `asking` is the field last asked for and
    `attempts` how often it was asked in vain; messages up to `read_through` are already in here.
    """

    answers: Mapping[str, Answer] = field(default_factory=dict)
    skipped: frozenset[str] = frozenset()
    consent: Literal["given", "refused"] | None = None
    consent_at: str | None = None
    asking: str | None = None
    attempts: int = 0
    read_through: int = 0

    def with_answer(self, key: str, answer: Answer) -> Draft:
        return replace(self, answers={**self.answers, key: answer}, skipped=self.skipped - {key})

    def to_json(self) -> dict[str, Any]:
        return {
            "answers": {
                k: [a.value] if a.is_valid else [a.value, False] for k, a in self.answers.items()
            },
            "skipped": sorted(self.skipped),
            "consent": self.consent,
            "consent_at": self.consent_at,
            "asking": self.asking,
            "attempts": self.attempts,
            "read_through": self.read_through,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Draft:
        return cls(
            answers={
                k: Answer(v[0], v[1] if len(v) > 1 else True)
                for k, v in data.get("answers", {}).items()
            },
            skipped=frozenset(data.get("skipped", ())),
            consent=data.get("consent"),
            consent_at=data.get("consent_at"),
            asking=data.get("asking"),
            attempts=data.get("attempts", 0),
            read_through=data.get("read_through", 0),
        )


@dataclass(frozen=True, slots=True)
class Transcript:
    """A session's newest lines, oldest first, ordered by time and then id.

    `page_title`, `attribution`: of the page the visitor came by, where an assistant is told of it.
    `tokens_left`: what an answer may take at most in all; None: nobody counts.
    """

    session_id: str
    lines: tuple[Line, ...]
    draft: Draft = Draft()
    locale: str | None = None
    timezone: str | None = None
    is_completed: bool = False
    page_title: str | None = None
    attribution: Mapping[str, str] = field(default_factory=dict)
    tokens_left: int | None = None
