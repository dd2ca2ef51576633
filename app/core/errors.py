"""Errors a caller can act on. The web turns them into answers, the command line into sentences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class AppError(Exception):
    """`detail` is one plain sentence for people; `retry_after_seconds` when waiting helps."""

    def __init__(self, detail: str, retry_after_seconds: int | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.retry_after_seconds = retry_after_seconds


class NotFound(AppError):  # noqa: N818 - the house's word for it
    """Unknown, or somebody else's."""


class Denied(AppError):  # noqa: N818
    """Known who asks, and it may not."""


class Unauthenticated(AppError):  # noqa: N818
    """A credential is missing, wrong or expired."""


class Invalid(AppError):  # noqa: N818
    """`errors` maps a field's path to what to do about it, in plain words."""

    def __init__(self, errors: Mapping[str, list[str]], detail: str | None = None) -> None:
        super().__init__(detail or "Please check the marked fields.")
        self.errors = errors


class Conflict(AppError):  # noqa: N818
    """An illegal move, or something still running."""


class TooMany(AppError):  # noqa: N818
    """More than a rate allows."""


class Busy(AppError):  # noqa: N818
    """The server has no capacity left for this kind of request."""


def by_field(messages: Any, path: str = "") -> dict[str, list[str]]:
    """Marshmallow's nested messages as `{"page.url": ["what to do"]}`."""
    if isinstance(messages, Mapping):
        flat: dict[str, list[str]] = {}
        for key, value in messages.items():
            # Marshmallow's name for what is wrong with an object as a whole.
            is_whole = key == "_schema" and path
            flat |= by_field(value, path if is_whole else f"{path}.{key}" if path else str(key))
        return flat
    return {path: [str(message) for message in messages]}
