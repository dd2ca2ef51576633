"""Each way in which N8n's chat gives no answer: it is told apart, in time, and nothing is kept."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator

import pytest

from app.gateways.n8n_chat import Chat, NoAnswerError, ask
from tests.fakes.n8n_chat import Workflow, running_workflow
from tests.fakes.n8n_protocol import FAILURES, HALF, Script, event

#: How long an answer may take, to its first word and in all: only as short as the failure needs.
UNHURRIED = (20.0, 20.0)
HURRIED = {"too_slow": (0.3, 20.0), "too_long": (20.0, 1.5)}


@pytest.fixture
def n8n() -> Iterator[Workflow]:
    with running_workflow() as workflow:
        yield workflow


def failed(url: str, seconds: tuple[float, float] = UNHURRIED) -> tuple[str, NoAnswerError]:
    """What was said before it, and the failure."""
    first_word_at, whole_at = (time.monotonic() + each for each in seconds)
    parts = ask(Chat(url), "s", "Hi", {}, first_word_at=first_word_at, whole_at=whole_at)
    said: list[str] = []
    with pytest.raises(NoAnswerError) as caught:
        said.extend(map(str, parts))
    return "".join(said), caught.value


@pytest.mark.parametrize("way", FAILURES)
def test_no_answer_is_told_apart_in_time(n8n: Workflow, way: str) -> None:
    kind, script = FAILURES[way]
    n8n.always = script
    said, failure = failed(n8n.url, HURRIED.get(kind, UNHURRIED))
    assert failure.kind == kind
    assert re.fullmatch(r"[a-zA-Z ]*|(status|code) \d+", failure.detail)
    assert "Answered(" not in said
    if script.steps[: len(HALF)] == HALF:
        assert said.startswith("Our kitch")


def test_nobody_there_is_told_apart() -> None:
    _, failure = failed("http://127.0.0.1:1/webhook/5ive/chat")
    assert (failure.kind, failure.detail) == ("unreachable", "refused")


def test_what_is_no_http_is_told_apart(n8n: Workflow) -> None:
    _, failure = failed(n8n.url.replace("http:", "https:"))
    assert (failure.kind, failure.detail) == ("unreachable", "tls")


def test_an_unfinished_structured_answer_is_not_shown(n8n: Workflow) -> None:
    n8n.always = Script((*HALF[:1], event("item", '{"output": "Our kit'), "cut"))
    said, failure = failed(n8n.url)
    assert (said, failure.kind) == ("", "cut_off")
