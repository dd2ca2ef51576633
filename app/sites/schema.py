"""What a site may be set to, and what to say when it may not."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

import phonenumbers
import pytz
from marshmallow import Schema, ValidationError, fields, post_load, validate, validates_schema

from app.completion.detection import compile_phrases
from app.models.site import POSITIONS
from app.models.site_profile import CONTACT_FIELDS

FIELD_TYPES = ("text", "email", "phone", "choice", "date")
CONSENT_MODES = ("none", "line", "question")


class ChoiceSchema(Schema):
    value = fields.String(required=True, validate=validate.Length(1, 100))
    label = fields.String(required=True, validate=validate.Length(1, 100))


class FieldSchema(Schema):
    key = fields.String(
        required=True,
        validate=validate.Regexp(
            r"^[a-z][a-z0-9_]{0,39}$", error="Use small letters, digits and _, like budget_range."
        ),
    )
    question = fields.String(required=True, validate=validate.Length(1, 500))
    type = fields.String(load_default="text", validate=validate.OneOf(FIELD_TYPES))
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
    mode = fields.String(required=True, validate=validate.OneOf(CONSENT_MODES))
    text = fields.String(load_default="", validate=validate.Length(max=1000))
    version = fields.String(load_default="1", validate=validate.Length(1, 40))

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


def _origin(value: str) -> None:
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.netloc or parts.path not in {"", "/"}:
        raise ValidationError("Please give an address like https://example.com, without a path.")
    if re.search(r"[\s;,'\"@]", value):
        raise ValidationError("Please give one address, like https://example.com.")


class SiteSchema(Schema):
    """Every setting of a site; what is left out stays as it is."""

    name = fields.String(validate=validate.Length(1, 100))
    assistant = fields.String(validate=validate.OneOf(("scripted",)))
    language = fields.String(
        validate=validate.Regexp(r"^[a-z]{2,3}(-[A-Za-z0-9]+)*$", error="Use a code like en.")
    )
    region = fields.String(validate=_region)
    timezone = fields.String(validate=_timezone)
    greeting = fields.String(validate=validate.Length(max=2000))
    colour = fields.String(
        validate=validate.Regexp(r"^#[0-9a-f]{6}$", error="Use a colour like #2f5bea.")
    )
    position = fields.String(validate=validate.OneOf(POSITIONS))
    launcher_label = fields.String(validate=validate.Length(1, 60))
    allowed_origins = fields.List(fields.String(validate=_origin))
    fields_ = fields.List(fields.Nested(FieldSchema), data_key="fields", attribute="fields")
    consent = fields.Nested(ConsentSchema)
    phrases = fields.List(
        fields.String(validate=validate.Length(1, 300)), validate=validate.Length(min=1)
    )
    confirmation = fields.String(validate=validate.Length(max=2000))

    @validates_schema
    def _check_keys(self, data: dict[str, Any], **_: Any) -> None:
        keys = [item["key"] for item in data.get("fields", ())]
        if len(keys) != len(set(keys)):
            raise ValidationError("Each field needs a key of its own.", "fields")
        if "phrases" in data and not compile_phrases(tuple(data["phrases"])).phrases:
            raise ValidationError("Please give a phrase of at least one word.", "phrases")

    @post_load
    def _tidy(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        if "allowed_origins" in data:
            data["allowed_origins"] = [value.rstrip("/") for value in data["allowed_origins"]]
        return data
