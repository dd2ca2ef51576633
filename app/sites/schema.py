"""What a site may be set to, and what to say when it may not."""

from __future__ import annotations

from typing import Any

import phonenumbers
import pytz
from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from app.completion.detection import compile_phrases
from app.models.site import POSITIONS
from app.models.site_profile import CONTACT_FIELDS
from app.sites.assistant_schema import AssistantSchema
from app.sites.kinds import Origin, Text

FIELD_TYPES = ("text", "email", "phone", "choice", "date")
MOST_PHRASES = 100
LONGEST_PHRASE = 300
LONGEST_IDLE_MINUTES = 43_200
CONSENT_MODES = ("none", "line", "question")


class ChoiceSchema(Schema):
    value = Text(required=True, validate=validate.Length(1, 100))
    label = Text(required=True, validate=validate.Length(1, 100))


class FieldSchema(Schema):
    key = Text(
        required=True,
        validate=validate.Regexp(
            r"^[a-z][a-z0-9_]{0,39}$", error="Use small letters, digits and _, like budget_range."
        ),
    )
    question = Text(required=True, validate=validate.Length(1, 500))
    type = Text(load_default="text", validate=validate.OneOf(FIELD_TYPES))
    required = fields.Boolean(load_default=True)
    choices = fields.List(fields.Nested(ChoiceSchema), load_default=list)

    @validates_schema
    def _check_choices(self, data: dict[str, Any], **_: Any) -> None:
        if (data["type"] == "choice") != bool(data["choices"]):
            raise ValidationError("A choice has choices, and nothing else does.", "choices")
        fixed = {"email": "email", "phone": "phone"}.get(data["key"])
        if data["key"] in CONTACT_FIELDS and fixed and data["type"] != fixed:
            raise ValidationError(f"The field {data['key']} has the type {fixed}.", "type")


class ConsentSchema(Schema):
    mode = Text(required=True, validate=validate.OneOf(CONSENT_MODES))
    text = Text(load_default="", validate=validate.Length(max=1000))
    version = Text(load_default="1", validate=validate.Length(1, 40))

    @validates_schema
    def _check_text(self, data: dict[str, Any], **_: Any) -> None:
        if data["mode"] != "none" and not data["text"].strip():
            raise ValidationError("Please say what the visitor agrees to.", "text")


def _region(value: str) -> None:
    if value not in phonenumbers.SUPPORTED_REGIONS:
        raise ValidationError("Please give a country of two letters, like GB.")


def _timezone(value: str) -> None:
    if value not in pytz.all_timezones_set:
        raise ValidationError("Please give a time zone like Europe/London.")


def _is_short(value: str) -> None:
    if len(value) > LONGEST_PHRASE:
        raise ValidationError(f"Please use at most {LONGEST_PHRASE} characters.")
    if not value:
        raise ValidationError("Please give at least one word.")


def _are_few(values: list[str]) -> None:
    if len(values) > MOST_PHRASES:
        raise ValidationError(f"Please give at most {MOST_PHRASES}; these are {len(values)}.")


def _is_some(values: list[str]) -> None:
    if not values:
        raise ValidationError("Please give at least one phrase.")


class SiteSchema(AssistantSchema):
    """Every setting of a site; what is left out stays as it is."""

    name = Text(validate=validate.Length(1, 100))
    language = Text(
        validate=validate.Regexp(r"^[a-z]{2,3}(-[A-Za-z0-9]+)*$", error="Use a code like en.")
    )
    region = Text(validate=_region)
    timezone = Text(validate=_timezone)
    greeting = Text(validate=validate.Length(max=2000))
    colour = Text(validate=validate.Regexp(r"^#[0-9a-f]{6}$", error="Use a colour like #2f5bea."))
    position = Text(validate=validate.OneOf(POSITIONS))
    launcher_label = Text(validate=validate.Length(1, 60))
    allowed_origins = fields.List(Origin())
    fields_ = fields.List(fields.Nested(FieldSchema), data_key="fields", attribute="fields")
    consent = fields.Nested(ConsentSchema)
    phrases = fields.List(Text(validate=_is_short), validate=[_is_some, _are_few])
    exclusions = fields.List(Text(validate=_is_short), validate=_are_few)
    memory_table = Text(
        validate=validate.Regexp(
            r"^(?:[A-Za-z_][A-Za-z0-9_$]{0,62}\.)?[A-Za-z_][A-Za-z0-9_$]{0,62}$|^$",
            error="Use the table's name, like n8n_chat_histories.",
        )
    )
    partial_after_minutes = fields.Integer(
        validate=validate.Range(
            0, LONGEST_IDLE_MINUTES, error="Use whole minutes from 0 (never) to 43200 (30 days)."
        ),
        error_messages={"invalid": "Use whole minutes, like 30; 0 means never."},
    )
    confirmation = Text(validate=validate.Length(max=2000))

    @validates_schema
    def _check_keys(self, data: dict[str, Any], **_: Any) -> None:
        keys = [item["key"] for item in data.get("fields", ())]
        if len(keys) != len(set(keys)):
            raise ValidationError("Each field needs a key of its own.", "fields")
        if "phrases" in data and not compile_phrases(tuple(data["phrases"])).phrases:
            raise ValidationError("Please give a phrase of at least one word.", "phrases")
