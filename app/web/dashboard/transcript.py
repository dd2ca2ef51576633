"""A session's messages as its page shows them: by day, the completing phrase marked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.completion.detection import compile_phrases
from app.models import Message
from app.reporting.sessions import SessionRow


@dataclass(frozen=True, slots=True)
class ShownMessage:
    """`before`, `marked` and `after` together are the text. `completes`: this one promised it."""

    message: Message
    before: str
    marked: str
    after: str
    completes: bool


def transcript_of(row: SessionRow, messages: Sequence[Message]) -> list[ShownMessage]:
    return [_shown(row, message) for message in messages]


def _shown(row: SessionRow, message: Message) -> ShownMessage:
    text = message.text
    completes = message.id == row.session.completion_message_id
    start, end = (_place(row, text) if completes else None) or (len(text), len(text))
    return ShownMessage(message, text[:start], text[start:end], text[end:], completes)


def _place(row: SessionRow, text: str) -> tuple[int, int] | None:
    """Where the phrase stands; the site may have changed its phrases since."""
    phrase = row.session.completion_phrase
    recorded = compile_phrases((phrase,)).locate(text) if phrase else None
    return recorded or compile_phrases(row.site_phrases).locate(text)
