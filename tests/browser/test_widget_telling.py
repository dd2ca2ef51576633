"""What the visitor sees of an answer: as it comes, when it breaks off, however it looks."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, CDPSession, Frame, Page, expect
from sqlalchemy import select

from app.core import clock
from app.core.db import db, transaction
from app.models import ChatSession, Message
from tests.browser.chat import Chat
from tests.browser.telling import Line, Teller, ask, chat, line, opened, teller

__all__ = ["chat", "line", "teller"]

NewContext = Callable[..., BrowserContext]
Axe = Callable[[Page | Frame], list[str]]
LOST = "One moment, the connection was lost."


def stored_answers() -> list[str]:
    query = select(Message.text).where(Message.role == "assistant").order_by(Message.id)
    return list(db.session.scalars(query))


def test_words_are_shown_as_they_come_in_one_bubble(chat: Chat, teller: Teller) -> None:
    answer = ask(chat)
    teller.say("Of")
    expect(answer).to_have_text("Of")
    expect(chat.log).to_have_attribute("aria-busy", "true")
    expect(chat.where.locator("#typing")).to_be_hidden()
    answer.evaluate("bubble => { bubble.wasHere = true }")
    teller.say(" course", ".\n• one", "\n• two")
    expect(answer).to_have_text("Of course.\n• one\n• two", use_inner_text=True)
    teller.end("Of course.\n• one\n• two\n\nAnything else?")
    expect(chat.log).to_have_attribute("aria-busy", "false")
    expect(answer).to_have_text("Of course.\n• one\n• two\n\nAnything else?", use_inner_text=True)
    assert answer.evaluate("bubble => bubble.wasHere")
    assert chat.theirs.count() == len(stored_answers())


def test_another_answer_takes_the_place_of_what_was_streamed(chat: Chat, teller: Teller) -> None:
    answer = ask(chat)
    teller.say("Let me look that")
    expect(answer).to_have_text("Let me look that")
    answer.evaluate("bubble => { bubble.wasHere = true }")
    teller.end("What is your name?")
    expect(answer).to_have_text("What is your name?")
    assert answer.evaluate("bubble => bubble.wasHere")
    assert chat.theirs.count() == len(stored_answers())


def test_a_reply_that_breaks_off_stays_until_it_is_told_again(
    chat: Chat, line: Line, teller: Teller
) -> None:
    answer = ask(chat)
    teller.say("Our kitchens start at £12,0")
    expect(answer).to_have_text("Our kitchens start at £12,0")
    answer.evaluate("bubble => { bubble.wasHere = true; window.seen = [] }")
    chat.log.evaluate(
        """log => new MutationObserver(() => {
          const shown = [...log.querySelectorAll(".them .bubble")].at(-1).textContent;
          window.seen.push(`${log.getAttribute("aria-busy")} ${shown}`);
        }).observe(log, { subtree: true, childList: true, characterData: true })"""
    )
    line.cut()
    expect(answer).to_have_text("Our kitchens start at…")
    expect(chat.state).to_have_text([LOST])
    expect(chat.log).to_have_attribute("aria-busy", "true")
    teller.end("Our kitchens start at £12,000.")
    expect(answer).to_have_text("Our kitchens start at £12,000.")
    expect(chat.state).to_have_count(0)
    expect(chat.log).to_have_attribute("aria-busy", "false")
    assert answer.evaluate("bubble => bubble.wasHere")
    # Never empty in between, and not announced before it was whole.
    seen = answer.evaluate("() => window.seen")
    assert set(seen) == {"true Our kitchens start at…", "false Our kitchens start at £12,000."}
    assert stored_answers().count("Our kitchens start at £12,000.") == 1
    assert chat.theirs.count() == len(stored_answers())
    assert teller.asked == 1
    chat.log.page.reload()
    expect(chat.theirs).to_have_count(len(stored_answers()))


def test_a_reply_lost_before_its_first_word_leaves_nothing_behind(
    chat: Chat, line: Line, teller: Teller
) -> None:
    answer = ask(chat)
    expect(chat.where.locator("#typing")).to_be_visible()
    line.cut()
    expect(chat.where.locator("#typing")).to_be_hidden()
    expect(chat.state).to_have_count(0)
    teller.end("Here I am.")
    expect(answer).to_have_text("Here I am.")
    assert chat.theirs.count() == len(stored_answers())


def test_a_question_stands_once_in_every_tab_while_it_is_being_answered(
    chat: Chat, line: Line, teller: Teller
) -> None:
    ask(chat)
    teller.say("Our kitchens")
    page = chat.log.page
    page.reload()
    tab = page.context.new_page()
    tab.goto(f"{line.address}/widget/demo")
    chats = [chat, Chat(tab)]
    for each in chats:
        expect(each.mine).to_have_text(["Can you help?"])
        expect(each.state).to_have_count(0)
    teller.end("Our kitchens start at £12,000.")
    for each in chats:
        expect(each.theirs.last).to_have_text("Our kitchens start at £12,000.")
        expect(each.mine).to_have_text(["Can you help?"])
        expect(each.state).to_have_count(0)
    assert teller.asked == 1


def test_who_reads_further_up_is_left_there(chat: Chat, teller: Teller) -> None:
    answer = ask(chat)
    teller.say(*(f"Line {number}\n" for number in range(60)))
    expect(answer).to_contain_text("Line 59")
    assert below(chat) < 5
    scroller = chat.where.locator("#scroller")
    scroller.focus()
    for _ in range(2):  # within reach of the end, by keyboard
        scroller.press("ArrowUp")
    chat.log.page.wait_for_timeout(400)
    place = scroller.evaluate("element => element.scrollTop")
    teller.say(*(f"More {number}\n" for number in range(20)))
    expect(answer).to_contain_text("More 19")
    assert scroller.evaluate("element => element.scrollTop") == place
    assert below(chat) > 100
    scroller.press("End")
    chat.log.page.wait_for_timeout(400)
    teller.say("\n\n\n\n\n\nThe end")
    expect(answer).to_contain_text("The end")
    assert below(chat) < 5
    teller.end("Over.")


def below(chat: Chat) -> int:
    return int(
        chat.where.locator("#scroller").evaluate(
            "element => element.scrollHeight - element.scrollTop - element.clientHeight"
        )
    )


def test_a_long_thread_is_not_drawn_again_for_each_word(
    page: Page, line: Line, chat: Chat, teller: Teller
) -> None:
    with transaction() as session:
        session_id = session.scalars(select(ChatSession.id)).one()
        for number in range(200):
            role = "visitor" if number % 2 else "assistant"
            words = f"Message {number}, as long as most of them are."
            session.add(
                Message(session_id=session_id, role=role, text=words, created_at=clock.now())
            )
    page.reload()
    expect(chat.log.locator(".bubble").filter(has_text="Message")).to_have_count(200)
    answer = ask(chat)
    teller.say("Well")
    expect(answer).to_have_text("Well")
    page.evaluate(
        """() => {
          const touched = window.touched = new Set();
          const log = document.getElementById("log");
          new MutationObserver((records) => records.forEach(({ target }) => {
            const line = target.parentElement.closest(".line");
            if (line) touched.add([...log.children].indexOf(line));
          })).observe(log, {
            subtree: true, childList: true, characterData: true, attributes: true,
          });
        }"""
    )
    cost = page.context.new_cdp_session(page)
    cost.send("Performance.enable")
    before = _task_seconds(cost)
    teller.say(*(f" word{number}" for number in range(500)))
    expect(answer).to_contain_text("word499")
    print(f"\n500 pieces below 200 messages: {1000 * (_task_seconds(cost) - before):.0f} ms")
    assert page.evaluate("[...touched]") == [chat.log.locator(".line").count() - 1]
    teller.end("Over.")
    expect(answer).to_have_text("Over.")


def _task_seconds(cost: CDPSession) -> float:
    metrics = cost.send("Performance.getMetrics")["metrics"]
    return float(next(each["value"] for each in metrics if each["name"] == "TaskDuration"))


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1440])
def test_axe_finds_nothing_in_lists_links_and_broken_answers(
    new_context: NewContext, line: Line, teller: Teller, axe: Axe, theme: str, width: int
) -> None:
    size = {"width": width, "height": 780}
    page = new_context(color_scheme=theme, reduced_motion="reduce", viewport=size).new_page()
    chat = opened(page, line)
    answer = ask(chat, "What does a kitchen cost?\nAnd what is in it?")
    teller.end(
        "Kitchens start at £12,000. That is:\n• units and worktops\n  • oak or painted\n"
        "• fitting, in two weeks\n1. We measure\n2. You choose\n\nWhat | From\nUnits | £7,000\n\n"
        "Our prices (https://good.example/prices), or <b>call</b> https://evil.example/now."
        " \u05e9\u05dc\u05d5\u05dd https://good.example/he"
    )
    expect(answer.locator("a")).to_have_count(2)
    answer = ask(chat, "And a bathroom?")
    teller.say("Bathrooms are something we do a lot of, from £8,5")
    expect(answer).to_contain_text("£8,5")
    line.cut()
    expect(chat.state).to_have_text([LOST])
    assert axe(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    teller.end("Bathrooms are from £8,500.")
    expect(chat.state).to_have_count(0)
    assert axe(page) == []
