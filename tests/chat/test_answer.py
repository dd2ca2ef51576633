"""Whoever answers a site's visitors, there is an answer, and the booking is as safe as before."""

from __future__ import annotations

import threading
import time
import uuid
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from app.assistants.base import AssistantError, Reply, Usage
from app.assistants.registry import ASSISTANTS
from app.chat import lease_keeper, turn, turn_store
from app.chat.messages import Conversation
from app.chat.start import start
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
from tests.chat.test_turn import answer_all, begin, in_thread, lines, say

KIND_LINE = "Sorry, I could not answer that properly just now. A colleague will read it."
AWAY = AssistantError("unreachable", "refused")


@pytest.fixture
def stand(database: Flask, monkeypatch: pytest.MonkeyPatch) -> Stand:
    stand = Stand("How can we help?")
    monkeypatch.setitem(ASSISTANTS, "openai", stand)
    return stand


def chat_with(**settings: object) -> uuid.UUID:
    return begin(assistant="openai", assistant_settings=settings)


def told(chat_id: uuid.UUID, words: str) -> str:
    return say(chat_id, words).messages[-1].text


def one(model: type) -> object:
    db.session.rollback()
    found = db.session.scalars(select(model)).one()
    db.session.expunge_all()
    db.session.rollback()
    return found


def incidents() -> list[tuple[str, int]]:
    db.session.rollback()
    rows = db.session.execute(select(Incident.problem, Incident.count)).all()
    db.session.rollback()
    return [(problem, count) for problem, count in rows]


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


def chat_of(site_id: uuid.UUID) -> uuid.UUID:
    with transaction() as session:
        site = session.get_one(Site, site_id)
        return start(session, site, visitor_id=None, page={}, locale=None, timezone=None).session_id


def test_a_visitor_who_writes_500_messages_is_answered_500_times_for_the_price_of_a_few(
    stand: Stand,
) -> None:
    chat_id = chat_with(session_turns=7)
    for number in range(500):
        assert told(chat_id, f"Message {number}")
    assert len(stand.seen) == 7
    ((problem, count),) = incidents()
    assert count == 1
    assert problem.startswith("A conversation reached the most answers it may have.")


def test_a_days_answers_are_not_exceeded_by_many_at_once(stand: Stand, app: Flask) -> None:
    first = chat_with(day_turns=5)
    site_id = db.session.get_one(ChatSession, first).site_id
    db.session.rollback()
    stand.before_part = lambda: time.sleep(0.05)
    chats = [first, *(chat_of(site_id) for _ in range(19))]
    threads = [in_thread(app, chat_id, "Hi") for chat_id in chats]
    for thread in threads:
        thread.join()
    assert len(stand.seen) == 5
    assert all(len(lines(chat_id)) == 3 for chat_id in chats)
    assert [problem for problem, _ in incidents()] == [
        "The day's answers are used up. Visitors are answered with our own questions."
    ]
    with clock.moved(timedelta(days=1)):
        assert told(first, "A day later") == "How can we help?"


@pytest.mark.parametrize(
    ("caps", "problem"),
    [
        ({"session_tokens": 9_000}, "A conversation used up its tokens."),
        ({"day_tokens": 9_000}, "The day's tokens are used up."),
        ({"session_money": 0.09}, "A conversation used up its money."),
        ({"day_money": 0.09}, "The day's money is used up."),
    ],
)
def test_tokens_and_money_are_never_exceeded(
    stand: Stand, caps: dict[str, float], problem: str
) -> None:
    chat_id = chat_with(price_in=10, price_out=10, **caps)
    stand.use = Usage(1_200, 300)
    for _ in range(10):
        assert told(chat_id, "Hi")
        used = one(AssistantSession)
        assert isinstance(used, AssistantSession)
        assert used.tokens <= 9_000
        assert used.cost_micros <= 90_000
    assert 0 < len(stand.seen) < 10
    assert all(seen.tokens_left and seen.tokens_left <= 9_000 for seen in stand.seen)
    ((said, _),) = incidents()
    assert said.startswith(problem)


def test_what_may_be_used_is_set_aside_while_an_answer_is_made(stand: Stand, app: Flask) -> None:
    first = chat_with(day_tokens=20_000, history_tokens=1_000)
    site_id = db.session.get_one(ChatSession, first).site_id
    db.session.rollback()
    gate = threading.Event()
    stand.before_part = lambda: gate.wait(10)  # type: ignore[assignment,return-value]
    threads = [in_thread(app, chat_id, "Hi") for chat_id in (first, chat_of(site_id))]
    third = chat_of(site_id)
    deadline = time.monotonic() + 10
    while len(stand.seen) < 2 and time.monotonic() < deadline:
        time.sleep(0.02)
    assert told(third, "Hi").endswith("What is your name?")  # nothing is left for a third
    gate.set()
    for thread in threads:
        thread.join()
    assert sum(seen.tokens_left or 0 for seen in stand.seen) <= 20_000


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


@pytest.fixture
def short_leases(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turn_store, "LEASE_SECONDS", 0.8)
    monkeypatch.setattr(lease_keeper, "KEEP_EVERY_SECONDS", 0.1)
    # The thread of earlier tests sleeps for longer.
    monkeypatch.setattr(lease_keeper, "_keeper", lease_keeper._Keeper())


def test_a_turn_stays_its_answerers_however_long_it_thinks(
    stand: Stand, app: Flask, short_leases: None
) -> None:
    chat_id = chat_with()
    stand.before_part = lambda: time.sleep(2.0)
    thread = in_thread(app, chat_id, "Hi")
    for _ in range(15):
        time.sleep(0.1)
        assert turn_store.claim(chat_id) is None
    thread.join()
    assert lines(chat_id)[1:] == [("visitor", "Hi"), ("assistant", "How can we help?")]


def test_the_turn_of_a_process_that_died_is_soon_anybodys(stand: Stand, short_leases: None) -> None:
    chat_id = chat_with()
    turn.receive(chat_id, uuid.uuid4(), "Hi")  # and nobody goes on
    assert turn_store.claim(chat_id) is None
    with clock.moved(timedelta(seconds=1)):
        assert answer_all() == 0  # a moment longer is left to who asks again
        assert turn_store.claim(chat_id) is not None
