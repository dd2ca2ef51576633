"""One answer is kept in bounds: its time, its size, and only words that are for people."""

from __future__ import annotations

import logging
import time
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from app.assistants.base import AssistantError, Usage
from app.assistants.machine_words import is_for_people
from app.assistants.run import MOST_CHARACTERS, Finished, run
from app.chat.answer import unpromising
from app.completion.detection import compile_phrases
from app.models.assistant_settings import AssistantSettings
from app.models.transcript import Line, Transcript
from tests.assistants.stand import Stand
from tests.dialogues.dialogue import site_for

SITE = site_for({})
RULE = compile_phrases(("within 24 hours",), ("not",))
PROMISE = "Done. We will contact you within 24 hours. Bye."
TRANSCRIPT = Transcript(
    "s", (Line(1, "visitor", "My e-mail is ann@example.com", datetime.now(UTC)),)
)

MACHINE_TEXTS = [
    "Error in workflow",
    "<!DOCTYPE html><html><body>502 Bad Gateway</body></html>",
    "  <html>hm</html>",
    '{"message":"Error in workflow"}',
    '[{"json": {"a": 1}}]',
    '{"output": "broken',
    "[object Object]",
    "undefined",
    "null",
    "NodeOperationError: Wrong type at 'chatInput'",
    "Internal Server Error",
    "Traceback (most recent call last):\n  File x",
    "All is well.\n    at Object.run (/usr/lib/node_modules/n8n/x.js:10:5)",
    "Hello {{ $json.name }}",
    "\ufffd\ufffd\ufffd\ufffd",
    "...",
    "Agent stopped due to max iterations.",
    "Max iterations (10) reached. The agent could not complete the task within them.",
    "No session ID found",
    "Error: connect ECONNREFUSED 127.0.0.1:5432",
    "Request failed with status code 500",
    "AxiosError: timeout of 3000ms exceeded",
    "TypeError: x is not a function",
    "429 Too Many Requests",
    "Cannot read properties of undefined (reading 'output')",
    "You exceeded your current quota, please check your plan and billing details.",
    "The service refused the connection - perhaps it is offline",
    "Bad request - please check your parameters",
    '[Used tools: Tool: save, Input: {"a":1}, Result: ok] We do kitchens.',
    'Calling save_lead with input: {"name":"Ann"}\n\nWe do kitchens.',
    '<tool_call>{"name":"save"}</tool_call>',
    'Hello, all is noted. {"lead": {"name": "Ann"}}',
    "Hello, how can we help?<|im_end|>",
]


def answered(stand: Stand, site: object = SITE) -> tuple[str, Finished]:
    """What was shown on the way, and how it ended."""
    *shown, finished = run(stand, TRANSCRIPT, site, unpromising(RULE))  # type: ignore[arg-type]
    assert isinstance(finished, Finished)
    return "".join(shown), finished  # type: ignore[arg-type]


def test_an_answer_is_shown_as_it_comes_and_put_together() -> None:
    stand = Stand("We open ", "at **nine**", ".")
    stand.use = Usage(10, 5)
    shown, finished = answered(stand)
    assert finished.reply is not None
    assert finished.reply.text == "We open at nine."
    assert finished.reply.text.startswith(shown)
    assert shown.startswith("We open at")
    assert finished.usage == Usage(10, 5)
    assert finished.first_word_ms is not None
    assert finished.failure is None


@pytest.mark.parametrize("text", MACHINE_TEXTS)
def test_machine_text_is_neither_shown_nor_an_answer(text: str) -> None:
    pieces = [text[at : at + 4] for at in range(0, len(text), 4)]
    shown, finished = answered(Stand(*pieces))
    assert finished.reply is None
    assert finished.failure in ("not_for_people", "empty")
    if not text.startswith("All is well") and not text.startswith("Hello"):
        assert shown.strip(". ") == ""


@pytest.mark.parametrize(
    "text",
    [
        "Nancy is our designer.",
        "Undefined budgets are fine.",
        "[1] is the first of our services.",
        "Error messages are something we can fix for you.",
        "<3 We love kitchens!",
        "👍",
        "はい、できます。",
        "{smile} Hello!",
        "Calling you is the next step.",
        "Calling is best.",
        "450 square feet is a fine size.",
        "Bad requests are not a problem for us.",
        "McDonald is our architect.",
        "The service was great, visitors say.",
        "Errors happen: tell us about them.",
        "Requests are answered in a day.",
    ],
)
def test_words_for_people_are_an_answer(text: str) -> None:
    assert is_for_people(text)
    assert answered(Stand(text))[1].reply is not None


