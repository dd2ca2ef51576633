"""What assistants may use is never exceeded, and a visitor is answered all the same."""

from __future__ import annotations

import threading
import time
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from app.assistants.base import Usage
from app.assistants.openai_compatible import MOST_ROUNDS
from app.chat.assistant_caps import Used, allowed_tokens, highest_cost
from app.core import clock
from app.core.db import db, transaction
from app.models import AssistantSession, ChatSession, Site
from app.models.assistant_settings import AssistantSettings
from tests.assistants.stand import Stand
from tests.chat.answers import chat_of, chat_with, incidents, one, stand, told
from tests.chat.test_turn import in_thread, lines

__all__ = ["stand"]


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


@pytest.mark.parametrize(("price_in", "price_out"), [(2.5, 10), (10, 2.5), (0, 10), (3, 0), (0, 0)])
@pytest.mark.parametrize("money", [0.0, 0.004, 0.02, 0.1, 5.0])
def test_the_money_an_answer_may_take_is_never_less_than_it_can_cost(
    price_in: float, price_out: float, money: float
) -> None:
    ai = AssistantSettings(price_in=price_in, price_out=price_out, session_money=money)
    nothing = Used()
    tokens, _ = allowed_tokens(ai, nothing, nothing)
    written = min(tokens, MOST_ROUNDS * ai.answer_tokens)
    for output in (0, written // 2, written):
        cost = output * price_out + (tokens - output) * price_in
        assert cost <= 1e6 * money + 1
        assert cost <= highest_cost(ai, tokens) + 1


def test_money_spent_at_earlier_prices_stops_no_assistant_that_is_free_now(stand: Stand) -> None:
    stand.use = Usage(20_000, 2_000)
    chat_id = chat_with(price_in=10, price_out=10, session_money=0.2)
    told(chat_id, "Hi")
    with transaction() as session:
        site = session.scalars(select(Site)).one()
        free = {"price_in": 0, "price_out": 0, "session_money": 0.2}
        site.assistant_settings, site.updated_at = free, clock.now()
    assert told(chat_id, "Hi") == "How can we help?"
