from __future__ import annotations

from collections.abc import Iterator

import pytest

from app.assistants.openai_compatible import OpenAICompatibleAssistant
from tests.fakes.chat_completions import ChatCompletions, running_chat_completions


@pytest.fixture
def model() -> Iterator[ChatCompletions]:
    with running_chat_completions() as server:
        yield server


@pytest.fixture
def assistant(model: ChatCompletions) -> OpenAICompatibleAssistant:
    """The assistant whose every word that model speaks."""
    assistant = OpenAICompatibleAssistant()
    assistant.url = model.url
    return assistant
