"""The page of a site's assistant in a real browser: settings as they are needed, and a trial."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from app.assistants.base import AssistantError, Call, Reply, Usage
from app.assistants.openai_compatible import OpenAICompatibleAssistant
from app.assistants.registry import ASSISTANTS
from app.chat.assistant_state import day_of
from app.core import clock, events
from app.core.db import transaction
from app.models import AssistantDay, AssistantHealth, Site
from app.models.transcript import Answer, Draft, Input
from tests.assistants.stand import Stand
from tests.browser.screens import assert_fine
from tests.browser.test_dashboard import (
    Axe,
    NewContext,
    dashboard,
)
from tests.factories import make_site
from tests.fakes.chat_completions import Calls, Says, running_chat_completions

__all__ = ["dashboard"]
Dashboard = Callable[..., Page]
PAGE = "/sites/harbour/assistant"


@pytest.fixture
def stand(monkeypatch: pytest.MonkeyPatch) -> Stand:
    stand = Stand("We fit kitchens from May on. What is your name?")
    stand.use = Usage(1240, 36)
    monkeypatch.setitem(ASSISTANTS, "openai", stand)
    return stand


def fill(assistant: str = "scripted") -> Site:
    with transaction() as session:
        site: Site = make_site(session, key="harbour", assistant=assistant)
        values = {"turns": 41, "answered": 38, "failed": {"too_slow": 2, "broken": 1}}
        values |= {"first_word_ms": 38 * 620, "whole_ms": 38 * 2400, "tokens": 96_000}
        for days_ago in range(6):
            day = day_of(site.profile(), clock.now()) - timedelta(days=days_ago)
            session.add(
                AssistantDay(
                    site_id=site.id, day=day, assistant="openai", cost_micros=412_000, **values
                )
            )
    return site


def rest(site: Site) -> None:
    with transaction() as session:
        session.add(
            AssistantHealth(
                site_id=site.id,
                assistant="openai",
                failures=3,
                last_kind="too_slow",
                failing_since=clock.now() - timedelta(minutes=12),
                last_failed_at=clock.now(),
                resting_until=clock.now() + timedelta(seconds=30),
            )
        )
        events.announce(session, "sites", site.id)


def say(page: Page, words: str) -> None:
    page.get_by_label("Your message, as a visitor").fill(words)
    page.get_by_role("button", name="Send").click()


def test_no_barrier_and_no_sideways_scroll(
    dashboard: Dashboard, server: str, axe: Axe, stand: Stand
) -> None:
    site = fill()
    page = dashboard(PAGE)
    assert_fine(page, axe, page.url)
    page.get_by_label("Your N8n workflow").check()
    page.get_by_label("How it knows us").select_option("By a header")
    assert_fine(page, axe, page.url)
    page.get_by_label("How it knows us").select_option("It asks for nothing")
    page.get_by_label("A language model").check()
    page.get_by_text("More settings").click()
    stand.parts = [
        Reply(
            "We call you within 24 hours, " + "x" * 120,
            Input(),
            Draft({"email": Answer("ann@", is_valid=False), "name": Answer("Ann " * 30)}),
            calls=(Call("save_details", '{"email": "' + "y" * 200 + '"}', "email: not one"),),
        )
    ]
    say(page, "Hello " + "z" * 200)
    expect(page.get_by_text("This makes the booking")).to_be_visible()
    page.get_by_text("1 call").click()
    stand.parts = [AssistantError("too_slow", "no first word")]
    say(page, "Hello?")
    expect(page.get_by_text("did not begin to answer within 20 seconds")).to_be_visible()
    assert_fine(page, axe, page.url)
    page.get_by_label("Whole answer after at most").fill("soon")
    page.get_by_label("Price of what it reads").fill("cheap")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Nothing was saved yet.")).to_be_visible()
    expect(page.get_by_label("Price of what it reads")).to_have_value("cheap")
    assert_fine(page, axe, page.url)
    page.get_by_label("Whole answer after at most").fill("20")
    page.get_by_label("Price of what it reads").fill("1")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("The settings are saved.")).to_be_visible()
    rest(site)
    expect(page.get_by_text("Our own questions stand in")).to_be_visible()
    for path in (PAGE, "/sites", "/sites/harbour"):
        page.goto(server + path)
        assert_fine(page, axe, page.url)


def test_only_the_settings_of_the_chosen_assistant_are_shown(dashboard: Dashboard) -> None:
    fill()
    page = dashboard(PAGE)
    business, address = (
        page.get_by_label("Your business", exact=True),
        page.get_by_label("Address of the chat"),
    )
    expect(business).to_be_hidden()
    expect(address).to_be_hidden()
    page.get_by_label("Your N8n workflow").check()
    expect(address).to_be_visible()
    expect(business).to_be_hidden()
    expect(page.get_by_label("User name")).to_be_hidden()
    page.get_by_label("How it knows us").select_option("By user name and password")
    expect(page.get_by_label("User name")).to_be_visible()
    page.get_by_label("A language model").check()
    expect(business).to_be_visible()
    expect(address).to_be_hidden()


def test_a_wrong_setting_is_seen_whoever_is_chosen(dashboard: Dashboard) -> None:
    fill()
    page = dashboard(PAGE)
    page.get_by_label("Your N8n workflow").check()
    page.get_by_label("Address of the chat").fill("nowhere")
    page.get_by_label("Our own questions").check()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_label("Address of the chat")).to_have_value("nowhere")
    expect(page.get_by_text("Please give a whole address")).to_be_visible()


def test_a_conversation_is_tried_with_what_is_typed_and_not_saved(
    dashboard: Dashboard, stand: Stand
) -> None:
    fill()
    page = dashboard(PAGE)
    page.get_by_label("A language model").check()
    page.get_by_label("Your business", exact=True).fill("We fit kitchens.")
    log = page.get_by_role("log")
    expect(log).to_contain_text("Hello!")
    say(page, "Do you fit <b>kitchens</b>? I am at ann@example.com")
    expect(log).to_contain_text("We fit kitchens from May on.")
    expect(log).to_contain_text("<b>kitchens</b>")
    expect(log).to_contain_text("1,240 tokens read, 36 written")
    known = page.locator("[data-known]")
    expect(known).to_contain_text("ann@example.com")
    stand.parts = ["Thank you, Ann."]
    message = page.get_by_label("Your message, as a visitor")
    message.fill("Ann")
    message.press("Enter")
    expect(log).to_contain_text("Thank you, Ann.")
    expect(message).to_be_focused()
    seen = stand.seen[-1]
    assert [line.role for line in seen.lines] == ["assistant", "visitor"] * 2
    assert seen.lines[-1].text == "Ann"
    assert seen.draft.answers["email"].value == "ann@example.com"
    page.get_by_role("button", name="Start again").click()
    expect(log).not_to_contain_text("Thank you, Ann.")
    expect(known).to_contain_text("Nothing yet.")
    say(page, "Hi")
    expect(log).to_contain_text("Thank you, Ann.")
    assert [line.role for line in stand.seen[-1].lines] == ["assistant", "visitor"]
    assert page.evaluate("window.wasNotReloaded")


def test_a_real_language_models_answer_calls_and_silence_are_shown(
    dashboard: Dashboard, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill()
    page = dashboard(PAGE)
    page.get_by_label("A language model").check()
    page.get_by_label("Model", exact=True).fill("played-here")
    page.get_by_label("Your business", exact=True).fill("We fit kitchens.")
    log, known = page.get_by_role("log"), page.locator("[data-known]")
    with running_chat_completions() as model:
        assistant = OpenAICompatibleAssistant()
        assistant.url = model.url
        monkeypatch.setitem(ASSISTANTS, "openai", assistant)
        told = {"name": "Ann Lee", "service": "Kitchen", "email": "ann@example.com"}
        model.script(Says(Calls("save_details", told)), Says("**Nice** to meet you."))
        say(page, "I am Ann Lee, ann@example.com, about my kitchen")
        expect(log).to_contain_text("Nice to meet you.")
        expect(known).to_contain_text("Ann Lee")
        page.get_by_text("1 call").click()
        expect(log.locator("code")).to_have_text("save_details")
        page.get_by_text("What the model is told beforehand").click()
        expect(known).to_contain_text("We fit kitchens.")
        assert "We fit kitchens." in model.received[0].prompt
        assert model.received[0].body["model"] == "played-here"
        model.script(Says(Calls("confirm_booking")))
        say(page, "Yes, please book")
        expect(page.get_by_text("This makes the booking")).to_be_visible()
        page.get_by_label("First word after at most").fill("1")
        model.script(Says(30.0, "Too late."))
        say(page, "Are you there?")
        expect(log).to_contain_text("The model did not begin to answer within 1 second.")
        model.script(Says(status=401, body=b'{"error": {"message": "bad key sk-123"}}'))
        say(page, "Hello?")
        expect(log).to_contain_text("The model refused our key or password.")
        expect(log).not_to_contain_text("sk-123")


def test_what_was_not_answered_can_be_sent_once_more(dashboard: Dashboard, stand: Stand) -> None:
    fill("openai")
    page = dashboard(PAGE)
    stand.parts = [AssistantError("unreachable")]
    say(page, "Do you fit kitchens?")
    expect(page.get_by_text("The model could not be reached.")).to_be_visible()
    message = page.get_by_label("Your message, as a visitor")
    expect(message).to_have_value("Do you fit kitchens?")
    stand.parts = ["We do."]
    message.press("Enter")
    expect(page.get_by_text("We do.")).to_be_visible()
    assert [line.role for line in stand.seen[-1].lines] == ["assistant", "visitor"]
    page.context.set_offline(True)
    say(page, "And baths?")
    expect(page.get_by_text("We could not reach the server.")).to_be_visible()
    expect(message).to_have_value("And baths?")
    page.context.set_offline(False)
    page.get_by_label("A day may cost").fill("none")
    message.press("Enter")
    expect(page.get_by_text("These settings cannot be used yet.")).to_be_visible()


def test_our_own_questions_can_be_tried_by_their_buttons(dashboard: Dashboard) -> None:
    fill()
    page = dashboard(PAGE)
    log = page.get_by_role("log")
    expect(log).to_contain_text("What is your name?")
    say(page, "Ann Lee")
    page.get_by_role("button", name="Kitchen").click()
    expect(page.get_by_role("button", name="Kitchen")).to_have_count(0)
    say(page, "ann@example.com")
    expect(log).to_contain_text("phone")
    say(page, "no")
    expect(page.get_by_text("This makes the booking")).to_be_visible()
    expect(page.locator("[data-known]")).to_contain_text("Kitchen")


def test_settings_are_saved_without_javascript(
    new_context: NewContext, dashboard: Dashboard
) -> None:
    fill()
    page = dashboard(PAGE)
    plain = new_context(java_script_enabled=False).new_page()
    plain.context.add_cookies(page.context.cookies())  # type: ignore[arg-type]
    plain.goto(page.url)
    expect(plain.get_by_label("Your message, as a visitor")).to_be_hidden()
    expect(plain.get_by_text("needs JavaScript")).to_be_visible()
    plain.get_by_label("Your N8n workflow").check()
    plain.get_by_label("Address of the chat").fill("https://n8n.example.com/webhook/1/chat")
    plain.get_by_role("button", name="Save").click()
    expect(plain.get_by_text("The settings are saved.")).to_be_visible()
    expect(plain.get_by_label("Address of the chat")).to_be_visible()


def test_a_rest_is_said_on_pages_that_are_open_and_so_is_its_end(
    dashboard: Dashboard, stand: Stand
) -> None:
    site = fill("openai")
    pages = [dashboard("/sites"), dashboard("/sessions")]
    rest(site)
    for page in pages:
        expect(page.get_by_role("alert")).to_contain_text(
            "Harbour & Oak is answered with our own questions."
        )
    expect(pages[0].get_by_text("Failing, began 12 min ago")).to_be_visible()
    with transaction() as session:
        session.delete(session.get_one(AssistantHealth, (site.id, "openai")))
        events.announce(session, "sites", site.id)
    for page in pages:
        expect(page.get_by_role("alert")).to_have_count(0)
    expect(pages[0].get_by_text("Failing")).to_have_count(0)
    assert all(page.evaluate("window.wasNotReloaded") for page in pages)
