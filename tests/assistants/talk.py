"""What the tests of the language model's assistant share: a site, a conversation, an answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from app.assistants.base import Reply
from app.assistants.openai_compatible import OpenAICompatibleAssistant
from app.models.assistant_settings import AssistantSettings
from app.models.site_profile import Consent, SiteProfile
from app.models.transcript import Draft, Line, Transcript
from tests.dialogues.dialogue import site_for

STARTED = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
SITE = replace(
    site_for({}),
    assistant="openai",
    ai=AssistantSettings(model="m", first_word_seconds=3, answer_seconds=5),
)
ASKING = replace(SITE, consent=Consent("question", "May we keep your details to call you?"))
#: A visitor who has said all that is needed.
TOLD = "I'm Ann Lee, it's about the kitchen, ann@example.com, 020 7946 0958"


def chat(*said: str | tuple[str, str], draft: Draft | None = None, **options: object) -> Transcript:
    """Visitor and assistant in turn, the visitor last; an assistant's line may name its field."""
    lines = []
    for number, one in enumerate(said, 1):
        is_visitor = (len(said) - number) % 2 == 0
        text, field = (one, None) if isinstance(one, str) else one
        at = STARTED + timedelta(minutes=number)
        lines.append(Line(number, "visitor" if is_visitor else "assistant", text, at, field))
    return Transcript("s", tuple(lines), draft or Draft(), **options)  # type: ignore[arg-type]


def answered(
    assistant: OpenAICompatibleAssistant, transcript: Transcript, site: SiteProfile = SITE
) -> Reply:
    """The whole answer; what was said on the way is its text."""
    parts = list(assistant.reply(transcript, site))
    reply = parts[-1]
    assert isinstance(reply, Reply)
    assert "".join(part for part in parts if isinstance(part, str)) == reply.text
    return reply


def values(draft: Draft) -> dict[str, str]:
    return {key: answer.value for key, answer in draft.answers.items()}


def roles(messages: Sequence[dict[str, str]]) -> list[str]:
    return [message["role"] for message in messages]
