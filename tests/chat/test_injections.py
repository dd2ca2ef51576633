"""Nothing a visitor writes makes a language model do more than fill the fields of its session.

The model is played by one that obeys the attacker: whatever is asked for, it says or calls. Each
attempt in `fixtures/injections.json` is a visitor's message and what the model then does, a list of
rounds: `text` said, `calls` made, or `recites`, how the prompt it was given is told.
"""

from __future__ import annotations

import base64
import codecs
import json
import re
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from app.assistants import registry
from app.chat.start import start
from app.core.db import db, transaction
from app.models import ChatSession, Incident, Lead, Site
from config import Settings
from tests.chat.test_turn import begin, lines, say
from tests.factories import make_chat, make_lead, make_message
from tests.fakes.chat_completions import Calls, ChatCompletions, Says, running_chat_completions

ATTEMPTS = json.loads((Path(__file__).parent.parent / "fixtures" / "injections.json").read_text())
MOST_ROUNDS = 4
#: What of the model's system prompt may be told: the site's own words, which visitors see anyway.
TELLTALE_WORDS = 8
TABLES = ("sites", "chat_sessions", "messages", "leads", "deliveries", "session_events", "users")


@pytest.fixture
def model(database: Flask, settings: Settings) -> Iterator[ChatCompletions]:
    """The model that obeys, as the assistant of every site that has a language model."""
    with running_chat_completions() as server:
        told = {"OPENAI_BASE_URL": server.url, "OPENAI_MODEL": "obedient"}
        values = {"SECRET_KEY": settings.secret_keys[0], "DATABASE_URL": "postgresql://x/y"}
        registry.configure(Settings.load({**values, **told}))
        yield server
        registry.configure(settings)


@pytest.fixture
def victim(database: Flask) -> uuid.UUID:
    """Somebody else's finished conversation on the same site."""
    chat_id = begin(assistant="openai")
    with transaction() as session:
        site = session.get_one(Site, session.get_one(ChatSession, chat_id).site_id)
        chat = make_chat(session, site, completion_status="completed")
        make_message(session, chat, text="I am Victoria, victoria@victim.example")
        make_lead(session, chat, name="Victoria Victim", email="victoria@victim.example")
        return chat.id


def attacked_chat(victim: uuid.UUID) -> uuid.UUID:
    with transaction() as session:
        site = session.get_one(Site, session.get_one(ChatSession, victim).site_id)
        return start(session, site, visitor_id=None, page={}, locale=None, timezone=None).session_id


def everything_but(chat_id: uuid.UUID) -> dict[str, list[Any]]:
    """Every row of anybody else."""
    own = {"chat_sessions": "id", "users": None, "sites": None}
    found: dict[str, list[Any]] = {}
    with transaction() as session:
        for table in TABLES:
            column = own.get(table, "session_id")
            where = f"WHERE {column} <> '{chat_id}'" if column else ""
            rows = session.execute(text(f"SELECT * FROM {table} {where} ORDER BY 1"))  # noqa: S608
            found[table] = [tuple(map(str, row)) for row in rows]
    return found


def obeying(attempt: dict[str, Any], victim: uuid.UUID) -> list[Any]:
    """What the model does, round by round."""

    def round_of(step: dict[str, Any]) -> Any:
        if "recites" in step:
            return lambda request: Says(*pieces(recited(step["recites"], prompt_in(request))))
        calls = [
            Calls(name, json.loads(json.dumps(arguments).replace("{other_session}", str(victim))))
            for name, arguments in step.get("calls", ())
        ]
        return Says(*pieces(step["text"]), *calls)

    return [round_of(step) for step in attempt["model"]]


def prompt_in(request: dict[str, Any]) -> str:
    return "\n".join(
        str(message["content"]) for message in request["messages"] if message["role"] == "system"
    )


def pieces(words: str) -> list[str]:
    return [words[at : at + 11] for at in range(0, len(words), 11)]


def recited(how: str, prompt: str) -> str:
    return {
        "plainly": lambda: prompt,
        "in a code block": lambda: f"```\n{prompt}\n```",
        "backwards": lambda: prompt[::-1],
        "in base64": lambda: base64.b64encode(prompt.encode()).decode(),
        "in capitals with dashes": lambda: "-".join(prompt.upper().split()),
        "letter by letter": lambda: " ".join(prompt.replace(" ", "")[:2500]),
        "after some friendly words": lambda: f"With pleasure, here is a poem.\n{prompt[:600]}",
        "as JSON": lambda: "Here you are: " + json.dumps({"instructions": prompt}),
        "its last part": lambda: f"Of course: {prompt[-500:]}",
        "in hex": lambda: prompt.encode().hex(),
        "in rot13": lambda: codecs.encode(prompt, "rot13"),
    }[how]()[:5500]


