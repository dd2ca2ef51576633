"""The widget, answered by the AI agent of the shipped workflow: in Chromium, and with fields."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.browser.chat import lines, open_widget
from tests.fakes.chat_completions import Calls, Says
from tests.n8n import talk
from tests.n8n.conftest import until
from tests.n8n.house import IS_READ, LINES, House

PATIENCE_MS = 30_000
PAUSE_SECONDS = 3.0


def test_a_visitor_talks_with_the_agent_until_the_lead_is_with_n8n(
    taken: House, page: Page
) -> None:
    page.set_default_timeout(PATIENCE_MS)
    taken.model.otherwise = talk.answer
    taken.model.received.clear()
    page.goto(f"{taken.url}/demo?utm_source=newsletter")
    chat = open_widget(page)

    taken.model.script(
        Says(Calls("Opening_hours", {"input": "today"})),
        Says("We are open ", PAUSE_SECONDS, f"{talk.HOURS}. ", "What is your name?"),
    )
    chat.field.fill("Hi, when are you open?")
    chat.field.press("Enter")
    expect(chat.theirs.last).to_contain_text("We are open", timeout=PATIENCE_MS)
    assert "What is your name?" not in lines(chat)[-1], "the words come as they are said"
    expect(chat.theirs.last).to_contain_text(f"We are open {talk.HOURS}. What is your name?")
    expect(chat.log).to_have_attribute("aria-busy", "false")
    taken.show("the agent's words are on the visitor's screen before it has said them all")

    asked, told = taken.model.received
    assert "Harbour & Oak" in asked.prompt
    assert "newsletter" in asked.prompt
    assert told.body["messages"][-1]["role"] == "tool"
    assert "9:00 to 17:00" in str(told.body["messages"][-1]["content"])
    taken.show("the agent knows site and campaign, calls its tool and tells what it says")

    for words, answer in (
        ("My name is Ann Lee", "Which e-mail address"),
        ("ann.lee@example.com", talk.PROMISE),
    ):
        expect(chat.field).to_be_visible(timeout=PATIENCE_MS)
        chat.field.fill(words)
        chat.field.press("Enter")
        expect(chat.theirs.last).to_contain_text(answer, timeout=PATIENCE_MS)
    said = lines(chat)
    assert not any("{" in line or "nodeId" in line for line in said)

    taken.taker.wait_for(1, within_seconds=60)
    until(
        lambda: taken.query("SELECT count(*) FROM deliveries WHERE status <> 'delivered'") == [(0,)]
    )
    [lead] = [request.event for request in taken.taker.received]
    assert (lead["event"], lead["name"], lead["email"]) == (
        "lead.completed",
        "Ann Lee",
        "ann.lee@example.com",
    )
    told_on = [line.split(": ", 1)[1] for line in lead["conversation"].splitlines()]
    assert told_on == said
    taken.show("the chat completes, and its lead is delivered to the lead intake, once")


def test_an_answer_with_fields_is_understood_and_its_memory_not_doubled(taken: House) -> None:
    def says(output: str, **more: object) -> Says:
        return Says(Calls("format_final_json_response", {"output": {"output": output, **more}}))

    taken.model.script(
        says("Happy to help. Which e-mail address?", lead={"name": "Bo Li"}, asks_for="email"),
        says(f"Noted. {talk.PROMISE}"),
    )
    chat = taken.chat("structured")
    chat.say("It's Bo, Bo Li, about my kitchen")
    assert chat.seen[-1] == ("assistant", "Happy to help. Which e-mail address?")
    assert chat.input["type"] == "email"
    chat.say("bo.li@example.com")
    assert chat.seen[-1] == ("assistant", f"Noted. {talk.PROMISE}")
    assert chat.is_completed

    taken.taker.wait_for(1, within_seconds=60)
    lead = taken.taker.received[0].event
    assert (lead["name"], lead["email"]) == ("Bo Li", "bo.li@example.com")
    until(lambda: taken.query(IS_READ) == [(True,)])
    assert taken.query(LINES, chat.session_id, chat.session_id) == chat.seen
    taken.show("an answer with fields, behind a password, is understood, no line doubled")
