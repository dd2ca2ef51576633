"""The state of one scripted turn: what is known, what to remark, what to ask."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from app.assistants.scripted_intents import is_refusal
from app.assistants.scripted_words import can_be_repeated, label_of, say
from app.leads.agreement import is_contact_detail
from app.leads.answers import as_typed
from app.leads.contacts import with_contact
from app.models.message_text import to_understand
from app.models.site_profile import CONTACT_FIELDS, Field, SiteProfile
from app.models.transcript import Answer, Draft, Line, Transcript

#: Remarks that only say "heard you", left out where the booking is confirmed.
PLAIN_THANKS = frozenset({"noted", "noted_choice"})
ACKNOWLEDGEMENTS = PLAIN_THANKS | {
    "pleased",
    "noted_besides",
    "skipped",
    "moved_on",
    "kept_as_typed",
    "story",
}


@dataclass(slots=True)
class ScriptedTurn:
    """`asked`: the question still open for the visitor; `ask`: one to put next, out of order;
    `hint`: stands in for the question when it has to be put again."""

    site: SiteProfile
    transcript: Transcript
    draft: Draft
    asked: Field | None
    is_confirmed: bool
    remarks: dict[tuple[str, str], str] = field(default_factory=dict)
    ask: Field | None = None
    hint: str | None = None

    def remark(self, key: str, **values: str) -> None:
        self.remarks[key, values.get("label", "")] = say(self.site, key, **values)

    def keep(self, to: Field, answer: Answer, line: Line) -> None:
        """Store an answer, whether it was asked for or not, and acknowledge it."""
        before = self.draft.answers.get(to.key)
        if is_contact_detail(to):
            self.draft = with_contact(self.draft, to.key, answer, line, self.site)
        else:
            self.draft = self.draft.with_answer(to.key, answer)
        self._acknowledge(to, answer, before)
        if self.asked and self.asked.key == to.key:
            self.answered()
        if self.ask and self.ask.key == to.key:
            self.ask = self.hint = None

    def answered(self) -> None:
        """The open question is settled, one way or the other."""
        self.asked = None
        self.hint = None
        self.draft = replace(self.draft, asking=None, attempts=0)

    def refuse(self, line: Line) -> None:
        """The visitor passes over the open question."""
        asked = self.asked
        if asked is None:
            return
        if asked.key in self.draft.answers:
            self.remark("left_as_it_was", label=label_of(asked))
        elif not asked.required:
            self.remark("skipped")
            self._leave_out(asked)
        elif self._refusals_before(line):
            self.remark("moved_on")
            self._leave_out(asked)
        else:
            is_personal = asked.key in CONTACT_FIELDS or is_contact_detail(asked)
            self.remark("required" if is_personal else "required_answer", label=label_of(asked))
            self.draft = replace(self.draft, attempts=self.draft.attempts + 1)
            return
        self.answered()

    def ask_in_vain(self, line: Line, text: str) -> None:
        """The line was meant as an answer but cannot be used: ask once more, then keep it."""
        asked = self.asked
        if asked is None:
            return
        if self.draft.attempts - self._refusals_before(line) < 1:
            self.hint = hint_for(self.site, asked, line)
            self.draft = replace(self.draft, attempts=self.draft.attempts + 1)
        elif asked.key in self.draft.answers:
            self.remark("left_as_it_was", label=label_of(asked))
            self.answered()
        else:
            self.keep(asked, Answer(as_typed(text), is_valid=False), line)

    def ask_anew(self, field: Field, line: Line, *, is_invalid: bool) -> None:
        """Come back to a field out of order, because the visitor named it as wrong."""
        self.ask = field
        self.hint = (
            hint_for(self.site, field, line)
            if is_invalid
            else say(self.site, "ask_again", label=label_of(field))
        )
        self.draft = replace(self.draft, attempts=1 if is_invalid else 0)

    def _leave_out(self, field: Field) -> None:
        self.draft = replace(self.draft, skipped=self.draft.skipped | {field.key})

    def _refusals_before(self, line: Line) -> int:
        """How often the open question has been declined, as the transcript shows it."""
        asked_key = self.asked.key if self.asked else None
        count, asking = 0, None
        for earlier in self.transcript.lines:
            if earlier is line:
                break
            if earlier.role == "assistant":
                asking = earlier.field
            elif earlier.role == "visitor" and asking == asked_key:
                count += is_refusal(to_understand(earlier.text).replace("’", "'").strip())
        return min(count, self.draft.attempts)

    def _acknowledge(self, to: Field, answer: Answer, before: Answer | None) -> None:
        if before is not None and before.value != answer.value:
            if can_be_repeated(self.site, answer.value):
                value = _label_chosen(to, answer.value)
                self.remark("changed", label=label_of(to), value=value)
            else:
                self.remark("changed_quietly", label=label_of(to))
        elif not answer.is_valid:
            self.remark("kept_as_typed")
        elif to.key == "name" and can_be_repeated(self.site, answer.value):
            self.remark("pleased", name=answer.value)
        elif not self.is_confirmed and (
            self.asked is None or self.asked.key == to.key or to.type == "choice"
        ):
            self.remark("noted_choice" if to.type == "choice" else "noted")
        else:
            self.remark("noted_besides", label=label_of(to))


def hint_for(site: SiteProfile, field: Field, line: Line) -> str:
    """What to do, when an answer to this field cannot be used."""
    kind = "name" if field.key == "name" else field.type
    return say(site, f"invalid_{kind}", example=f"{line.at:%Y-%m-%d}")


def _label_chosen(field: Field, value: str) -> str:
    return next((choice.label for choice in field.choices if choice.value == value), value)
