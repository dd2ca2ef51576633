"""What N8n's chat webhook may answer, and what of it a visitor is told."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from app.gateways.n8n_chat import NoAnswerError, ask
from tests.fakes.n8n import Behaviour, N8n, running_n8n

SESSION = str(uuid.uuid4())


@pytest.fixture
def n8n() -> Iterator[N8n]:
    with running_n8n() as n8n:
        yield n8n


def answer(body: Any) -> Behaviour:
    return Behaviour(body=body if isinstance(body, bytes) else json.dumps(body).encode())


def test_the_request_is_what_a_chat_trigger_takes(n8n: N8n) -> None:
    n8n.behave(answer({"output": "Hello!"}))
    assert ask(n8n.url, SESSION, "Grüezi 👋", 5) == "Hello!"
    (request,) = n8n.received
    assert request.headers["content-type"] == "application/json"
    assert request.event == {
        "action": "sendMessage",
        "sessionId": SESSION,
        "chatInput": "Grüezi 👋",
        "metadata": {},
    }


@pytest.mark.parametrize(
    "body",
    [
        {"output": "Hi"},
        {"text": "Hi"},
        {"message": "Hi"},
        {"message": {"type": "text", "text": "Hi"}},
        [{"output": "Hi"}, {"output": "More"}],
        {"output": "Hi", "text": "no", "message": "no"},
        {"output": None, "text": "Hi"},
    ],
)
def test_every_form_of_an_answer_is_read(n8n: N8n, body: Any) -> None:
    n8n.behave(answer(body))
    assert ask(n8n.url, SESSION, "Hi", 5) == "Hi"


@pytest.mark.parametrize(
    "behaviour",
    [
        Behaviour(500, body=b'{"message":"Error in workflow"}'),
        Behaviour(404),
        answer(b"<html>"),
        answer(b""),
        answer({"output": "  "}),
        answer({"output": 4}),
        answer({"executionStarted": True}),
        answer({"message": "Workflow was started"}),
        answer([]),
        answer("Hi"),
        Behaviour(manner="close"),
        Behaviour(manner="half"),
        Behaviour(manner="garbage"),
    ],
)
def test_anything_else_is_no_answer(n8n: N8n, behaviour: Behaviour) -> None:
    n8n.behave(behaviour)
    with pytest.raises(NoAnswerError):
        ask(n8n.url, SESSION, "Hi", 5)


def test_n8n_is_not_waited_for_longer_than_allowed(n8n: N8n) -> None:
    n8n.behave("hang")
    with pytest.raises(NoAnswerError, match="timeout"):
        ask(n8n.url, SESSION, "Hi", 0.2)
    n8n.release()
