"""Every way in which a model's server fails: named right, in time, hung up, nobody's words told."""

from __future__ import annotations

import logging
import time
from dataclasses import replace

import pytest

from app.assistants.base import AssistantError
from app.assistants.openai_compatible import OpenAICompatibleAssistant
from app.models.assistant_settings import AssistantSettings
from tests.assistants.talk import SITE, TOLD, chat
from tests.fakes.chat_completions import Calls, ChatCompletions, Says

SITE_IN_A_HURRY = replace(
    SITE, ai=AssistantSettings(model="m", first_word_seconds=1, answer_seconds=2)
)
KEY = "sk-secret-key"
LEAK = b'{"error": {"message": "internal: ann@example.com sk-secret-key"}}'


@pytest.fixture
def failed(assistant: OpenAICompatibleAssistant, caplog: pytest.LogCaptureFixture) -> Failed:
    return Failed(assistant, caplog)


class Failed:
    def __init__(
        self, assistant: OpenAICompatibleAssistant, caplog: pytest.LogCaptureFixture
    ) -> None:
        assistant.key = KEY
        self._assistant, self._caplog = assistant, caplog

    def __call__(self) -> AssistantError:
        self._caplog.set_level(logging.INFO)
        began = time.monotonic()
        with pytest.raises(AssistantError) as caught:
            list(self._assistant.reply(chat("Hello!", TOLD), SITE_IN_A_HURRY))
        assert time.monotonic() - began < SITE_IN_A_HURRY.ai.answer_seconds + 1
        told = f"{caught.value!r} {caught.value.detail} {self._caplog.text}"
        for secret in ("ann@", "7946", KEY, "internal", "html"):
            assert secret not in told
        assert caught.value.__cause__ is None
        return caught.value


def test_a_slow_first_word(model: ChatCompletions, failed: Failed) -> None:
    model.script(Says(30.0, "Hello"))
    assert failed().kind == "too_slow"
    model.wait_until_hung_up()


def test_headers_that_drip(model: ChatCompletions, failed: Failed) -> None:
    model.script(Says(manner="drip"))
    assert failed().kind == "too_slow"
    model.wait_until_hung_up()


def test_tools_alone_are_no_first_word(model: ChatCompletions, failed: Failed) -> None:
    model.script(Says(0.6, Calls("save_details", {"name": "Ann"})), Says(0.6, "Hello"))
    error = failed()
    assert (error.kind, len(error.calls)) == ("too_slow", 1)
    model.wait_until_hung_up()


def test_a_stall_in_mid_stream(model: ChatCompletions, failed: Failed) -> None:
    model.script(Says("We open ", ending="stall"))
    error = failed()
    assert error.kind == "too_long"
    assert error.usage.input_tokens > 0
    model.wait_until_hung_up()


def test_single_words_without_end(model: ChatCompletions, failed: Failed) -> None:
    model.script(Says(*["word ", 0.1] * 100))
    assert failed().kind == "too_long"
    model.wait_until_hung_up()


def test_an_endless_answer(model: ChatCompletions, failed: Failed) -> None:
    model.script(Says("so much to say ", ending="endless"))
    error = failed()
    assert error.kind == "too_big"
    assert error.usage.output_tokens > 1000
    model.wait_until_hung_up()


def test_a_cut_connection(model: ChatCompletions, failed: Failed) -> None:
    model.script(Says("We open ", ending="cut"))
    assert failed().kind == "cut_off"


def test_a_stream_without_an_end(model: ChatCompletions, failed: Failed) -> None:
    model.script(Says("We open ", ending="no_end"))
    assert failed().kind == "cut_off"


def test_an_error_in_the_stream(model: ChatCompletions, failed: Failed) -> None:
    model.script(Says("We open ", b"data: " + LEAK + b"\n\n"))
    assert failed().kind == "broken"


def test_a_page(model: ChatCompletions, failed: Failed) -> None:
    model.script(Says(headers={"Content-Type": "text/html"}, body=b"<html>internal</html>"))
    assert failed().kind == "not_for_people"


def test_an_empty_answer(model: ChatCompletions, failed: Failed) -> None:
    model.script(Says())
    assert failed().kind == "empty"


def test_only_spaces(model: ChatCompletions, failed: Failed) -> None:
    model.script(Says(" ", "\n"))
    assert failed().kind == "empty"


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (401, "refused"),
        (404, "missing"),
        (429, "busy"),
        (500, "broken"),
        (503, "busy"),
        (400, "broken"),
    ],
)
def test_another_status(model: ChatCompletions, failed: Failed, status: int, kind: str) -> None:
    model.otherwise = Says(status=status, body=LEAK)
    error = failed()
    assert (error.kind, error.detail) == (kind, f"status {status}")
    assert error.usage.input_tokens == 0


def test_garbage(model: ChatCompletions, failed: Failed) -> None:
    model.script(Says("We open ", b"data: \xff\xfe\x00\n\n"))
    assert failed().kind == "not_for_people"


def test_nobody_there(
    model: ChatCompletions, assistant: OpenAICompatibleAssistant, failed: Failed
) -> None:
    model.stop()
    assert failed().kind == "unreachable"


def test_a_hang_up(model: ChatCompletions, failed: Failed) -> None:
    model.otherwise = Says(manner="close")
    assert failed().kind == "cut_off"


def test_endless_tool_rounds(model: ChatCompletions, failed: Failed) -> None:
    model.otherwise = Says(Calls("save_details", {"name": "Ann"}))
    assert failed().kind == "capped"
    assert len(model.received) == 4


def test_endless_tool_calls_in_one_round(model: ChatCompletions, failed: Failed) -> None:
    model.otherwise = Says(*[Calls("save_details", {"name": "Ann"})] * 150)
    assert failed().kind == "too_big"
    model.otherwise = Says(*[Calls("save_details", {"name": "Ann"})] * 90)
    error = failed()
    assert error.kind == "capped"
    assert "too many calls" in error.calls[-1].result


def test_endless_arguments(model: ChatCompletions, failed: Failed) -> None:
    model.otherwise = Says(Calls("save_details", '{"name": "' + "A" * 2_000_000))
    assert failed().kind in ("too_big", "too_slow")
