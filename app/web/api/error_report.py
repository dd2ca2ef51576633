"""The body of N8n's Error Trigger, read as it is: only what we use has to have its shape."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import EXCLUDE, Schema, ValidationError, fields, validates_schema

from app.incidents.n8n import FailedRun

LONGEST_ID = 255
AS_IT_IS = "Please send the body of N8n's Error Trigger as it is"


class Said(fields.Field[str]):
    """Text, or a number as text; null and a missing one are empty. One with a `longest` is kept as
    it is, so it must be what can be stored.
    """

    def __init__(self, *, longest: int | None = None) -> None:
        super().__init__(load_default="", allow_none=True)
        self.longest = longest

    def deserialize(self, value: Any, *args: Any, **kwargs: Any) -> str:
        return super().deserialize(value, *args, **kwargs) or ""

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> str:
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise ValidationError("Please send text or a number.")
        text = str(value).strip()
        if self.longest is not None and len(text) > self.longest:
            raise ValidationError(f"Please use at most {self.longest} characters.")
        if self.longest is not None and not text.isprintable():
            raise ValidationError("This contains characters that are not text.")
        return text


class _Part(Schema):
    class Meta:
        unknown = EXCLUDE

    error_messages = {"type": "Please send an object."}  # noqa: RUF012 - marshmallow's own way


class FailedNode(_Part):
    name = Said()


class FailedWith(_Part):
    """Failures of a Code node come without `node`."""

    name = Said()
    message = Said()
    description = Said()
    timestamp = Said(longest=LONGEST_ID)
    node = fields.Nested(FailedNode, allow_none=True, load_default=None)


class _Failure(_Part):
    error = fields.Nested(
        FailedWith,
        required=True,
        error_messages={"required": f"{AS_IT_IS}: what failed is missing."},
    )
    mode = Said()


class Execution(_Failure):
    id = Said(longest=LONGEST_ID)
    url = Said()
    lastNodeExecuted = Said()  # noqa: N815 - N8n's own name


class Workflow(_Part):
    id = Said(longest=LONGEST_ID)
    name = Said()

    @validates_schema
    def is_known_by_something(self, data: Mapping[str, Any], **kwargs: Any) -> None:
        if not data["id"] and not data["name"]:
            raise ValidationError("Please send the workflow's id or its name.", "id")


class ErrorReport(_Part):
    """A run that failed, `execution`; or one that could not even begin, `trigger`."""

    execution = fields.Nested(Execution, allow_none=True, load_default=None)
    trigger = fields.Nested(_Failure, allow_none=True, load_default=None)
    workflow = fields.Nested(
        Workflow,
        required=True,
        error_messages={"required": f"{AS_IT_IS}: it names the workflow that failed."},
    )

    @validates_schema(skip_on_field_errors=True)
    def says_what_failed(self, data: Mapping[str, Any], **kwargs: Any) -> None:
        if not data["execution"] and not data["trigger"]:
            raise ValidationError(f"{AS_IT_IS}: what failed is missing.", "execution")


def failed_run(given: Mapping[str, Any]) -> FailedRun:
    """Of what `ErrorReport` loaded."""
    failure = given["execution"] or given["trigger"]
    error, workflow = failure["error"], given["workflow"]
    node = error["node"] or {}
    return FailedRun(
        workflow_id=workflow["id"],
        workflow_name=workflow["name"],
        node=node.get("name") or failure.get("lastNodeExecuted", ""),
        error=error["name"],
        message=error["message"] or error["description"] or error["name"],
        mode=failure["mode"],
        # What never began has no id: the moment it failed tells a repeated report from a new one.
        run_id=failure.get("id") or (error["timestamp"] and f"at {error['timestamp']}"),
        url=failure.get("url", ""),
    )
