"""Fields of our JSON: times with `Z`, text that can be stored."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from marshmallow import ValidationError, fields

from app.core import clock


class Moment(fields.Field[datetime]):
    """ISO 8601; without a zone it is UTC, a date alone is its midnight. Written with `Z`."""

    def _serialize(
        self, value: datetime | None, attr: str | None, obj: Any, **kwargs: Any
    ) -> str | None:
        return clock.iso(value) if value else None

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> datetime:
        # In an address a plus sign means a space.
        text = value.strip().replace(" 0", "+0").replace(" 1", "+1") if _is_text(value) else ""
        try:
            moment = datetime.fromisoformat(text)
            moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
            return moment.astimezone(UTC)
        except (ValueError, OverflowError) as error:
            raise ValidationError("Use a time like 2026-11-22T17:12:00Z.") from error


class StoredText(fields.String):
    """A string PostgreSQL can compare: valid Unicode without NUL."""

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> str:
        text = super()._deserialize(value, attr, data, **kwargs)
        if "\x00" in text or not _is_encodable(text):
            raise ValidationError("This contains characters that are not text.")
        return text


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
