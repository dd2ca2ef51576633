"""Read what a caller sent, or say in plain words what is wrong with it."""

from __future__ import annotations

import json
import unicodedata
import uuid
from typing import Any

from flask import abort, request
from marshmallow import Schema, ValidationError, fields

LARGEST_BODY_BYTES = 64 * 1024


def read_json(schema: Schema) -> dict[str, Any]:
    """The request's JSON object, checked. 400 unreadable, 413, 415 not JSON, 422 by field."""
    request.max_content_length = LARGEST_BODY_BYTES
    if request.mimetype != "application/json":
        abort(415)
    try:
        data = json.loads(request.get_data().decode("utf-8"))
    except (UnicodeDecodeError, ValueError, RecursionError):
        abort(400)
    if not isinstance(data, dict):
        raise ValidationError({"body": ["Please send a JSON object."]})
    loaded: dict[str, Any] = schema.load(data)
    return loaded


class Words(fields.String):
    """Text for people: between `shortest` and `longest` characters, no control characters
    besides newline and tab, nothing that is not Unicode text.
    """

    def __init__(self, *, longest: int, shortest: int = 0, **kwargs: Any) -> None:
        kwargs.setdefault("error_messages", {}).setdefault("invalid", "Please send text.")
        super().__init__(**kwargs)
        self.shortest, self.longest = shortest, longest

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> str:
        words = str(super()._deserialize(value, *args, **kwargs)).replace("\r\n", "\n")
        if not words.isprintable() and any(
            unicodedata.category(c) in {"Cc", "Cs"} and c not in "\n\t" for c in words
        ):
            raise ValidationError("Please remove the control characters.")
        if len(words) > self.longest:
            raise ValidationError(f"Please use at most {self.longest} characters.")
        if len(words.strip()) < self.shortest:
            raise ValidationError("Please write something.")
        return words


class Uuid(fields.Field[uuid.UUID]):
    """A UUID as text."""

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> uuid.UUID:
        try:
            return uuid.UUID(value)
        except (AttributeError, TypeError, ValueError) as error:
            raise ValidationError("Please send a UUID.") from error