@pytest.mark.parametrize(
    "text",
    [
        "They want to know when.</think>\n\nWe open at 9.",  # begun in the prompt
        "<think>They want</think> to know</think>We open at 9.",
        "We open <think>at 8? No, </think>at 9.",
        "We open at 9. <think>What else",
    ],
)
def test_what_was_thought_aloud_is_no_part_of_an_answer(text: str) -> None:
    reply = answered(Stand(*text))[1].reply
    assert reply is not None
    assert reply.text == "We open at 9."


def test_nothing_but_thoughts_is_no_answer() -> None:
    assert answered(Stand("They want to know when.</think>\n"))[1].failure == "empty"


def test_an_answer_that_does_not_stop_is_cut_off() -> None:
    shown, finished = answered(Stand(*["more and more "] * MOST_CHARACTERS))
    assert finished.failure == "too_big"
    assert len(shown) <= MOST_CHARACTERS


def test_an_answer_that_drips_is_given_up_at_the_sites_limit() -> None:
    stand = Stand(*["word "] * 100)
    stand.before_part = lambda: time.sleep(0.05)
    site = replace(SITE, ai=AssistantSettings(answer_seconds=1))
    shown, finished = answered(stand, site)
    assert finished.failure == "too_long"
    assert 0 < len(shown) < 400


def test_an_assistants_failure_keeps_what_was_shown_and_used() -> None:
    stand = Stand("I can he", AssistantError("cut_off", usage=Usage(7, 3)))
    shown, finished = answered(stand)
    assert (finished.failure, finished.reply) == ("cut_off", None)
    assert finished.shown == shown
    assert finished.usage == Usage(7, 3)


def test_an_assistants_own_mistake_is_a_failure_and_not_told_with_its_words(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.DEBUG):
        _, finished = answered(Stand(ValueError("ann@example.com is odd")))
    assert finished.failure == "bug"
    assert "ann@example.com" not in caplog.text + finished.detail
    assert "ValueError" in caplog.text


def test_an_assistant_that_ends_without_a_reply_was_cut_off() -> None:
    class Mute(Stand):
        def reply(self, transcript, site):  # type: ignore[no-untyped-def]
            yield "Hm"

    assert answered(Mute())[1].failure == "cut_off"


def test_only_a_real_booking_may_be_promised_by_an_assistant_that_books_by_other_means() -> None:
    stand = Stand(*(f"{word} " for word in PROMISE.split()))
    stand.promises_in_words = False
    shown, finished = answered(stand)
    assert finished.reply is not None
    assert finished.reply.text == "Done. Bye."
    assert RULE.find(shown) is None
    stand.confirms = True
    _, finished = answered(stand)
    assert finished.reply is not None
    assert finished.reply.text == PROMISE


def test_nothing_but_an_unearned_promise_is_no_answer() -> None:
    stand = Stand("We will contact you within the next 24h!")
    stand.promises_in_words = False
    assert answered(stand)[1].failure == "not_for_people"


def test_what_an_exclusion_takes_back_may_be_said() -> None:
    stand = Stand("We can not call you within 24 hours.")
    stand.promises_in_words = False
    assert answered(stand)[1].reply is not None


def test_a_workflow_may_promise_in_words() -> None:
    _, finished = answered(Stand(PROMISE))
    assert finished.reply is not None
    assert finished.reply.text == PROMISE


def test_a_promise_late_in_a_long_answer_is_not_shown_either() -> None:
    stand = Stand(*(f"{word} " for word in ("We open at nine. " * 200 + PROMISE).split()))
    stand.promises_in_words = False
    shown, finished = answered(stand)
    assert finished.reply is not None
    assert RULE.find(shown) is None
    assert RULE.find(finished.reply.text) is None
    assert len(shown) > 3_000


def test_of_a_long_answer_only_the_newest_part_is_looked_through_for_promises() -> None:
    looked_through = 0

    def counted(text: str) -> str:
        nonlocal looked_through
        looked_through += len(text)
        return unpromising(RULE)(text)

    stand = Stand(*["within 24 "] * 500)
    stand.promises_in_words = False
    *_, finished = run(stand, TRANSCRIPT, SITE, counted)
    assert isinstance(finished, Finished)
    assert finished.reply is not None
    assert looked_through < 500 * 1_000
