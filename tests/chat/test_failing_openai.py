"""However a language model fails, its visitor gets a sentence in time and can still book."""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import select

from app.assistants.openai_compatible import OpenAICompatibleAssistant
from app.assistants.registry import ASSISTANTS
from app.chat import turn
from app.chat.assistant_words import PROBLEMS
from app.chat.messages import Conversation
from app.core.db import db
from app.models import AssistantDay, ChatSession, Delivery, Incident, IncidentReport, Lead
from tests.chat.test_turn import begin, lines, say
from tests.fakes.chat_completions import Calls, ChatCompletions, Says, running_chat_completions

KIND_LINE = "Sorry, I could not answer that properly just now."
KEY = "sk-secret-key"
FIRST_WORD_SECONDS, ANSWER_SECONDS = 1, 2
#: For a busy machine; a model that is waited for to its end takes much longer.
ALLOWANCE_SECONDS = 6
WORDS = "I am Ann Lee, ann@example.com, and it is about the kitchen"
LEAK = b'{"error": {"message": "internal: ann@example.com sk-secret-key"}}'
SAVES = Calls("save_details", {"name": "Ann Lee"})

WAYS = {
    "slow first word": (Says(30.0, "Hello"), "too_slow"),
    "no headers": (Says(manner="hang"), "too_slow"),
    "headers that drip": (Says(manner="drip"), "too_slow"),
    "stall in mid-stream": (Says("We open at ", ending="stall"), "too_long"),
    "words that drip": (Says(*["word ", 0.1] * 100), "too_long"),
    "cut connection": (Says("We open at ", ending="cut"), "cut_off"),
    "no end": (Says("We open at ", ending="no_end"), "cut_off"),
    "hang-up": (Says(manner="close"), "cut_off"),
    "error in the stream": (Says("We open at ", b"data: " + LEAK + b"\n\n"), "broken"),
    "page": (
        Says(headers={"Content-Type": "text/html"}, body=b"<html>internal</html>"),
        "not_for_people",
    ),
    "machine text": (Says("<html><body>502 Bad ", "Gateway</body></html>"), "not_for_people"),
    "data": (Says('{"error": ', '"internal"}'), "not_for_people"),
    "empty": (Says(), "empty"),
    "401": (Says(status=401, body=LEAK), "refused"),
    "404": (Says(status=404, body=LEAK), "missing"),
    "429": (Says(status=429, body=LEAK), "busy"),
    "500": (Says(status=500, body=LEAK), "broken"),
    "garbage": (Says("We open at ", b"data: \xff\xfe\x00\n\n"), "not_for_people"),
    "garbled text": (Says("\ufffd\ufffd\ufffd\x00\x01\ufffd"), "not_for_people"),
    "endless answer": (Says("so much to say ", ending="endless"), "too_big"),
    "endless tool rounds": (Says(SAVES), "capped"),
    "endless tool calls": (Says(*[SAVES] * 150), "too_big"),
}