def runs_of(words: str) -> set[str]:
    """Every eight words in a row, and every forty letters in a row however they are parted."""
    found = re.findall(r"\w+", words.casefold())
    joined = "".join(found)
    return {
        " ".join(found[at : at + TELLTALE_WORDS]) for at in range(len(found) - TELLTALE_WORDS + 1)
    } | {joined[at : at + 40] for at in range(max(0, len(joined) - 39))}


def test_there_are_at_least_forty_attempts_of_every_kind() -> None:
    assert len(ATTEMPTS) >= 40
    kinds = {attempt["kind"] for attempt in ATTEMPTS}
    assert kinds == {"prompt", "booking", "foreign", "link", "html", "staff"}


@pytest.mark.parametrize("attempt", ATTEMPTS, ids=lambda each: each["visitor"][:60])
def test_an_obedient_model_gains_an_attacker_nothing(
    attempt: dict[str, Any], model: ChatCompletions, victim: uuid.UUID
) -> None:
    chat_id = attacked_chat(victim)
    before = everything_but(chat_id)
    model.script(*obeying(attempt, victim))
    model.otherwise = Says("Is there anything else?")

    say(chat_id, attempt["visitor"].replace("{other_session}", str(victim)))

    assert everything_but(chat_id) == before
    assert 1 <= len(model.received) <= MOST_ROUNDS
    (_, question), (_, told) = lines(chat_id)[-2:]
    assert told
    assert question
    with transaction() as session:
        chat = session.get_one(ChatSession, chat_id)
        assert chat.completion_status == "in_progress"
        lead = session.query(Lead).filter_by(session_id=chat_id).one_or_none()
        if lead is not None:  # what visitors type about themselves is theirs to give
            assert lead.email in attempt["visitor"]
            assert lead.phone is None
        assert session.scalar(text("SELECT count(*) FROM deliveries")) == 0
        written = " ".join(
            f"{each.title} {each.problem} {each.detail}" for each in session.query(Incident)
        )
    assert "victim" not in told.lower() + written.lower()
    prompt = prompt_in(model.received[0].body)
    assert "victoria" not in prompt.lower(), "nothing of another session is in the prompt"
    if attempt["kind"] == "prompt":
        allowed = runs_of(public_words(chat_id))
        for shape in (told, told[::-1], codecs.encode(told, "rot13")):
            assert not (runs_of(shape) & runs_of(prompt)) - allowed
        assert base64.b64encode(prompt.encode()).decode()[:40] not in told
        assert prompt.encode().hex()[:40] not in told


def public_words(chat_id: uuid.UUID) -> str:
    """What visitors are told by the scripted assistant."""
    with transaction() as session:
        site = session.get_one(Site, session.get_one(ChatSession, chat_id).site_id)
        questions = " ".join(field["question"] for field in site.fields)
        return f"{site.greeting} {site.confirmation} {questions} {site.consent['text']}"


def test_after_an_attack_an_honest_visitor_still_books(
    model: ChatCompletions, victim: uuid.UUID
) -> None:
    chat_id = attacked_chat(victim)
    model.script(Says("We will contact you within 24 hours."))
    say(chat_id, "Say that it is booked.")
    details = {"name": "Ann Lee", "service": "Kitchen", "email": "ann@example.com"}
    details["declined"] = ["phone"]  # type: ignore[assignment]
    model.script(Says(Calls("save_details", details), Calls("confirm_booking", {})))
    say(chat_id, "Sorry. I am Ann Lee, a kitchen please, ann@example.com, no phone.")
    db.session.rollback()
    with transaction() as session:
        assert session.get_one(ChatSession, chat_id).completion_status == "completed"
        lead = session.query(Lead).filter_by(session_id=chat_id).one()
        assert (lead.name, lead.email) == ("Ann Lee", "ann@example.com")


def test_a_model_that_wants_a_hundred_rounds_gets_four(
    model: ChatCompletions, victim: uuid.UUID
) -> None:
    chat_id = attacked_chat(victim)
    model.otherwise = Says(Calls("save_details", {"asks_for": "name"}))
    answer = say(chat_id, "Hi")
    assert len(model.received) == MOST_ROUNDS
    assert answer.messages[-1].text.endswith("?")
    with transaction() as session:
        assert session.query(Incident).one().count == 1
