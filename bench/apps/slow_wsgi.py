"""The product with an assistant that takes three seconds, as a language model does."""

from __future__ import annotations

import time
from collections.abc import Iterator

from app.assistants.base import Reply
from app.assistants.registry import ASSISTANTS
from app.assistants.scripted import ScriptedAssistant
from app.models.site_profile import SiteProfile
from app.models.transcript import Transcript
from wsgi import app

__all__ = ["app"]

THINKS_SECONDS = 3.0


class SlowAssistant(ScriptedAssistant):
    """Says what the scripted one says, later."""

    def reply(self, transcript: Transcript, site: SiteProfile) -> Iterator[str | Reply]:
        time.sleep(THINKS_SECONDS)
        yield from super().reply(transcript, site)


ASSISTANTS["slow"] = SlowAssistant()
