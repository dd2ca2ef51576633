"""The assistant that is a workflow of N8n, its own or the one every site may use."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any

from app.assistants import free_talk
from app.assistants.base import AssistantError, Reply
from app.core.crypto import unseal
from app.core.networks import may_be_typed
from app.gateways.n8n_chat import Answered, Chat, NoAnswerError, ask
from app.leads.extraction import extract
from app.leads.learnt import learn
from app.models.site_profile import SiteProfile
from app.models.transcript import Draft, Transcript

#: Of `Transcript.attribution`, what is told as the visitor's page.
_OF_PAGE = ("landing_url", "referrer")


class N8nAssistant:
    """`url`, `header`: the chat of sites without their own, and a header it asks for.

    `timeout_seconds`: how long any chat may take for a whole answer, if its site allows no less.
    """

    promises_in_words = True

    def __init__(
        self, url: str = "", header: tuple[str, str] = ("", ""), timeout_seconds: float = 30
    ) -> None:
        self.url = url
        self.header = header
        self.timeout_seconds = timeout_seconds

    def is_set_up(self, site: SiteProfile) -> bool:
        return self._chat(site) is not None

    def opening(self, site: SiteProfile) -> list[Reply]:
        return free_talk.opening(site)

    def reply(self, transcript: Transcript, site: SiteProfile) -> Iterator[str | Reply]:
        """N8n's answer to the newest of the visitor's lines."""
        begun = time.monotonic()
        chat = self._chat(site)
        if chat is None:
            raise AssistantError("not_set_up")
        newest = next(line for line in reversed(transcript.lines) if line.role == "visitor")
        draft = extract(transcript, site)
        answer = ask(
            chat,
            transcript.session_id,
            newest.text,
            _metadata(transcript, draft, site),
            first_word_at=begun + site.ai.first_word_seconds,
            whole_at=begun + min(site.ai.answer_seconds, self.timeout_seconds),
        )
        try:
            with closing(answer):
                for part in answer:
                    if isinstance(part, Answered):
                        draft, _ = learn(draft, site, part.lead, newest)
                        yield free_talk.reply_of(
                            part.text, transcript, draft, site, asks_for=part.asks_for
                        )
                    else:
                        yield part
        except NoAnswerError as error:
            raise AssistantError(error.kind, error.detail) from error

    def _chat(self, site: SiteProfile) -> Chat | None:
        """Where this site's visitors are answered. No address is shown another one's secret."""
        if not site.ai.chat_url:
            return Chat(self.url, _headers(*self.header)) if self.url else None
        if not site.ai.chat_header_sealed:
            return Chat(site.ai.chat_url, may_reach=may_be_typed)
        secret = unseal(site.ai.chat_header_sealed)
        if secret is None:
            return None
        return Chat(site.ai.chat_url, _headers(site.ai.chat_header_name, secret), may_be_typed)


def _headers(name: str, value: str) -> dict[str, str]:
    return {name: value} if name else {}


def _metadata(transcript: Transcript, draft: Draft, site: SiteProfile) -> dict[str, Any]:
    """What N8n is told beside the visitor's words; the shape is in `docs/interface.md`."""
    known = {key: answer.value for key, answer in draft.answers.items() if answer.is_valid}
    wanted = [
        field for field in site.fields if field.key not in known and field.key not in draft.skipped
    ]
    came_by = transcript.attribution
    return {
        "site": {"key": site.key, "name": site.name},
        "page": {
            "url": came_by.get("landing_url"),
            "title": transcript.page_title,
            "referrer": came_by.get("referrer"),
        },
        "attribution": {
            key: value for key, value in came_by.items() if value and key not in _OF_PAGE
        },
        "lead": {**known, "missing": [field.key for field in wanted]},
        "fields": [
            {
                "key": field.key,
                "question": field.question,
                "required": field.required,
                "choices": [choice.label for choice in field.choices],
            }
            for field in site.fields
        ],
    }