@pytest.fixture
def model(database: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[ChatCompletions]:
    with running_chat_completions() as server:
        assistant = OpenAICompatibleAssistant()
        assistant.url, assistant.key, assistant.model = server.url, KEY, "m"
        monkeypatch.setitem(ASSISTANTS, "openai", assistant)
        yield server


def chat() -> uuid.UUID:
    limits = {"first_word_seconds": FIRST_WORD_SECONDS, "answer_seconds": ANSWER_SECONDS}
    return begin(assistant="openai", assistant_settings=limits)


def told(chat_id: uuid.UUID, words: str) -> tuple[str, str]:
    """What was streamed, and the answer that stands in the end."""
    *pieces, answer = turn.respond(turn.receive(chat_id, uuid.uuid4(), words))
    assert isinstance(answer, Conversation)
    return "".join(map(str, pieces)), answer.messages[-1].text


def everything_noted() -> str:
    db.session.rollback()
    rows = [
        *db.session.scalars(select(Incident)).all(),
        *db.session.scalars(select(IncidentReport)).all(),
        *db.session.scalars(select(AssistantDay)).all(),
    ]
    noted = " ".join(
        str({c.key: getattr(row, c.key) for c in row.__table__.columns}) for row in rows
    )
    db.session.rollback()
    return noted


@pytest.mark.parametrize("way", WAYS)
def test_a_failing_model_costs_the_visitor_nothing(
    model: ChatCompletions, caplog: pytest.LogCaptureFixture, way: str
) -> None:
    model.otherwise, kind = WAYS[way]
    caplog.set_level(logging.INFO)
    chat_id = chat()
    began = time.monotonic()
    streamed, answer = told(chat_id, WORDS)
    assert time.monotonic() - began < ANSWER_SECONDS + ALLOWANCE_SECONDS

    assert answer.startswith(KIND_LINE)
    assert "phone" in answer
    assert lines(chat_id)[-1] == ("assistant", answer)
    assert "We open at " not in answer
    shown = streamed + answer
    for machine_word in ("html", "{", "error", "internal", "\ufffd", "save_details"):
        assert machine_word not in shown.replace(KIND_LINE, "")

    [incident] = db.session.scalars(select(Incident)).all()
    assert incident.problem == PROBLEMS[kind]  # type: ignore[index]
    noted = everything_noted() + caplog.text
    for secret in ("ann@", "Ann Lee", KEY, "internal", "kitchen"):
        assert secret not in noted.replace(str(chat_id), "")

    model.otherwise = Says(status=500)
    booked = told(chat_id, "no phone, thanks")[1]
    assert "within 24 hours" in booked
    db.session.rollback()
    assert db.session.get_one(ChatSession, chat_id).completion_status == "completed"
    assert db.session.scalars(select(Lead)).one().email == "ann@example.com"
    assert db.session.scalars(select(Delivery)).one().event == "lead.completed"
    db.session.rollback()


def test_a_conversation_is_led_to_its_booking_by_the_model(model: ChatCompletions) -> None:
    chat_id = chat()
    model.script(
        Says("Hello Ann Lee! ", "Anything by phone?", Calls("save_details", {"asks_for": "phone"})),
        Says(
            "All right.",
            Calls("save_details", {"service": "Kitchen", "declined": ["phone"]}),
            Calls("confirm_booking"),
        ),
    )
    first = say(chat_id, WORDS)
    assert first.messages[-1].text == "Hello Ann Lee! Anything by phone?"
    assert (first.input["type"], first.input["field"]) == ("phone", "phone")
    streamed, answer = told(chat_id, "No, that's all")
    assert answer.startswith("All right.\n\nThank you, Ann Lee!")
    assert streamed.strip() in answer
    db.session.rollback()
    assert db.session.get_one(ChatSession, chat_id).completion_status == "completed"
    lead = db.session.scalars(select(Lead)).one()
    assert (lead.name, lead.email) == ("Ann Lee", "ann@example.com")
    assert lead.qualification == {"service": "Kitchen"}
    db.session.rollback()


def test_a_promise_in_the_models_own_words_is_neither_shown_nor_a_booking(
    model: ChatCompletions,
) -> None:
    chat_id = chat()
    model.script(Says("Noted. ", "We will contact you ", "within 24 hours.", " Your name?"))
    streamed, answer = told(chat_id, "Book me")
    assert answer == "Noted. Your name?"
    assert "24" not in streamed
    db.session.rollback()
    assert db.session.get_one(ChatSession, chat_id).completion_status == "in_progress"
    db.session.rollback()


def test_a_model_that_works_again_goes_on_where_the_questions_were(model: ChatCompletions) -> None:
    chat_id = chat()
    model.script(Says(status=401), Says("Thanks!", Calls("save_details", {"asks_for": "phone"})))
    assert told(chat_id, "I'm Ann Lee, it's about the kitchen")[1].startswith(KIND_LINE)
    assert told(chat_id, "ann@example.com")[1] == "Thanks!"
    prompt = model.received[-1].prompt
    assert 'name = "Ann Lee"' in prompt
    assert 'email = "ann@example.com"' in prompt
    assert "- Still open: phone\n" in prompt
