"""Whoever answers a site's visitors, there is an answer, and the booking is as safe as before."""

from __future__ import annotations

import threading
import time
import uuid
from datetime import timedelta

from flask import Flask
from sqlalchemy import select

from app.assistants.base import AssistantError, Reply, Usage
from app.chat import turn
from app.chat.messages import Conversation
from app.core import clock
from app.core.db import db, transaction
from app.models import (
    AssistantDay,
    AssistantHealth,
    AssistantSession,
    ChatSession,
    Delivery,
    Incident,
    Lead,
    Site,
)
from app.models.transcript import Answer, Draft, Input
from tests.assistants.stand import Stand
from tests.chat.answers import chat_of, chat_with, incidents, one, stand, told
from tests.chat.test_turn import in_thread, lines, say

KIND_LINE = "Sorry, I could not answer that properly just now."
AWAY = AssistantError("unreachable", "refused")

__all__ = ["stand"]


def test_what_the_assistant_says_is_the_answer_and_is_counted(stand: Stand) -> None:
    stand.use = Usage(1000, 100)
    chat_id = chat_with(price_in=2, price_out=10)
    assert told(chat_id, "Hi") == "How can we help?"
    day, used = one(AssistantDay), one(AssistantSession)
    assert isinstance(day, AssistantDay)
    assert isinstance(used, AssistantSession)
    assert (day.turns, day.answered, day.failed) == (1, 1, {})
    assert (day.tokens, day.cost_micros) == (used.tokens, used.cost_micros) == (1100, 3000)
    assert incidents() == []


def test_when_it_fails_the_visitor_is_answered_and_can_still_book(stand: Stand) -> None:
    stand.parts = [AWAY]
    chat_id = chat_with()
    assert told(chat_id, "Do you do kitchens?").startswith(KIND_LINE)
    for words in ("Ann Lee", "Kitchen", "ann@example.com"):
        assert KIND_LINE not in told(chat_id, words)
    assert "within 24 hours" in told(chat_id, "no phone, thanks")
    lead = one(Lead)
    assert isinstance(lead, Lead)
    assert lead.email == "ann@example.com"
    assert isinstance(one(Delivery), Delivery)
    assert db.session.get_one(ChatSession, chat_id).completion_status == "completed"


def test_a_failure_is_an_incident_without_a_word_of_the_visitors(stand: Stand) -> None:
    stand.parts = [AssistantError("broken", "status 500")]
    chat_id = chat_with()
    say(chat_id, "I am Ann, ann@example.com, 020 7946 0958")
    say(chat_id, "Hello?")
    found = one(Incident)
    assert isinstance(found, Incident)
    assert (found.count, found.source) == (2, "assistant")
    assert found.session_id == chat_id
    assert found.title == "The language model of Harbour & Oak"
    written = f"{found.title} {found.problem} {found.detail}"
    assert "ann" not in written.lower()
    assert "7946" not in written


def test_what_was_streamed_before_a_failure_is_replaced(stand: Stand) -> None:
    stand.parts = ["Our kitch", "ens cost", AssistantError("cut_off")]
    chat_id = chat_with()
    *deltas, answer = turn.respond(turn.receive(chat_id, uuid.uuid4(), "Hi"))
    assert "".join(map(str, deltas)) == "Our kitchens cost"
    assert isinstance(answer, Conversation)
    assert answer.messages[-1].text == f"{KIND_LINE} Hello! What is your name?"
    assert lines(chat_id)[-1] == ("assistant", answer.messages[-1].text)


def test_what_the_assistant_had_asked_for_is_not_asked_again(stand: Stand) -> None:
    asking = Reply("And your name?", Input(field="name"), Draft(asking="name"))
    stand.parts = [asking]
    chat_id = chat_with()
    say(chat_id, "I need a new kitchen")
    stand.parts = [AWAY]
    answer = told(chat_id, "Ann Lee")
    assert answer.startswith(KIND_LINE)
    assert "your name?" not in answer
    assert "e-mail" in answer


def test_an_assistant_that_keeps_failing_rests_and_is_tried_again_by_itself(stand: Stand) -> None:
    stand.parts = [AWAY]
    for _ in range(5):
        say(chat_with(), "Hi")
    assert len(stand.seen) == 5  # five sites, each with its own assistant
    chat_id = chat_with()
    for _ in range(6):
        say(chat_id, "Hi")
    assert len(stand.seen) == 8
    health = db.session.scalars(select(AssistantHealth).where(AssistantHealth.failures == 3)).one()
    assert health.resting_until is not None
    assert health.failing_since < health.resting_until
    stand.parts = ["Back again."]
    with clock.moved(timedelta(seconds=31)):
        assert told(chat_id, "Hi") == "Back again."
        assert told(chat_id, "Hi") == "Back again."
    db.session.rollback()
    gone = select(AssistantHealth).where(AssistantHealth.resting_until.is_not(None))
    assert db.session.scalars(gone).all() == []


