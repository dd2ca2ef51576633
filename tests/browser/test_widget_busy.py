"""A server that is busy: the widget says so, waits, and loses nothing."""

from __future__ import annotations

import json
import re
import threading
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from flask import Flask
from playwright.sync_api import Page, expect
from sqlalchemy import select, update

from app.assistants.registry import ASSISTANTS
from app.chat import messages
from app.core import clock
from app.core.db import db, transaction
from app.core.gate import Gate
from app.core.rates import Rates
from app.models import ChatSession, Message, Site
from app.web.widget import conversation, limits
from tests.browser.chat import Chat
from tests.chat.test_turn import Stand
from tests.chat.test_waiting import until_waiting
from tests.factories import make_message

SENDING = "Sending…"
BUSY = "We're busy right now. Your message is kept and will be sent shortly · Send again"
MESSAGES = re.compile(r"/widget/sessions/[^/]+/messages$")


@pytest.fixture
def stand(demo: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stand]:
    """The demo site answers when the test lets it."""
    stand = Stand()
    monkeypatch.setitem(ASSISTANTS, "stand", stand)
    with transaction() as session:
        session.execute(update(Site).values(assistant="stand", updated_at=clock.now()))
    yield stand
    stand.may_answer.set()


def visitor_lines() -> list[str]:
    db.session.rollback()
    query = select(Message.text).where(Message.role == "visitor").order_by(Message.id)
    return list(db.session.scalars(query))


def session_of(page: Page) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(page.evaluate("localStorage.getItem('p5:demo:session')"))
    return found


def ask_elsewhere(demo: str, chat: dict[str, Any], text: str) -> threading.Thread:
    """A message in the same chat from another device."""
    thread = threading.Thread(
        target=requests.post,
        args=(f"{demo}/widget/sessions/{chat['session_id']}/messages",),
        kwargs={
            "json": {"client_id": str(uuid.uuid4()), "text": text},
            "headers": {"Authorization": f"Bearer {chat['token']}"},
            "timeout": 60,
        },
    )
    thread.start()
    return thread


def test_behind_two_that_wait_a_message_is_sending_until_it_is_taken(
    page: Page, demo: str, stand: Stand
) -> None:
    page.goto(f"{demo}/widget/demo")
    chat = Chat(page).greeted()
    here = session_of(page)
    chat_id = uuid.UUID(here["session_id"])
    stand.may_answer.clear()
    elsewhere = [ask_elsewhere(demo, here, "one")]
    assert stand.is_thinking.wait(60)
    for number, text in enumerate(("two", "three"), 1):
        elsewhere.append(ask_elsewhere(demo, here, text))
        until_waiting(chat_id, number)
    statuses: list[int] = []
    page.on("response", lambda it: MESSAGES.search(it.url) and statuses.append(it.status))
    with page.expect_response(MESSAGES):
        chat.field.fill("four")
        chat.field.press("Enter")
    expect(chat.state).to_have_text([SENDING])
    assert statuses == [409]
    assert visitor_lines() == ["one", "two", "three"]
    page.reload()  # what was typed outlives that
    expect(chat.state).to_have_text([SENDING])
    stand.may_answer.set()
    for request in elsewhere:
        request.join()
    # Its own answer comes below it, whatever was answered above.
    expect(chat.log.locator(".line.me[data-id]", has_text="four")).to_have_count(1)
    expect(chat.log.locator(".line").last).to_contain_text("All noted.")
    expect(chat.mine).to_have_text(["one", "two", "three", "four"])
    expect(chat.state).to_have_count(0)
    assert visitor_lines() == ["one", "two", "three", "four"]


def test_past_a_limit_the_widget_says_so_and_goes_on(
    page: Page, demo: str, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    page.goto(f"{demo}/widget/demo")
    chat = Chat(page).greeted()
    monkeypatch.setitem(app.extensions, "rates", Rates("memory://", is_enabled=True))
    monkeypatch.setattr(limits, "MESSAGES_PER_ADDRESS", "0/2 second")
    chat.field.fill("Ann Lee")
    chat.field.press("Enter")
    expect(chat.state).to_have_text([BUSY])
    assert visitor_lines() == []
    monkeypatch.setattr(limits, "MESSAGES_PER_ADDRESS", "60/minute")
    expect(chat.choices).to_have_count(4)
    expect(chat.state).to_have_count(0)
    assert visitor_lines() == ["Ann Lee"]


def test_a_chat_that_cannot_begin_yet_says_so_and_begins(
    page: Page, demo: str, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(app.extensions, "rates", Rates("memory://", is_enabled=True))
    monkeypatch.setattr(limits, "STARTS_PER_ADDRESS", "0/2 second")
    page.goto(f"{demo}/widget/demo")
    chat = Chat(page)
    expect(page.locator("#notice-text")).to_have_text(
        "We're busy right now. Connecting you in a moment…"
    )
    monkeypatch.setattr(limits, "STARTS_PER_ADDRESS", "60/minute")
    chat.greeted()
    expect(page.locator("#notice")).to_be_hidden()


def test_with_every_place_taken_a_message_waits_in_the_browser(
    page: Page, demo: str, stand: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Gate(1)
    monkeypatch.setattr(conversation, "long_requests", gate)
    monkeypatch.setattr("app.core.gate.RETRY_AFTER_SECONDS", 1)
    place = gate.enter("another site")
    page.goto(f"{demo}/widget/demo")
    chat = Chat(page).greeted()
    chat.field.fill("Hello")
    chat.field.press("Enter")
    expect(chat.state).to_have_text([BUSY])
    assert visitor_lines() == []
    place.leave()
    expect(chat.theirs.last).to_have_text("All noted.")
    expect(chat.state).to_have_count(0)
    assert visitor_lines() == ["Hello"]


def test_a_conversation_longer_than_a_page_is_shown_whole(page: Page, demo: str) -> None:
    page.goto(f"{demo}/widget/demo")
    chat = Chat(page).greeted()
    chat.say("Ann Lee")
    expect(chat.choices).to_have_count(4)
    before = chat.log.locator(".bubble").count()
    texts = [f"line {number}" for number in range(messages.MOST_MESSAGES + 40)]
    texts += [f"{number} {'x' * 3990}" for number in range(40)]
    with transaction() as session:
        found = session.get_one(ChatSession, uuid.UUID(session_of(page)["session_id"]))
        for text in texts:
            make_message(session, found, text=text, created_at=clock.now())
    readings: list[str] = []
    page.on("request", lambda it: "?after=" in it.url and readings.append(it.url))
    page.reload()
    expect(chat.log.locator(".bubble")).to_have_count(before + len(texts))
    assert chat.log.locator(".bubble").all_text_contents()[before:] == texts
    assert len(readings) >= 3
    expect(chat.choices).to_have_count(4)  # still asks what it asked
    chat.choose("Kitchen")
    assert visitor_lines()[-1] == "Kitchen"
