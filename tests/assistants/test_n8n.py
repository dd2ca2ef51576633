"""A workflow of N8n answers; where it cannot, the scripted assistant does."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from app.assistants.base import Reply
from app.assistants.n8n import N8nAssistant
from app.assistants.scripted import ScriptedAssistant
from app.models.site_profile import Field, SiteProfile
from app.models.transcript import Draft, Input, Line, Transcript
from tests.fakes.n8n import Behaviour, N8n, running_n8n

NOW = datetime(2026, 3, 1, tzinfo=UTC)
SITE = SiteProfile(
    "a", "A", "n8n", greeting="Welcome!", fields=(Field("email", "Your e-mail?", "email"),)
)


@pytest.fixture
def n8n() -> Iterator[N8n]:
    with running_n8n() as n8n:
        yield n8n


def transcript(*lines: str) -> Transcript:
    said = tuple(Line(at, "visitor", words, NOW) for at, words in enumerate(lines, start=1))
    return Transcript("8d7f6a0e-0000-4000-8000-000000000000", said, Draft(asking="email"))


def reply_of(assistant: N8nAssistant, asked: Transcript) -> tuple[list[str], Reply]:
    *pieces, reply = assistant.reply(asked, SITE)
    assert isinstance(reply, Reply)
    assert "".join(map(str, pieces)) == reply.text
    return [str(piece) for piece in pieces], reply


def test_n8n_answers_the_newest_line_and_the_draft_knows_them_all(n8n: N8n) -> None:
    n8n.behave(Behaviour(body=json.dumps({"output": "Of course.\0"}).encode()))
    _, reply = reply_of(
        N8nAssistant(ScriptedAssistant(), n8n.url), transcript("I am at ann@example.com", "Ok?")
    )
    assert reply.text == "Of course."
    assert (reply.input.type, reply.input.required) == ("text", False)
    assert reply.draft.answers["email"].value == "ann@example.com"
    assert (reply.draft.read_through, reply.draft.asking) == (2, None)
    assert n8n.received[0].event["chatInput"] == "Ok?"


@pytest.mark.parametrize("behaviour", [500, "close", "garbage"])
def test_without_n8n_the_scripted_assistant_answers(n8n: N8n, behaviour: int | str) -> None:
    n8n.behave(behaviour)
    asked = transcript("Hello")
    _, reply = reply_of(N8nAssistant(ScriptedAssistant(), n8n.url), asked)
    *_, scripted = ScriptedAssistant().reply(asked, SITE)
    assert reply == scripted


def test_without_an_address_nobody_is_asked() -> None:
    assistant = N8nAssistant(ScriptedAssistant())
    assert assistant.opening(SITE) == ScriptedAssistant().opening(SITE)
    _, reply = reply_of(assistant, transcript("Hello"))
    assert reply.text


def test_the_greeting_asks_nothing_of_its_own(n8n: N8n) -> None:
    (greeting,) = N8nAssistant(ScriptedAssistant(), n8n.url).opening(SITE)
    assert (greeting.text, greeting.draft) == ("Welcome!", Draft())
    assert isinstance(greeting.input, Input)
