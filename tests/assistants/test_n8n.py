"""A workflow of N8n answers: what it is told, what is learnt from it, and how it fails."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from app.assistants import registry
from app.assistants.base import AssistantError, Reply
from app.assistants.n8n import N8nAssistant
from app.assistants.registry import ASSISTANTS
from app.core import networks
from app.core.crypto import configure_sealing, seal
from app.models.assistant_settings import AssistantSettings
from app.models.site_profile import Consent, Field, SiteProfile
from app.models.transcript import Answer, Choice, Draft, Line, Transcript
from config import Settings
from tests.fakes.n8n_chat import Workflow, running_workflow
from tests.fakes.n8n_protocol import FAILURES, HALF, Script, item, round_of, streamed, whole

NOW = datetime(2026, 3, 1, tzinfo=UTC)
SESSION = "8d7f6a0e-0000-4000-8000-000000000000"
SITE = SiteProfile(
    "harbour",
    "Harbour & Oak",
    "n8n",
    greeting="Welcome!",
    fields=(
        Field("service", "Which room?", "choice", choices=(Choice("k", "Kitchen"),)),
        Field("email", "Your e-mail?", "email"),
        Field("budget", "Your budget?", required=False),
    ),
    ai=AssistantSettings(first_word_seconds=1, answer_seconds=2),
)


@pytest.fixture
def n8n() -> Iterator[Workflow]:
    with running_workflow() as workflow:
        yield workflow


@pytest.fixture
def inner_networks() -> Iterator[None]:
    """This machine may be typed, too."""
    configure_sealing(["key"])
    networks.configure(("127.0.0.0/8",))
    yield
    networks.configure(())


def transcript(*lines: str, **more: Any) -> Transcript:
    said = tuple(Line(at, "visitor", words, NOW) for at, words in enumerate(lines, start=1))
    return Transcript(SESSION, said, **{"draft": Draft(asking="email"), **more})


def asked(
    assistant: N8nAssistant, to: Transcript, site: SiteProfile = SITE
) -> tuple[list[str], Reply]:
    """The pieces that were said, and the reply."""
    *pieces, reply = assistant.reply(to, site)
    assert isinstance(reply, Reply)
    assert "".join(map(str, pieces)) == reply.text
    return [str(piece) for piece in pieces], reply


def test_n8n_answers_the_newest_line_and_the_draft_knows_them_all(n8n: Workflow) -> None:
    n8n.then.append(Script((*round_of("Let me look. "), *round_of("Of ", "course."))))
    pieces, reply = asked(N8nAssistant(n8n.url), transcript("I am at ann@example.com", "Ok?"))
    assert reply.text == "Let me look. \n\nOf course."
    assert pieces[0] == "Let me look. "
    assert (reply.input.type, reply.input.required) == ("text", False)
    assert reply.draft.answers["email"].value == "ann@example.com"
    assert (reply.draft.read_through, reply.draft.asking) == (2, None)
    assert not reply.confirms_booking
    assert (n8n.requests[0]["chatInput"], n8n.requests[0]["sessionId"]) == ("Ok?", SESSION)


def test_n8n_is_told_of_the_site_the_page_and_what_is_known(n8n: Workflow) -> None:
    attribution = {
        "landing_url": "https://example.com/?utm_source=ads",
        "referrer": "https://search.example/",
        "utm_source": "ads",
        "gclid": None,
    }
    known = Draft(
        {"name": Answer("Ann"), "email": Answer("ann@", is_valid=False)}, frozenset({"budget"})
    )
    to = transcript("Hi", draft=known, page_title="Kitchens", attribution=attribution)
    asked(N8nAssistant(n8n.url), to)
    told = n8n.requests[0]["metadata"]
    assert told["site"] == {"key": "harbour", "name": "Harbour & Oak"}
    assert told["page"] == {
        "url": "https://example.com/?utm_source=ads",
        "title": "Kitchens",
        "referrer": "https://search.example/",
    }
    assert told["attribution"] == {"utm_source": "ads"}
    assert told["lead"] == {"name": "Ann", "missing": ["service", "email"]}
    assert told["fields"][0] == {
        "key": "service",
        "question": "Which room?",
        "required": True,
        "choices": ["Kitchen"],
    }


def test_what_the_visitor_has_just_said_is_known_already(n8n: Workflow) -> None:
    asked(N8nAssistant(n8n.url), transcript("It is ann@example.com"))
    lead = n8n.requests[0]["metadata"]["lead"]
    assert lead == {"email": "ann@example.com", "missing": ["service", "budget"]}


def test_lead_fields_are_taken_over_like_a_visitors_own_input(n8n: Workflow) -> None:
    lead = {
        "name": "Ann Lee",
        "email": " ANN@Example.com",
        "service": "kitchen",
        "phone": "not a phone",
        "rights": "admin",
        "budget": None,
    }
    n8n.then.append(whole({"output": "Noted.", "lead": lead}))
    _, reply = asked(N8nAssistant(n8n.url), transcript("Hi"))
    values = {key: answer.value for key, answer in reply.draft.answers.items()}
    assert values == {"name": "Ann Lee", "email": "ANN@example.com", "service": "k"}


def test_without_the_visitors_consent_no_contact_detail_is_kept(n8n: Workflow) -> None:
    site = replace(SITE, consent=Consent("question", "May we write to you?"))
    n8n.then.append(
        whole({"output": "Noted.", "lead": {"name": "Ann", "email": "ann@example.com"}})
    )
    _, reply = asked(N8nAssistant(n8n.url), transcript("Hi"), site)
    assert set(reply.draft.answers) == {"name"}


def test_what_it_asks_for_decides_what_the_visitor_may_type(n8n: Workflow) -> None:
    n8n.then.append(whole({"output": "Where can we write to?", "asks_for": "email"}))
    _, reply = asked(N8nAssistant(n8n.url), transcript("Hi", draft=Draft()))
    assert (reply.input.type, reply.input.field, reply.draft.asking) == ("email", "email", "email")


def test_pieces_come_before_the_end(n8n: Workflow) -> None:
    n8n.then.append(Script((*HALF, "hang")))
    parts = N8nAssistant(n8n.url).reply(transcript("Hi"), SITE)
    assert next(parts) == "Our kitch"


@pytest.mark.parametrize("way", FAILURES)
def test_whatever_fails_is_told_apart_within_the_sites_limits(n8n: Workflow, way: str) -> None:
    kind, n8n.always = FAILURES[way]
    begun = time.monotonic()
    with pytest.raises(AssistantError) as caught:
        list(N8nAssistant(n8n.url).reply(transcript("I am ann@example.com"), SITE))
    assert caught.value.kind == kind
    assert time.monotonic() - begun < SITE.ai.answer_seconds + 1
    for secret in ("secret-key", "ann", "Our kitch", "<html"):
        assert secret not in str(caught.value)


def test_nobody_there_is_told_apart() -> None:
    with pytest.raises(AssistantError) as caught:
        list(N8nAssistant("http://127.0.0.1:1/chat").reply(transcript("Hi"), SITE))
    assert str(caught.value) == "unreachable: refused"


def test_the_lower_of_both_limits_holds(n8n: Workflow) -> None:
    n8n.always = Script((item("Hi"), "hang"))
    begun = time.monotonic()
    site = replace(SITE, ai=AssistantSettings(first_word_seconds=20, answer_seconds=20))
    with pytest.raises(AssistantError) as caught:
        list(N8nAssistant(n8n.url, timeout_seconds=0.3).reply(transcript("Hi"), site))
    assert caught.value.kind == "too_long"
    assert time.monotonic() - begun < 5


def test_without_an_address_it_is_not_set_up() -> None:
    assistant = N8nAssistant()
    assert not assistant.is_set_up(SITE)
    with pytest.raises(AssistantError) as caught:
        list(assistant.reply(transcript("Hi"), SITE))
    assert caught.value.kind == "not_set_up"


def test_the_greeting_asks_nothing_of_its_own(n8n: Workflow) -> None:
    (greeting,) = N8nAssistant(n8n.url).opening(SITE)
    assert (greeting.text, greeting.draft) == ("Welcome!", Draft())
    assert not n8n.requests


def test_the_settings_of_the_environment_are_taken(n8n: Workflow) -> None:
    before = N8nAssistant()
    assistant = ASSISTANTS["n8n"]
    assert isinstance(assistant, N8nAssistant)
    kept = (assistant.url, assistant.header, assistant.timeout_seconds)
    settings = Settings(
        secret_keys=("key",),
        n8n_chat_url=n8n.url,
        n8n_chat_timeout_seconds=7,
        n8n_auth_header_name="X-Env",
        n8n_auth_header_value="env secret",
    )
    try:
        registry.configure(settings)
        asked(assistant, transcript("Hi"))
        assert assistant.timeout_seconds == 7
    finally:
        assistant.url, assistant.header, assistant.timeout_seconds = kept
    assert n8n.headers[0]["x-env"] == "env secret"
    assert before.timeout_seconds == 30


def site_with(**ai: Any) -> SiteProfile:
    return replace(SITE, ai=AssistantSettings(first_word_seconds=1, answer_seconds=2, **ai))


@pytest.mark.usefixtures("inner_networks")
def test_the_sites_own_address_is_asked_with_its_own_secret_only(n8n: Workflow) -> None:
    with running_workflow() as own:
        assistant = N8nAssistant(n8n.url, ("X-Env", "env secret"))
        sealed = seal("own secret")
        asked(assistant, transcript("Hi"), site_with(chat_url=own.url))
        asked(
            assistant,
            transcript("Hi"),
            site_with(chat_url=own.url, chat_header_name="X-Own", chat_header_sealed=sealed),
        )
        assert ("x-env" in own.headers[0], "x-own" in own.headers[0]) == (False, False)
        assert "x-env" not in own.headers[1]
        assert own.headers[1]["x-own"] == "own secret"
    assert not n8n.requests


@pytest.mark.usefixtures("inner_networks")
def test_the_sites_secret_is_not_shown_to_the_common_address(n8n: Workflow) -> None:
    site = site_with(chat_header_name="X-Own", chat_header_sealed=seal("own secret"))
    asked(N8nAssistant(n8n.url, ("X-Env", "env secret")), transcript("Hi"), site)
    assert n8n.headers[0]["x-env"] == "env secret"
    assert "x-own" not in n8n.headers[0]


@pytest.mark.usefixtures("inner_networks")
def test_a_user_name_and_a_password_may_stand_in_the_address(n8n: Workflow) -> None:
    url = n8n.url.replace("http://", "http://ann:p%40ss@")
    asked(N8nAssistant(), transcript("Hi"), site_with(chat_url=url))
    asked(N8nAssistant(url), transcript("Hi"))
    sealed = seal("Basic YW5uOnBAc3M=")
    site = site_with(chat_url=n8n.url, chat_header_name="Authorization", chat_header_sealed=sealed)
    asked(N8nAssistant(), transcript("Hi"), site)
    assert [each["authorization"] for each in n8n.headers] == ["Basic YW5uOnBAc3M="] * 3


@pytest.mark.usefixtures("inner_networks")
def test_a_secret_nobody_can_open_any_more_is_not_left_out(n8n: Workflow) -> None:
    sealed = seal("own secret")
    configure_sealing(["another key"])
    site = site_with(chat_url=n8n.url, chat_header_name="X-Own", chat_header_sealed=sealed)
    assert not N8nAssistant(n8n.url).is_set_up(site)


def test_a_typed_address_leads_to_no_inner_network(n8n: Workflow) -> None:
    with pytest.raises(AssistantError) as caught:
        list(N8nAssistant().reply(transcript("Hi"), site_with(chat_url=n8n.url)))
    assert str(caught.value) == "unreachable: forbidden"
    assert not n8n.requests


def test_streamed_data_is_never_shown_in_pieces(n8n: Workflow) -> None:
    n8n.then.append(streamed('{"output": ', '"Your e-mail?", ', '"asks_for": "email"}'))
    pieces, reply = asked(N8nAssistant(n8n.url), transcript("Hi", draft=Draft()))
    assert pieces == ["Your e-mail?"]
    assert reply.input.field == "email"