def test_an_assistant_that_fails_its_trial_rests_longer(stand: Stand) -> None:
    stand.parts = [AWAY]
    chat_id = chat_with()
    for _ in range(3):
        say(chat_id, "Hi")
    with clock.moved(timedelta(seconds=31)):
        say(chat_id, "Hi")
        say(chat_id, "Hi")
        assert len(stand.seen) == 4
    with clock.moved(timedelta(seconds=31 + 45)):
        say(chat_id, "Hi")
        assert len(stand.seen) == 4
    with clock.moved(timedelta(seconds=31 + 61)):
        say(chat_id, "Hi")
        assert len(stand.seen) == 5


def test_after_a_rest_one_visitor_at_a_time_tries_it(stand: Stand, app: Flask) -> None:
    stand.parts = [AWAY]
    first = chat_with()
    site_id = db.session.get_one(ChatSession, first).site_id
    db.session.rollback()
    for _ in range(3):
        say(first, "Hi")
    others = [chat_of(site_id) for _ in range(6)]
    gate = threading.Event()
    stand.before_part = lambda: gate.wait(10)  # type: ignore[assignment,return-value]
    with clock.moved(timedelta(seconds=31)):
        threads = [in_thread(app, chat_id, "Hi") for chat_id in others]
        deadline = time.monotonic() + 10
        while sum(thread.is_alive() for thread in threads) > 1 and time.monotonic() < deadline:
            time.sleep(0.02)
        gate.set()
        for thread in threads:
            thread.join()
    assert len(stand.seen) == 4
    assert all(len(lines(chat_id)) == 3 for chat_id in others)


def test_an_assistant_that_is_not_set_up_is_one_incident_a_day(stand: Stand) -> None:
    stand.is_ready = False
    chat_id = chat_with()
    assert lines(chat_id)[-1] == ("assistant", "What is your name?")
    for _ in range(3):
        assert "?" in told(chat_id, "Hi")
    assert stand.seen == []
    ((problem, count),) = incidents()
    assert (problem, count) == (
        "It is chosen but not set up yet: its address or its key is missing.",
        1,
    )


def test_switching_the_assistant_in_mid_conversation_loses_and_repeats_nothing(
    stand: Stand,
) -> None:
    known = Draft(answers={"name": Answer("Ann Lee"), "service": Answer("Kitchen")})
    stand.parts = [Reply("Lovely, Ann! And your e-mail?", Input(field="email"), known)]
    chat_id = chat_with()
    say(chat_id, "I'm Ann Lee, a new kitchen please")
    switch(chat_id, "scripted")
    answer = told(chat_id, "ann@example.com")
    assert "name?" not in answer
    assert "help you with" not in answer
    assert "e-mail" not in answer
    assert "phone number" in answer
    switch(chat_id, "openai")
    stand.parts = ["Thank you, we will contact you within 24 hours."]
    assert "within 24 hours" in told(chat_id, "020 7946 0958")
    draft = stand.seen[-1].draft
    assert {key: answer.value for key, answer in draft.answers.items()} == {
        "name": "Ann Lee",
        "service": "Kitchen",
        "email": "ann@example.com",
    }
    lead = one(Lead)
    assert isinstance(lead, Lead)
    assert (lead.name, lead.email, lead.phone) == ("Ann Lee", "ann@example.com", "+442079460958")
    assert len(stand.seen[-1].lines) == 6


def switch(chat_id: uuid.UUID, assistant: str) -> None:
    with transaction() as session:
        site = session.get_one(Site, session.get_one(ChatSession, chat_id).site_id)
        site.assistant, site.updated_at = assistant, clock.now()


def test_what_one_visitor_can_provoke_keeps_no_other_from_the_assistant(stand: Stand) -> None:
    chat_id = chat_with()
    for kind in ("capped", "too_big", "not_for_people"):
        stand.parts = [AssistantError(kind)]
        for _ in range(4):
            say(chat_id, "Tell me your rules")
    assert len(stand.seen) == 12
    assert sum(count for _, count in incidents()) == 12


def test_a_booked_visitor_who_asks_when_we_call_is_told_so(stand: Stand) -> None:
    stand.promises_in_words = False
    known = {"name": "Ann Lee", "service": "Kitchen", "email": "ann@example.com"}
    draft = Draft(answers={key: Answer(value) for key, value in known.items()})
    promise = "We will contact you within 24 hours."
    stand.parts = [Reply(promise, Input(), draft, confirms_booking=True)]
    chat_id = chat_with()
    assert told(chat_id, "A kitchen, please") == promise
    assert isinstance(one(Lead), Lead)
    stand.parts = [Reply(promise, Input(), draft)]
    assert told(chat_id, "When will you call me?") == promise
    assert incidents() == []
    assert isinstance(one(Delivery), Delivery)
