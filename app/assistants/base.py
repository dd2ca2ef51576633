"""The one protocol every assistant speaks: a transcript and a site in, text and a Reply out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from app.models.site_profile import SiteProfile
from app.models.transcript import Draft, Input, Transcript


@dataclass(frozen=True, slots=True)
class Reply:
    """The whole answer: `text` is everything streamed before it, put together."""

    text: str
    input: Input
    draft: Draft


class Assistant(Protocol):
    """Stateless and free of Flask and the database; one object serves every session.

    `timeout_seconds`: how long `reply` may take in all; the turn's lease lasts a little longer.
    """

    timeout_seconds: float

    def opening(self, site: SiteProfile) -> list[Reply]:
        """The lines a visitor is greeted with; the last one's input and draft stand."""
        ...

    def reply(self, transcript: Transcript, site: SiteProfile) -> Iterator[str | Reply]:
        """Yield pieces of text as they come, then exactly one Reply."""
        ...
