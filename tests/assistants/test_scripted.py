"""The scripted assistant beyond what the written dialogues say."""

from __future__ import annotations

import timeit
from dataclasses import replace

import pytest

from app.assistants.base import Reply
from app.assistants.registry import ASSISTANTS, assistant_for
from app.assistants.scripted import ScriptedAssistant
from app.assistants.scripted_words import confirmation
from app.models.site_profile import Consent, Field, SiteProfile
from app.models.transcript import Draft, Transcript
from tests.dialogues.dialogue import Conversation, site_for

ASSISTANT = ScriptedAssistant()
SITE = site_for({})


def talk(*texts: str, site: SiteProfile = SITE) -> Conversation:
    conversation = Conversation(ASSISTANT, site)
    for text in texts:
        conversation.visitor_says(text)
    return conversation


def last(conversation: Conversation) -> str:
    return conversation.lines[-1].text


def test_the_opening_greets_and_asks_the_first_question() -> None:
    greeting, question = ASSISTANT.opening(SITE)
    assert greeting.text == SITE.greeting
    assert question.text == "What is your name?"
    assert question.input.to_json() == {
        "type": "text",
        "field": "name",
        "placeholder": "Your name",
        "required": True,
    }
    assert question.draft == Draft(asking="name")


def test_a_site_that_asks_nothing_is_greeted_only() -> None:
    (greeting,) = ASSISTANT.opening(SiteProfile("bare", "Bare"))
    assert greeting.text == "Hello and welcome!"
    assert greeting.input.field is None


def test_the_first_thing_asked_may_be_consent() -> None:
    site = replace(
        SITE, fields=(Field("email", "E-mail?", "email"),), consent=Consent("question", "May we?")
    )
    question = ASSISTANT.opening(site)[-1]
    assert (question.text, question.input.field) == ("May we?", "consent")
    assert [choice.label for choice in question.input.choices] == ["Yes", "No"]


def test_text_comes_in_pieces_that_make_up_the_reply() -> None:
    conversation = talk("Ann")
    conversation.visitor_writes("Are you a robot?")
    transcript = Transcript("s", tuple(conversation.lines), conversation.draft)
    *pieces, reply = ASSISTANT.reply(transcript, SITE)
    assert isinstance(reply, Reply)
    assert len(pieces) > 3
    assert "".join(str(piece) for piece in pieces) == reply.text


def test_several_unanswered_lines_are_answered_once() -> None:
    conversation = Conversation(ASSISTANT, SITE)
    for text in ("Hi", "Ann", "sorry, Anna", "kitchen", "anna@example.com"):
        conversation.visitor_writes(text)
    conversation.assistant_answers()
    draft = conversation.draft
    assert {key: answer.value for key, answer in draft.answers.items()} == {
        "name": "Anna",
        "service": "Kitchen",
        "email": "anna@example.com",
    }
    assert draft.read_through == conversation.lines[-2].id
    assert conversation.input.field == "phone"


def test_the_same_transcript_gives_the_same_reply() -> None:
    conversation = talk("Ann")
    conversation.visitor_writes("kichen")
    transcript = Transcript("s", tuple(conversation.lines), conversation.draft)
    assert list(ASSISTANT.reply(transcript, SITE)) == list(ASSISTANT.reply(transcript, SITE))


def test_nothing_new_to_read_puts_the_question_again() -> None:
    conversation = talk("Ann")
    before = conversation.draft
    assert conversation.assistant_answers() == "What can we help you with?"
    assert conversation.draft == before


def test_consent_under_a_line_has_the_time_of_the_first_contact_detail() -> None:
    conversation = talk("Ann", "Kitchen", "ann@example.com", "020 7946 0958")
    line = next(one for one in conversation.lines if one.text == "ann@example.com")
    assert conversation.draft.consent == "given"
    assert conversation.draft.consent_at == line.at.isoformat()


@pytest.mark.parametrize(
    ("text", "phrases", "expected"),
    [
        ("Thanks {name}, see you WITHIN 24  hours.", ("within 24 hours",), None),
        (
            "Booked, {name}!",
            ("within 24 hours",),
            "Booked, Ann! We will contact you within 24 hours.",
        ),
        ("Bye {name}.", ("your booking is made",), "Bye Ann. Your booking is made."),
        ("", ("within two days",), None),
        ("No rebookings.", ("booking",), "No rebookings. Booking."),
    ],
)
def test_a_confirmation_always_holds_a_phrase(
    text: str, phrases: tuple[str, ...], expected: str | None
) -> None:
    said = confirmation(replace(SITE, confirmation=text, phrases=phrases), "Ann")
    assert expected in (said, None)
    assert phrases[0] in " ".join(said.casefold().split())


def test_a_confirmation_without_a_name_reads_well() -> None:
    said = confirmation(replace(SITE, confirmation="Thank you, {name}! Within 24 hours."), None)
    assert said == "Thank you! Within 24 hours."


def test_braces_in_a_name_stay_braces() -> None:
    assert "{value}" in last(talk("Ann", "my name is {value}"))


def test_a_sites_own_sentences_are_used() -> None:
    site = replace(SITE, flow={"hello": "Moin!"})
    assert last(talk("Hi", site=site)) == "Moin! What is your name?"


@pytest.mark.parametrize("text", ["<script>alert(1)</script>", "<b>Ann</b>"])
def test_markup_is_text(text: str) -> None:
    conversation = talk("Ann", text)
    assert conversation.draft.answers["service"].value == text
    assert "<" not in last(conversation)


def test_a_booking_that_was_completed_elsewhere_is_not_confirmed_again() -> None:
    conversation = talk("Ann", "Kitchen", "ann@example.com")
    conversation.is_completed = True
    assert "within 24 hours" not in conversation.visitor_says("no thanks")


def test_a_greeting_with_the_phrase_is_no_confirmation() -> None:
    site = replace(SITE, greeting="Hello! We answer within 24 hours.")
    conversation = talk("Ann", "Kitchen", "ann@example.com", site=site)
    assert "within 24 hours" in conversation.visitor_says("skip")


def test_an_open_question_takes_a_question_for_an_answer() -> None:
    site = replace(SITE, fields=(Field("message", "What can we do?"), *SITE.fields[2:]))
    conversation = talk("Can you fix my roof?", site=site)
    assert conversation.draft.answers["message"].value == "Can you fix my roof?"
    assert conversation.input.field == "email"


def test_two_hundred_conversations_in_turn_do_not_mix() -> None:
    conversations = [Conversation(ASSISTANT, SITE) for _ in range(200)]
    steps = ("Ann{}", "Kitchen", "ann{}@example.com", "skip")
    for step in steps:
        for number, conversation in enumerate(conversations):
            conversation.visitor_says(step.replace("{}", str(number)))
    for number, conversation in enumerate(conversations):
        assert conversation.is_completed
        assert conversation.draft.answers["name"].value == f"Ann{number}"
        assert conversation.draft.answers["email"].value == f"ann{number}@example.com"


def test_a_turn_is_fast() -> None:
    conversation = talk("Ann", "Kitchen")
    conversation.visitor_writes("actually it's ann@example.com, or call 020 7946 0958")
    transcript = Transcript("s", tuple(conversation.lines), conversation.draft)
    runs = timeit.repeat(lambda: list(ASSISTANT.reply(transcript, SITE)), number=50, repeat=5)
    assert min(runs) / 50 < 0.003


def test_an_unknown_assistant_is_the_scripted_one() -> None:
    assert assistant_for(SITE) is ASSISTANTS["scripted"]
    assert assistant_for(replace(SITE, assistant="nobody")) is ASSISTANTS["scripted"]
