"""Read what a caller sent, or say in plain words what is wrong with it."""

from __future__ import annotations

import io
import json
import unicodedata
import uuid
from collections.abc import Callable
from typing import IO, Any, TypeVar, cast

from flask import Request, abort, current_app, request
from marshmallow import Schema, ValidationError, fields
from werkzeug.utils import cached_property
from werkzeug.wsgi import LimitedStream

View = TypeVar("View", bound=Callable[..., Any])

LARGEST_BODY_BYTES = 64 * 1024
#: What a route may ask for at most; gunicorn keeps no more of a request than this.
LARGEST_OF_ANY_ROUTE_BYTES = 12 * 1024 * 1024


class _WholeStream(LimitedStream):
    """werkzeug's own gives the first part of a body that is too large, as if that were all."""

    def readall(self) -> bytes:
        data = super().readall()
        if self.is_exhausted and self._stream.read(1):
            self.on_exhausted()
        return data


class BoundedRequest(Request):
    """A request that writes nothing to the disk: no page takes files, and what is small enough to
    be read at all is small enough for memory.
    """

    @cached_property
    def stream(self) -> IO[bytes]:
        stream, largest = super().stream, self.max_content_length
        if self.content_length is None and largest is not None and self.input_is_terminated:
            stream = cast(IO[bytes], _WholeStream(self.input_stream, largest, is_max=True))
        return stream

    @property
    def input_is_terminated(self) -> bool:
        """Whether the server tells where a body without a length ends."""
        return bool(self.environ.get("wsgi.input_terminated"))

    def _get_file_stream(self, *_args: Any, **_kwargs: Any) -> io.BytesIO:
        return io.BytesIO()


def takes_up_to(largest_bytes: int) -> Callable[[View], View]:
    """This route takes more than the 1 MB that every other one takes at most."""
    assert largest_bytes <= LARGEST_OF_ANY_ROUTE_BYTES

    def declare(view: View) -> View:
        view.largest_bytes = largest_bytes  # type: ignore[attr-defined]
        return view

    return declare


def limit_body() -> None:
    """Before each request, also one whose body nobody reads: 413 where it says it is too large.

    One that does not say its size is cut off with 413 where it is read.
    """
    view = current_app.view_functions.get(request.endpoint or "")
    largest: int = getattr(view, "largest_bytes", current_app.config["MAX_CONTENT_LENGTH"])
    request.max_content_length = largest
    if (request.content_length or 0) > largest:
        abort(413)


def read_json(schema: Schema, largest_bytes: int = LARGEST_BODY_BYTES) -> dict[str, Any]:
    """The request's JSON object, checked. 400 unreadable, 413, 415 not JSON, 422 by field."""
    request.max_content_length = largest_bytes
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


class PlainText(fields.String):
    """Text for people: at most `longest` characters, something to see in it unless it
    `may_be_empty`, no control characters besides newline and tab, nothing that is not Unicode.
    """

    def __init__(self, *, longest: int, may_be_empty: bool = True, **kwargs: Any) -> None:
        kwargs.setdefault("error_messages", {}).setdefault("invalid", "Please send text.")
        super().__init__(**kwargs)
        self.longest, self.may_be_empty = longest, may_be_empty

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> str:
        words = str(super()._deserialize(value, *args, **kwargs)).replace("\r\n", "\n")
        if not words.isprintable() and any(
            unicodedata.category(c) in {"Cc", "Cs"} and c not in "\n\t" for c in words
        ):
            raise ValidationError("Please remove the control characters.")
        if len(words) > self.longest:
            raise ValidationError(f"Please use at most {self.longest} characters.")
        if not self.may_be_empty and not any(_can_be_seen(c) for c in words):
            raise ValidationError("Please write something.")
        return words


def _can_be_seen(char: str) -> bool:
    return not char.isspace() and unicodedata.category(char) != "Cf"


class Uuid(fields.Field[uuid.UUID]):
    """A UUID as text."""

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> uuid.UUID:
        try:
            return uuid.UUID(value)
        except (AttributeError, TypeError, ValueError) as error:
            raise ValidationError("Please send a UUID.") from error
