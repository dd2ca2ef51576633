"""The one protocol every assistant speaks: a transcript and a site in, text and a Reply out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, Protocol

from app.models.site_profile import SiteProfile
from app.models.transcript import Draft, Input, Transcript

#: Why an assistant gave no answer. `refused`: our key or password; `missing`: nobody there under
#: that address; `busy`: told to come later; `broken`: an error of its own; `not_for_people`:
#: machine text; `capped`: its tokens or rounds are used up; `bug`: our own mistake.
FailureKind = Literal[
    "not_set_up",
    "too_slow",
    "too_long",
    "too_big",
    "unreachable",
    "refused",
    "missing",
    "busy",
    "broken",
    "cut_off",
    "empty",
    "not_for_people",
    "capped",
    "bug",
]


@dataclass(frozen=True, slots=True)
class Usage:
    """What an answer took, in tokens."""

    input_tokens: int = 0
    output_tokens: int = 0

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            self.input_tokens + other.input_tokens, self.output_tokens + other.output_tokens
        )


NOTHING_USED = Usage()


@dataclass(frozen=True, slots=True)
class Call:
    """A tool a model called: what it sent, as text, and what it was told."""

    name: str
    arguments: str
    result: str


@dataclass(frozen=True, slots=True)
class Reply:
    """The whole answer: `text` is everything streamed before it, put together.

    `draft`: what is known of the visitor now. `confirms_booking`: this answer makes the booking.
    """

    text: str
    input: Input
    draft: Draft
    confirms_booking: bool = False
    calls: tuple[Call, ...] = ()
    usage: Usage = NOTHING_USED


class AssistantError(Exception):
    """There is no answer, or no more of one. The message is for us: no word of a visitor's in it,
    and nothing the other side said.
    """

    def __init__(
        self,
        kind: FailureKind,
        detail: str = "",
        *,
        calls: tuple[Call, ...] = (),
        usage: Usage | None = None,
    ) -> None:
        super().__init__(f"{kind}: {detail}" if detail else kind)
        self.kind = kind
        self.detail = detail
        self.calls = calls
        self.usage = usage or NOTHING_USED


class Assistant(Protocol):
    """Stateless and free of Flask and the database; one object serves every session.

    `promises_in_words`: a booking phrase in its text counts as it stands. Otherwise only an answer
    that `confirms_booking` may hold one.
    """

    promises_in_words: bool

    def is_set_up(self, site: SiteProfile) -> bool:
        """Whether it has what it needs to answer this site's visitors: an address, a key."""
        ...

    def opening(self, site: SiteProfile) -> list[Reply]:
        """The lines a visitor is greeted with; the last one's input and draft stand."""
        ...

    def reply(self, transcript: Transcript, site: SiteProfile) -> Iterator[str | Reply]:
        """Yield pieces of text as they come, then exactly one Reply.

        Keeps the site's limits (`site.ai`: first word, whole answer) and `transcript.tokens_left`
        by itself, and has hung up whatever it opened when it raises AssistantError.
        """
        ...
