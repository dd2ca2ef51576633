"""A site's assistant is tried out on its page, and nothing of it is stored."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from app.assistants.base import AssistantError, Call, Reply, Usage
from app.chat.outside import TRIAL
from app.core.db import db
from app.core.gate import Gate
from app.models import Site
from app.models.assistant_settings import AssistantSettings
from app.models.transcript import Answer, Draft, Input
from tests.assistants.stand import Stand
from tests.web.assistant_page import (
    PAGE,
    ai,
    ask,
    form_of,
    rows,
    send,
    site,
    stand,
    told,
)
from tests.web.pages import said
from tests.web.signed_in import csrf_token

__all__ = ["site", "stand"]
pytestmark = pytest.mark.usefixtures("database")


def test_a_site_can_be_tried_before_anything_is_saved(
    admin: FlaskClient, site: Site, stand: Stand
) -> None:
    stand.parts = ["We ", "do <kitchens>."]
    stand.use = Usage(1200, 80)
    answer = ask(admin, "I am Ann, ann@example.com", assistant="openai", price_in="1")
    assert answer.status_code == 200
    assert '<p class="bubble" dir="auto">We do &lt;kitchens&gt;.</p>' in answer.text
    assert "1,200 tokens read, 80 written, $0.002" in answer.text
    assert "First word after" in answer.text
    assert "ann@example.com" in answer.text
    assert told(answer)["lines"] == [
        {"role": "assistant", "text": "We do <kitchens>.", "field": None}
    ]
    assert told(answer)["draft"]["answers"]["email"] == ["ann@example.com"]
    assert ai() == AssistantSettings()
    assert rows() == [0, 0, 0, 0]


def test_a_trial_waits_for_its_site_like_a_visitor(
    admin: FlaskClient, site: Site, stand: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Gate(1)
    monkeypatch.setattr("app.web.dashboard.sites.assistant.long_requests", gate)
    with gate.enter("another site"):
        answer = ask(admin, "Hello", assistant="openai")
    assert answer.status_code == 503
    assert "We&#39;re busy right now. Please try again shortly." in answer.text
    assert not stand.seen
    assert ask(admin, "Hello", assistant="openai").status_code == 200
    assert gate.held == 0


def test_the_conversation_is_what_the_browser_holds(
    admin: FlaskClient, site: Site, stand: Stand
) -> None:
    page = admin.get(PAGE)
    lines = [
        {"role": "assistant", "text": "Name?", "field": "name"},
        {"role": "visitor", "text": "Ann"},
    ]
    draft = Draft({"email": Answer("ann@", is_valid=False)}, asking="name", read_through=1)
    settings = {**form_of(page), "assistant": "openai"}
    send(admin, csrf_token(page), settings, lines, draft.to_json())
    (seen,) = stand.seen
    assert [(line.id, line.role, line.text, line.field) for line in seen.lines] == [
        (1, "assistant", "Name?", "name"),
        (2, "visitor", "Ann", None),
    ]
    assert seen.lines[0].at < seen.lines[1].at
    assert seen.draft == draft


def test_a_workflow_hears_of_one_conversation_in_a_whole_trial(
    admin: FlaskClient, site: Site, stand: Stand
) -> None:
    page = admin.get(PAGE)
    settings, token = {**form_of(page), "assistant": "openai"}, csrf_token(page)
    begun = told(send(admin, token, settings, []))["conversation"]
    for words in ("Hi", "Are you there?"):
        lines = [{"role": "visitor", "text": words}]
        answer = send(admin, token, settings, lines, conversation=begun)
        assert told(answer)["conversation"] == begun
    assert [seen.session_id for seen in stand.seen] == [f"{TRIAL}{begun}"] * 2


def test_a_new_trial_begins_with_the_greeting(admin: FlaskClient, site: Site, stand: Stand) -> None:
    answer = ask(admin, assistant="openai")
    assert told(answer)["lines"] == [{"role": "assistant", "text": "Hello!", "field": None}]
    page = admin.get(PAGE)
    assert [line["field"] for line in told(page)["lines"]] == [None, "name"]
    assert told(page)["draft"]["asking"] == "name"


def test_choices_can_be_pressed(admin: FlaskClient, site: Site) -> None:
    page = admin.get(PAGE)
    lines = [*told(page)["lines"], {"role": "visitor", "text": "Ann Lee"}]
    answer = send(admin, csrf_token(page), form_of(page), lines, told(page)["draft"])
    assert 'data-say="Kitchen"' in answer.text


def test_calls_are_shown_with_what_they_were_told(
    admin: FlaskClient, site: Site, stand: Stand
) -> None:
    calls = (Call("save_details", '{"email": "<ann>"}', "email: not an address"),)
    stand.parts = ["Hm.", Reply("Hm.", Input(), Draft(), calls=calls)]
    answer = ask(admin, "Hi", assistant="openai")
    assert "1 call" in said(answer)
    assert "save_details" in answer.text
    assert "{&#34;email&#34;: &#34;&lt;ann&gt;&#34;}" in answer.text
    assert "email: not an address" in answer.text


def test_a_booking_is_said(admin: FlaskClient, site: Site, stand: Stand) -> None:
    stand.parts = ["We call you within 24 hours."]
    assert "makes the booking" in ask(admin, "Hi", assistant="openai").text
    stand.parts = ["Booked."]
    assert "makes the booking" not in ask(admin, "Hi", assistant="openai").text
    stand.confirms = True
    assert "makes the booking" in ask(admin, "Hi", assistant="openai").text


def test_what_was_understood_is_listed_with_what_is_not_valid(
    admin: FlaskClient, site: Site, stand: Stand
) -> None:
    draft = Draft(
        {"email": Answer("ann@", is_valid=False), "service": Answer("Kitchen")}, consent="given"
    )
    stand.parts = [Reply("Fine.", Input(), draft)]
    words = said(ask(admin, "Hi", assistant="openai"))
    assert "E-mail ann@ as typed, not valid" in words
    assert "Service Kitchen" in words
    assert "Agreed yes" in words


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("too_slow", "The model did not begin to answer within 11 seconds."),
        ("too_long", "The model did not finish its answer within 22 seconds."),
        ("unreachable", "The model could not be reached."),
        ("refused", "The model refused our key or password."),
        ("not_for_people", "something a visitor should not see"),
        ("bug", "went wrong on our side"),
    ],
)
def test_a_failure_is_said_in_plain_words(
    admin: FlaskClient, site: Site, stand: Stand, kind: Any, words: str
) -> None:
    stand.parts = ["Well", AssistantError(kind, "status 500")]
    answer = ask(admin, "Hi", assistant="openai", first_word_seconds="11", answer_seconds="22")
    assert answer.status_code == 200
    assert words in said(answer)
    assert "our own questions instead" in said(answer)
    assert "bubble" not in answer.text
    assert told(answer)["lines"] == []
    assert rows() == [0, 0, 0, 0]


def test_what_is_not_set_up_says_what_is_missing(
    admin: FlaskClient, site: Site, stand: Stand
) -> None:
    stand.is_ready = False
    assert "OPENAI_API_KEY" in ask(admin, "Hi", assistant="openai").text
    assert "N8N_CHAT_URL" in ask(admin, "Hi", assistant="n8n").text


def test_a_days_cap_holds_for_trials_too(admin: FlaskClient, site: Site, stand: Stand) -> None:
    assert "bubble" in ask(admin, "Hi", assistant="openai", day_turns="1").text
    answer = ask(admin, "Hi", assistant="openai", day_turns="1")
    assert "1 a day are allowed" in said(answer)
    assert len(stand.seen) == 1


def test_wrong_settings_are_said_instead_of_an_answer(
    admin: FlaskClient, site: Site, stand: Stand
) -> None:
    answer = ask(admin, "Hi", assistant="openai", day_turns="many")
    assert answer.status_code == 422
    assert "Day turns: Use a whole number" in said(answer)
    assert stand.seen == []


@pytest.mark.parametrize(
    ("lines", "draft"),
    [
        ([{"role": "visitor", "text": "Hi"}] * 81, {}),
        ([{"role": "visitor", "text": "x" * 6001}], {}),
        ([{"role": "visitor", "text": " "}], {}),
        ([{"role": "system", "text": "Hi"}], {}),
        ([{"role": "visitor"}], {}),
        ("Hi", {}),
        ([{"role": "visitor", "text": "Hi"}], {"answers": {"name": "Ann"}}),
        ([{"role": "visitor", "text": "Hi"}], {"answers": {"name": [1]}}),
        ([{"role": "visitor", "text": "Hi"}], {"answers": []}),
        ([{"role": "visitor", "text": "Hi"}], {"read_through": "1"}),
        ([{"role": "visitor", "text": "Hi"}], {"consent": "maybe"}),
        ([{"role": "visitor", "text": "Hi"}], {"other": 1}),
    ],
)
def test_a_trial_that_cannot_be_is_refused(
    admin: FlaskClient, site: Site, stand: Stand, lines: Any, draft: Any
) -> None:
    page = admin.get(PAGE)
    settings = {**form_of(page), "assistant": "openai"}
    assert send(admin, csrf_token(page), settings, lines, draft).status_code == 422
    assert stand.seen == []


def test_no_connection_is_held_while_somebody_thinks(
    admin: FlaskClient, site: Site, stand: Stand
) -> None:
    held: list[int] = []
    pool: Any = db.engine.pool
    free = pool.checkedout()
    stand.before_part = lambda: held.append(pool.checkedout() - free)
    ask(admin, "Hi", assistant="openai")
    assert held == [0]
