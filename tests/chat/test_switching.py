"""Between our own questions and a model a conversation changes hands: nothing is asked twice."""

from __future__ import annotations

import uuid

from flask import Flask
from sqlalchemy import select

from app.chat.messages import Conversation
from app.core.db import db
from app.models import ChatSession, Delivery, Lead
from tests.chat.test_answer import switch
from tests.chat.test_failing_openai import model
from tests.chat.test_turn import begin, say
from tests.fakes.chat_completions import Calls, ChatCompletions, Says

__all__ = ["model"]


def asked(answer: Conversation) -> object:
    return (answer.input or {}).get("field")


def completed(chat_id: uuid.UUID) -> Lead:
    db.session.rollback()
    assert db.session.get_one(ChatSession, chat_id).completion_status == "completed"
    lead = db.session.scalars(select(Lead)).one()
    assert db.session.scalars(select(Delivery)).one().event == "lead.completed"
    db.session.expunge_all()
    db.session.rollback()
    return lead


def test_from_our_own_questions_to_a_model_and_back(model: ChatCompletions) -> None:
    chat_id = begin(assistant="scripted")
    assert asked(say(chat_id, "Ann Lee")) == "service"

    switch(chat_id, "openai")
    model.script(
        Says(
            "Thanks. Your e-mail?",
            Calls("save_details", {"service": "Kitchen", "asks_for": "email"}),
        )
    )
    answer = say(chat_id, "It's about the kitchen")
    assert asked(answer) == "email"
    prompt = model.received[-1].prompt
    assert '- Known: name = "Ann Lee"' in prompt
    assert "- Still open: service, email, phone\n" in prompt

    switch(chat_id, "scripted")
    answer = say(chat_id, "ann@example.com")
    assert asked(answer) == "phone"
    assert "within 24 hours" in say(chat_id, "no phone, thanks").messages[-1].text
    lead = completed(chat_id)
    assert (lead.name, lead.email) == ("Ann Lee", "ann@example.com")
    assert lead.qualification == {"service": "Kitchen"}


def test_what_was_answered_to_our_own_question_is_known_to_the_model(
    model: ChatCompletions, database: Flask
) -> None:
    chat_id = begin(assistant="scripted")
    say(chat_id, "Ann Lee")
    say(chat_id, "Kitchen")
    switch(chat_id, "openai")
    model.script(Says("And by phone?", Calls("save_details", {"asks_for": "phone"})))
    assert asked(say(chat_id, "ann@example.com")) == "phone"
    assert 'email = "ann@example.com"' in model.received[-1].prompt
    model.script(Says(Calls("save_details", {"declined": ["phone"]}), Calls("confirm_booking")))
    assert "within 24 hours" in say(chat_id, "Rather not").messages[-1].text
    assert completed(chat_id).email == "ann@example.com"
