"""The chat itself: a booking, a reload, a second tab, lost connections, exact text."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect
from sqlalchemy import select

from app.core.db import db
from app.models import ChatSession, Message
from tests.browser.chat import Chat, chat_frame, lines, open_widget

HEAR_COMPLETION = """
window.heard = [];
addEventListener("p5:completed", (event) => window.heard.push(event.detail));
"""
MESSAGES = re.compile(r"/widget/sessions/[^/]+/messages$")


def test_a_chat_with_a_wrong_address_and_a_correction_is_booked(page: Page, demo: str) -> None:
    page.add_init_script(HEAR_COMPLETION)
    page.goto(f"{demo}/demo?utm_source=newsletter")
    chat = open_widget(page)
    chat.say("Ann Lee")
    expect(chat.choices).to_have_text(["Kitchen", "Bathroom", "Whole house", "Something else"])
    chat.choose("Kitchen")
    expect(chat.field).to_have_attribute("inputmode", "email")
    chat.say("ann@example")
    expect(chat.field).to_have_attribute("autocomplete", "email")
    chat.say("ann@example.com")
    chat.say("Actually it's anne@example.com")
    chat.say("020 7946 0958")
    expect(chat.theirs.last).to_contain_text("within 24 hours")
    page.wait_for_function("window.heard.length === 1")
    [heard] = page.evaluate("window.heard")
    assert heard["site"] == "demo"
    assert page.evaluate("dataLayer") == [{"event": "p5_completed", **heard}]
    expect(page.locator("#told")).to_contain_text(heard["session_id"])
    stored = db.session.scalars(select(ChatSession)).one()
    assert str(stored.id) == heard["session_id"]
    assert stored.completion_status == "completed"
    assert stored.attribution["utm_source"] == "newsletter"
    # Told once: not again by another message, nor after a reload.
    chat.say("Thank you")
    page.reload()
    expect(page.frame_locator("p5-chat >> iframe").locator(".line.me")).to_have_count(7)
    page.wait_for_timeout(300)
    assert page.evaluate("window.heard") == []


def test_who_answers_during_the_greeting_keeps_the_next_question(page: Page, demo: str) -> None:
    page.goto(f"{demo}/widget/demo")
    chat = Chat(page)
    expect(chat.field).to_have_attribute("placeholder", "Your name")  # until then it is another
    chat.field.fill("Ann Lee")
    chat.field.press("Enter")
    expect(chat.choices.first).to_have_text("Kitchen")
    page.wait_for_timeout(1500)  # the greeting has been told by then
    expect(chat.choices).to_have_count(4)
    assert lines(chat)[-1].endswith("What can we help you with?")


def test_a_reload_resumes_the_chat_and_the_half_typed_answer(page: Page, demo: str) -> None:
    page.goto(f"{demo}/demo")
    chat = open_widget(page)
    chat.say("Ann Lee")
    expect(chat.choices).to_have_count(4)
    before = lines(chat)
    chat.field.fill("Perhaps a kit")
    page.reload()
    chat = open_widget(page)
    expect(chat.log.locator(".bubble")).to_have_text(before)
    expect(chat.choices).to_have_count(4)
    expect(chat.field).to_have_value("Perhaps a kit")
    assert db.session.query(ChatSession).count() == 1


def test_a_second_tab_stays_in_step(new_context: Callable[..., BrowserContext], demo: str) -> None:
    context = new_context()
    first, second = context.new_page(), context.new_page()
    first.goto(f"{demo}/widget/demo")
    here = Chat(first).greeted()
    second.goto(f"{demo}/widget/demo")
    there = Chat(second).greeted()
    here.say("Ann Lee")
    expect(there.choices).to_have_count(4)
    there.choose("Bathroom")
    expect(here.mine).to_have_text(["Ann Lee", "Bathroom"])
    expect(here.log.locator(".bubble")).to_have_text(lines(there))
    assert db.session.query(ChatSession).count() == 1


def test_what_is_sent_offline_is_stored_and_answered_once_when_online(
    new_context: Callable[..., BrowserContext], demo: str
) -> None:
    context = new_context()
    page = context.new_page()
    page.goto(f"{demo}/demo")
    chat = open_widget(page)
    context.set_offline(True)
    chat.field.fill("Ann Lee")
    chat.field.press("Enter")
    expect(chat.state).to_contain_text("Not sent yet")
    expect(chat.state.get_by_role("button")).to_have_text("Send again")
    answers = chat.theirs.count()
    context.set_offline(False)
    expect(chat.theirs).to_have_count(answers + 1)
    expect(chat.state).to_have_count(0)
    stored = db.session.scalars(select(Message).order_by(Message.id)).all()
    assert [m.text for m in stored if m.role == "visitor"] == ["Ann Lee"]
    assert len(stored) == answers + 2


def test_an_answer_lost_on_the_way_is_fetched_again_and_not_doubled(page: Page, demo: str) -> None:
    page.goto(f"{demo}/widget/demo")
    chat = Chat(page).greeted()
    lost: list[str] = []

    def lose_the_first(route: Route) -> None:
        if lost or route.request.method != "POST":
            route.continue_()
            return
        lost.append(route.fetch().text())
        route.abort()

    page.route(MESSAGES, lose_the_first)
    chat.say("Ann Lee")
    assert lost
    assert lines(chat).count("Ann Lee") == 1
    texts = db.session.scalars(select(Message.text).order_by(Message.id)).all()
    assert list(texts) == lines(chat)


def test_unsent_messages_outlive_a_reload_and_go_out_in_order(page: Page, demo: str) -> None:
    page.goto(f"{demo}/widget/demo")
    chat = Chat(page).greeted()
    # So far off that only a person's "Send again" can be what sends them.
    later = {"status": 429, "headers": {"Retry-After": "600"}, "json": {"status": 429}}
    page.route(MESSAGES, lambda route: route.fulfill(**later))
    for text in ("first", "second", "third"):
        chat.field.fill(text)
        chat.field.press("Enter")
    expect(chat.state).to_have_count(3)
    page.reload()
    expect(chat.mine).to_have_text(["first", "second", "third"])
    expect(chat.state).to_have_count(3)
    page.unroute(MESSAGES)
    chat.where.get_by_role("button", name="Send again").first.click()
    expect(chat.state).to_have_count(0)
    query = select(Message.text).where(Message.role == "visitor").order_by(Message.id)
    for _ in range(100):  # what is just being sent has no state for a moment
        stored = db.session.scalars(query).all()
        db.session.rollback()
        if len(stored) == 3:
            break
        page.wait_for_timeout(50)
    assert stored == ["first", "second", "third"]


@pytest.mark.parametrize(
    ("status", "errors", "sentence"),
    [
        (422, {"text": ["Please remove the smoke signals."]}, "Please remove the smoke signals."),
        (413, None, "This is too large. Please send less."),
    ],
)
def test_a_refused_message_comes_back_to_be_changed(
    page: Page, demo: str, status: int, errors: object, sentence: str
) -> None:
    page.goto(f"{demo}/widget/demo")
    chat = Chat(page).greeted()
    body = {"status": status, "detail": sentence, **({"errors": errors} if errors else {})}
    page.route(MESSAGES, lambda route: route.fulfill(status=status, json=body))
    chat.field.fill("one\ntwo") if chat.field.evaluate(
        "field => field.tagName"
    ) == "TEXTAREA" else chat.field.fill("one")
    text = chat.field.input_value()
    chat.field.press("Enter")
    expect(page.locator("#hint")).to_have_text(sentence)
    expect(chat.field).to_have_value(text)
    expect(chat.mine).to_have_count(0)


def test_a_busy_server_is_asked_again_when_it_says_so(page: Page, demo: str) -> None:
    page.goto(f"{demo}/widget/demo")
    chat = Chat(page).greeted()
    tries: list[int] = []

    def busy_once(route: Route) -> None:
        tries.append(1)
        if len(tries) > 1 or route.request.method != "POST":
            route.continue_()
            return
        route.fulfill(status=429, headers={"Retry-After": "1"}, json={"status": 429})

    page.route(MESSAGES, busy_once)
    chat.say("Ann Lee")
    assert len(tries) == 2


def test_an_ended_session_gives_a_new_one_and_keeps_what_was_typed(page: Page, demo: str) -> None:
    page.goto(f"{demo}/widget/demo")
    chat = Chat(page).greeted()
    db.session.query(Message).delete()
    db.session.query(ChatSession).delete()
    db.session.commit()
    chat.field.fill("Ann Lee")
    chat.field.press("Enter")
    expect(chat.where.locator(".line.note")).to_contain_text("earlier chat has ended")
    expect(chat.choices).to_have_count(4)
    expect(chat.mine).to_have_text(["Ann Lee"])


@pytest.mark.parametrize(
    "text",
    [
        "<script>window.hacked = 1</script><img src=x onerror='window.hacked = 1'>",
        "Grüße 👩‍👩‍👧‍👦🏳️‍🌈 & “quotes” </p>",
        "שלום, אני צריך מטבח חדש",
    ],
)
def test_text_is_stored_and_shown_exactly(page: Page, demo: str, text: str) -> None:
    page.goto(f"{demo}/widget/demo")
    chat = Chat(page).greeted()
    chat.say(text)
    expect(chat.mine).to_have_text([text])
    assert lines(chat)[-2] == text
    assert page.evaluate("window.hacked") is None
    assert chat.mine.locator("*").count() == 0
    page.reload()
    expect(chat.mine).to_have_text([text])
    stored = db.session.scalars(select(Message.text).where(Message.role == "visitor")).one()
    assert stored == text
    if "שלום" in text:
        assert chat.mine.evaluate("bubble => getComputedStyle(bubble).direction") == "rtl"


def test_start_over_asks_and_begins_a_new_session(page: Page, demo: str) -> None:
    page.goto(f"{demo}/demo")
    chat = open_widget(page)
    chat.say("Ann Lee")
    chat.where.get_by_role("button", name="Start over").click()
    chat.where.get_by_role("button", name="Keep this chat").click()
    expect(chat.mine).to_have_count(1)
    chat.where.get_by_role("button", name="Start over").click()
    chat.where.get_by_role("button", name="Start a new chat").click()
    expect(chat.mine).to_have_count(0)
    expect(chat.theirs.first).to_be_visible()
    expect(chat.choices).to_have_count(0)
    visitors = db.session.scalars(select(ChatSession.visitor_id)).all()
    assert len(visitors) == 2
    assert len(set(visitors)) == 1
    assert chat_frame(page)
