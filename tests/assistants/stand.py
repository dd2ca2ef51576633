"""An assistant whose every answer a test writes down."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from app.assistants.base import Reply, Usage
from app.leads.extraction import extract
from app.models.site_profile import SiteProfile
from app.models.transcript import Draft, Input, Transcript


class Stand:
    """`parts`: what it yields, or raises; without a Reply among them one is made of the text.

    `use`: what each answer takes. `seen`: the transcripts it was given.
    """

    def __init__(self, *parts: str | Reply | Exception) -> None:
        self.parts: list[str | Reply | Exception] = list(parts)
        self.promises_in_words = True
        self.is_ready = True
        self.confirms = False
        self.use = Usage()
        self.seen: list[Transcript] = []
        self.before_part: Callable[[], None] = lambda: None

    def is_set_up(self, site: SiteProfile) -> bool:
        return self.is_ready

    def opening(self, site: SiteProfile) -> list[Reply]:
        return [Reply("Hello!", Input(), Draft())]

    def reply(self, transcript: Transcript, site: SiteProfile) -> Iterator[str | Reply]:
        self.seen.append(transcript)
        said = ""
        for part in list(self.parts):
            self.before_part()
            if isinstance(part, Exception):
                raise part
            yield part
            if isinstance(part, Reply):
                return
            said += part
        draft = replace(extract(transcript, site), asking=None, attempts=0)
        yield Reply(said, Input(), draft, confirms_booking=self.confirms, usage=self.use)
