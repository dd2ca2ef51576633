"""The assistant that is a workflow of N8n. Whatever fails there, the visitor is answered here."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace

from app.assistants.base import Assistant, Reply
from app.assistants.scripted_flow import FREE_INPUT
from app.assistants.scripted_words import say
from app.gateways.n8n_chat import NoAnswerError, ask
from app.leads.extraction import extract
from app.models.message_text import fitted
from app.models.site_profile import SiteProfile
from app.models.transcript import Draft, Transcript

logger = logging.getLogger(__name__)


class N8nAssistant:
    """`url`: the chat's address; while it is empty, or N8n gives no answer, `substitute` speaks."""

    def __init__(self, substitute: Assistant, url: str = "", timeout_seconds: float = 30) -> None:
        self.url = url
        self.timeout_seconds = timeout_seconds
        self._substitute = substitute

    def opening(self, site: SiteProfile) -> list[Reply]:
        """The greeting; what is asked is N8n's to decide."""
        if not self.url:
            return self._substitute.opening(site)
        return [Reply(site.greeting.strip() or say(site, "greeting"), FREE_INPUT, Draft())]

    def reply(self, transcript: Transcript, site: SiteProfile) -> Iterator[str | Reply]:
        """N8n's answer to the newest of the visitor's lines."""
        newest = next(line for line in reversed(transcript.lines) if line.role == "visitor")
        text = self._ask(transcript.session_id, newest.text)
        if not text:
            yield from self._substitute.reply(transcript, site)
            return
        yield text
        draft = replace(extract(transcript, site), asking=None, attempts=0)
        yield Reply(text, FREE_INPUT, draft)

    def _ask(self, session_id: str, words: str) -> str:
        if not self.url:
            return ""
        try:
            return fitted(ask(self.url, session_id, words, self.timeout_seconds))
        except NoAnswerError as error:
            logger.warning(
                "N8n gave no answer", extra={"session_id": session_id, "reason": str(error)}
            )
            return ""
