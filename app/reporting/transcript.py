"""A session's messages with the phrases that completed it, and search hits, marked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.completion.detection import compile_phrases
from app.models import Message
from app.reporting.search import marks
from app.reporting.sessions import SessionRow, TimelineEntry


@dataclass(frozen=True, slots=True)
class MarkedText:
    """Part of a text. `is_promise`: of the completing phrase; `is_hit`: it was searched for."""

    text: str
    is_promise: bool
    is_hit: bool


@dataclass(frozen=True, slots=True)
class ShownMessage:
    """`pieces` together are the text. `completes`: the session is completed by this one;
    `completed_once`: it was, before it was opened again.
    """

    message: Message
    pieces: list[MarkedText]
    completes: bool
    completed_once: bool

    @property
    def is_hit(self) -> bool:
        return any(piece.is_hit for piece in self.pieces)


def transcript_of(
    row: SessionRow,
    messages: Sequence[Message],
    timeline: Sequence[TimelineEntry],
    words: str = "",
) -> list[ShownMessage]:
    """`timeline` tells which messages completed the session so far; `words` were searched for."""
    phrases = {
        entry.event.message_id: entry.event.phrase
        for entry in timeline
        if entry.event.kind == "completed" and entry.event.message_id
    }
    if row.session.completion_message_id:
        phrases[row.session.completion_message_id] = row.session.completion_phrase
    return [_shown(row, message, phrases, words) for message in messages]


def _shown(
    row: SessionRow, message: Message, phrases: dict[int, str | None], words: str
) -> ShownMessage:
    completes = message.id == row.session.completion_message_id
    completed = message.id in phrases
    place = _place(row, phrases[message.id], message.text) if completed else None
    return ShownMessage(
        message, _pieces(message.text, place, words), completes, completed and not completes
    )


def _pieces(text: str, place: tuple[int, int] | None, words: str) -> list[MarkedText]:
    start, end = place or (len(text), len(text))
    parts = ((text[:start], False), (text[start:end], True), (text[end:], False))
    return [
        MarkedText(piece, is_promise, is_hit)
        for part, is_promise in parts
        for piece, is_hit in (marks(part, words) if words else [(part, False)])
        if piece
    ]


def _place(row: SessionRow, phrase: str | None, text: str) -> tuple[int, int] | None:
    """Where the phrase stands and counts; the site may have changed its rules since."""
    for phrases, exclusions in (
        ((phrase,) if phrase else (), row.site_exclusions),
        (row.site_phrases, row.site_exclusions),
        ((phrase,) if phrase else (), ()),
    ):
        if place := compile_phrases(phrases, exclusions).locate(text):
            return place
    return None
