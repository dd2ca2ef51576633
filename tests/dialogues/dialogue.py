"""A written dialogue: read from its text, played through an assistant, compared line by line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from app.assistants.base import Assistant, Reply
from app.models.site_profile import Consent, Field, SiteProfile
from app.models.transcript import Choice, Draft, Input, Line, Transcript

_STARTED = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
_STEP = re.compile(r"^(visitor|asks|says not|says|input)\s*:\s?(.*)$")
_SETTING = re.compile(r"^([\w.]+)\s*=\s*(.*)$")

_SERVICES = ("Kitchen", "Bathroom", "Whole house", "Something else")
_NAME = Field("name", "What is your name?")
_SERVICE = Field(
    "service",
    "What can we help you with?",
    "choice",
    choices=tuple(Choice(label, label) for label in _SERVICES),
)
_EMAIL = Field("email", "What is your e-mail address?", "email")
_PHONE = Field("phone", "What is your phone number?", "phone", required=False)
_COMPANY = Field("company", "Which company are you with?", required=False)
_DATE = Field("date", "When would suit you?", "date")
_DEMO = (_NAME, _SERVICE, _EMAIL, _PHONE)
FIELD_SETS = {
    "demo": _DEMO,
    "all_optional": tuple(replace(one, required=False) for one in _DEMO),
    "name_phone": (_NAME, replace(_PHONE, required=True)),
    "company_date": (_NAME, _COMPANY, _DATE, _EMAIL),
}


@dataclass(frozen=True)
class Step:
    line_number: int
    kind: str
    value: str


@dataclass
class Dialogue:
    title: str = ""
    settings: dict[str, str] = field(default_factory=dict)
    steps: list[Step] = field(default_factory=list)
    outcomes: list[Step] = field(default_factory=list)


def read_dialogue(path: Path) -> Dialogue:
    """The dialogue in a file; ValueError names the line nobody can read."""
    dialogue = Dialogue()
    for number, raw in enumerate(path.read_text("utf-8").splitlines(), 1):
        line = raw.strip()
        if line.startswith("#"):
            dialogue.title = dialogue.title or line.lstrip("# ").strip()
        elif step := _STEP.match(line):
            dialogue.steps.append(Step(number, step[1], step[2].strip()))
        elif setting := _SETTING.match(line):
            if setting[1].startswith("site."):
                dialogue.settings[setting[1]] = setting[2].strip()
            else:
                dialogue.outcomes.append(Step(number, setting[1], setting[2].strip()))
        elif line:
            raise ValueError(f"{path.name}:{number}: cannot read {line!r}")
    if not any(step.kind == "visitor" for step in dialogue.steps):
        raise ValueError(f"{path.name}: nobody says anything")
    return dialogue


def site_for(settings: dict[str, str]) -> SiteProfile:
    mode = settings.get("site.consent", "line")
    if mode not in ("none", "line", "question"):
        raise ValueError(f"no consent mode {mode!r}")
    return SiteProfile(
        key="dialogue",
        name="Example Interiors",
        region=settings.get("site.region", "GB"),
        greeting="Hello! Welcome to Example Interiors.",
        fields=FIELD_SETS[settings.get("site.fields", "demo")],
        consent=Consent(mode=mode),  # type: ignore[arg-type]
    )


class Conversation:
    """A session in memory: the lines, the draft, and what may be said next."""

    def __init__(self, assistant: Assistant, site: SiteProfile) -> None:
        self.assistant = assistant
        self.site = site
        self.lines: list[Line] = []
        self.draft = Draft()
        self.input = Input()
        self.is_completed = False
        for reply in assistant.opening(site):
            self._store(reply)

    def visitor_says(self, text: str) -> str:
        """Send one message and give the answer."""
        self.visitor_writes(text)
        return self.assistant_answers()

    def visitor_writes(self, text: str) -> None:
        """Send one message that is not answered yet."""
        self._add("visitor", text, None)

    def assistant_answers(self) -> str:
        pieces: list[str] = []
        replies: list[Reply] = []
        transcript = Transcript(
            "dialogue",
            tuple(self.lines),
            Draft.from_json(self.draft.to_json()),
            is_completed=self.is_completed,
        )
        for part in self.assistant.reply(transcript, self.site):
            assert not replies, "nothing may follow the reply"
            if isinstance(part, Reply):
                replies.append(part)
            else:
                pieces.append(part)
        (reply,) = replies
        assert "".join(pieces) == reply.text
        assert reply.text.strip(), "an assistant always says something"
        self._store(reply)
        self.is_completed = self.is_completed or "within 24 hours" in reply.text
        return reply.text

    def _store(self, reply: Reply) -> None:
        self._add("assistant", reply.text, reply.input.field)
        self.draft, self.input = reply.draft, reply.input

    def _add(self, role: str, text: str, asked: str | None) -> None:
        number = len(self.lines) + 1
        at = _STARTED + timedelta(seconds=10 * number)
        self.lines.append(Line(number, role, text, at, asked))  # type: ignore[arg-type]


def play(dialogue: Dialogue, assistant: Assistant) -> list[str]:
    """Everything that was not as written, as sentences; empty when all was."""
    conversation = Conversation(assistant, site_for(dialogue.settings))
    said = " ".join(line.text for line in conversation.lines)
    wrong: list[str] = []
    for step in dialogue.steps:
        if step.kind == "visitor":
            said = conversation.visitor_says(step.value.replace("\\n", "\n"))
        else:
            wrong.extend(_compare(step, said, conversation))
    for outcome in dialogue.outcomes:
        expected, actual = _outcome(outcome, conversation)
        if expected != actual:
            wrong.append(
                f"line {outcome.line_number}: {outcome.kind} = {actual}, expected {expected}"
            )
    return wrong


def _compare(step: Step, said: str, conversation: Conversation) -> Iterator[str]:
    asked, kind = conversation.input.field, conversation.input.type
    at = f"line {step.line_number}"
    if step.kind == "asks" and step.value != (asked or "nothing"):
        yield f"{at}: asks {asked or 'nothing'}, expected {step.value} ({said!r})"
    elif step.kind == "input" and step.value != kind:
        yield f"{at}: input is {kind}, expected {step.value} ({said!r})"
    elif step.kind == "says" and step.value.casefold() not in said.casefold():
        yield f"{at}: says {said!r}, expected {step.value!r}"
    elif step.kind == "says not" and step.value.casefold() in said.casefold():
        yield f"{at}: says {said!r}, which has {step.value!r}"


def _outcome(outcome: Step, conversation: Conversation) -> tuple[str, str]:
    draft = conversation.draft
    if outcome.kind.startswith("lead."):
        answer = draft.answers.get(outcome.kind.removeprefix("lead."))
        return outcome.value, answer.value if answer else "none"
    if outcome.kind == "invalid":
        return _listed(outcome.value), _listed(
            ",".join(key for key, answer in draft.answers.items() if not answer.is_valid)
        )
    if outcome.kind == "skipped":
        return _listed(outcome.value), _listed(",".join(draft.skipped))
    if outcome.kind == "consent":
        return outcome.value, draft.consent or "none"
    if outcome.kind == "completed":
        return outcome.value, "yes" if conversation.is_completed else "no"
    raise ValueError(f"line {outcome.line_number}: nothing is called {outcome.kind!r}")


def _listed(keys: str) -> str:
    return ", ".join(sorted(key.strip() for key in keys.split(",") if key.strip())) or "none"
