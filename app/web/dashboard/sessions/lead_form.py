"""The form of a lead: what stands there, what was typed, what is wrong, what changed meanwhile."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from flask import request

from app.leads.answers import as_typed
from app.leads.edit import fields_of, value_of
from app.models import Lead
from app.models.site_profile import Field, SiteProfile
from app.reporting.lead_changes import ShownChange

#: Before the field's key, in the names of the form's inputs.
_TYPED, _SEEN = "value-", "seen-"


@dataclass(frozen=True, slots=True)
class SubmittedLead:
    """A form that was sent: by field key what was typed, and what stood there; `version` of the
    lead of then.
    """

    values: Mapping[str, str]
    seen: Mapping[str, str]
    version: int


@dataclass(frozen=True, slots=True)
class Meanwhile:
    """Somebody changed a field while another was typing: what stands there now, `who` (None: the
    visitor, in the conversation) and when.
    """

    value: str
    who: str | None
    at: datetime | None


@dataclass(frozen=True, slots=True)
class FormField:
    """`value` is shown in the field, `seen` is what the lead holds."""

    field: Field
    value: str
    seen: str
    problems: Sequence[str] = ()
    meanwhile: Meanwhile | None = None

    @property
    def options(self) -> list[tuple[str, str]]:
        """Value and label of what can be chosen; what stands there is among them."""
        offered = [(choice.value, choice.label) for choice in self.field.choices]
        known = {value for value, _ in offered}
        return offered + [
            (v, v) for v in dict.fromkeys((self.seen, self.value)) if v and v not in known
        ]


@dataclass(frozen=True, slots=True)
class LeadForm:
    """`is_typed`: it holds what is not saved. `problem`: a sentence about the whole."""

    version: int
    fields: list[FormField]
    is_typed: bool = False
    problem: str | None = None
    #: Who changed the lead meanwhile.
    others: list[str] = field(default_factory=list)

    @property
    def marked_key(self) -> str | None:
        """Of the first field that has to be looked at."""
        return next(
            (each.field.key for each in self.fields if each.problems or each.meanwhile), None
        )


def read_form() -> SubmittedLead:
    """The form of the running request."""
    version = request.form.get("version", "")
    return SubmittedLead(
        values=_by_key(_TYPED),
        seen=_by_key(_SEEN),
        version=int(version) if version.isascii() and version.isdigit() and len(version) < 9 else 0,
    )


def plain_form(site: SiteProfile, lead: Lead | None) -> LeadForm:
    fields = [_as_it_stands(each, lead) for each in fields_of(site, lead)]
    return LeadForm(lead.version if lead else 0, fields)


def wrong_form(
    site: SiteProfile, lead: Lead | None, typed: SubmittedLead, errors: Mapping[str, Sequence[str]]
) -> LeadForm:
    """What was typed, with what is wrong beside it."""
    fields = [
        FormField(
            each,
            typed.values.get(each.key, ""),
            typed.seen.get(each.key, ""),
            errors.get(each.key, ()),
        )
        for each in fields_of(site, lead)
    ]
    whole = next(iter(errors.get("", ())), None)
    return LeadForm(typed.version, fields, is_typed=True, problem=whole)


def overtaken_form(
    site: SiteProfile, lead: Lead | None, typed: SubmittedLead, changes: Sequence[ShownChange]
) -> LeadForm:
    """What was typed, and beside it what somebody else has written there meanwhile. To save it now
    is to know that.
    """
    since = [each for each in changes if each.change.version > typed.version]
    fields = [_overtaken(each, lead, typed, since) for each in fields_of(site, lead)]
    others = [each.meanwhile.who or "The visitor" for each in fields if each.meanwhile]
    return LeadForm(
        lead.version if lead else 0, fields, is_typed=True, others=list(dict.fromkeys(others))
    )


def _overtaken(
    each: Field, lead: Lead | None, typed: SubmittedLead, since: Sequence[ShownChange]
) -> FormField:
    now, before = value_of(lead, each.key) or "", typed.seen.get(each.key, "")
    value = typed.values.get(each.key, "")
    if now == before:
        return FormField(each, value, now)
    found = next((one for one in since if one.change.field == each.key), None)
    is_theirs = found is not None and (found.change.new or "") == now
    meanwhile = Meanwhile(
        now,
        (found.user_name or "Somebody") if found and is_theirs else None,
        found.change.at if found and is_theirs else None,
    )
    # Who has not touched the field gets the new value.
    return FormField(each, now if as_typed(value) == before else value, now, (), meanwhile)


def _as_it_stands(each: Field, lead: Lead | None) -> FormField:
    value = value_of(lead, each.key) or ""
    return FormField(each, value, value)


def _by_key(start: str) -> dict[str, str]:
    return {
        name.removeprefix(start): value
        for name, value in request.form.items()
        if name.startswith(start)
    }
