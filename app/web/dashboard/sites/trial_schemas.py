"""What the browser sends to try an assistant out: the conversation so far, which it alone holds."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from marshmallow import Schema, ValidationError, fields, post_load, validate

from app.core import clock
from app.models.transcript import Draft, Line
from app.web.body import PlainText, Uuid

MOST_LINES = 80
LONGEST_LINE = 6_000
LARGEST_TRIAL_BYTES = 1024 * 1024


class _AnswerField(fields.Field[list[Any]]):
    """`["Ann"]`, or `["ann@", false]` for a value kept as typed."""

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> list[Any]:
        match value:
            case [str()] | [str(), bool()] if len(value[0]) <= LONGEST_LINE:
                return list(value)
        raise ValidationError("This is not an answer.")


class LineSchema(Schema):
    role = PlainText(required=True, longest=20, validate=validate.OneOf(("visitor", "assistant")))
    text = PlainText(required=True, longest=LONGEST_LINE, may_be_empty=False)
    field = PlainText(longest=100, allow_none=True, load_default=None)


class DraftSchema(Schema):
    """A `Draft` as `to_json` writes it."""

    answers = fields.Dict(keys=PlainText(longest=100), values=_AnswerField(), load_default=dict)
    skipped = fields.List(PlainText(longest=100), load_default=list)
    consent = PlainText(longest=20, allow_none=True, validate=validate.OneOf(("given", "refused")))
    consent_at = PlainText(longest=40, allow_none=True)
    asking = PlainText(longest=100, allow_none=True)
    attempts = fields.Integer(strict=True, validate=validate.Range(0, 1000))
    read_through = fields.Integer(strict=True, validate=validate.Range(0, 1000))


class TrialSchema(Schema):
    """`settings`: as they stand in the form. No `lines`: a new conversation, whose id comes with
    its opening.
    """

    settings = fields.Dict(keys=PlainText(longest=100), values=fields.String(), required=True)
    lines = fields.List(
        fields.Nested(LineSchema),
        load_default=list,
        validate=validate.Length(
            max=MOST_LINES, error="This trial has become long. Please start again."
        ),
    )
    draft = fields.Nested(DraftSchema, load_default=dict)
    conversation = Uuid(load_default=uuid.uuid4)

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        data["lines"] = _lines(data["lines"])
        data["draft"] = Draft.from_json(data["draft"])
        return data


def _lines(sent: list[Mapping[str, Any]]) -> list[Line]:
    now = clock.now()
    return [
        Line(number, line["role"], line["text"], now - timedelta(seconds=len(sent) - number),
             line["field"])
        for number, line in enumerate(sent, start=1)
    ]  # fmt: skip
