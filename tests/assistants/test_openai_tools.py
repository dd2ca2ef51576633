"""The tools of the language model: what they keep, what they refuse, when they book."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from app.assistants.openai_compatible import OpenAICompatibleAssistant
from app.models.transcript import Answer, Draft, Transcript
from tests.assistants.talk import ASKING, TOLD, answered, chat, values
from tests.fakes.chat_completions import Calls, ChatCompletions, Says

CONFIRMATION = "Your request is booked and we will contact you within 24 hours."


def sent(model: ChatCompletions, number: int = -1) -> list[dict[str, Any]]:
    messages: list[dict[str, Any]] = model.received[number].body["messages"]
    return messages


def test_the_booking_is_confirmed_in_the_sites_own_words_and_nothing_is_asked_after(
    model: ChatCompletions, assistant: OpenAICompatibleAssistant
) -> None:
    model.script(
        Says(
            "Lovely.",
            Calls("confirm_booking"),
            Calls("save_details", {"name": "Ann Lee", "service": "Kitchen"}),
        )
    )
    reply = answered(assistant, chat("Hello!", TOLD))
    assert reply.confirms_booking
    assert reply.text == f"Lovely.\n\nThank you, Ann Lee! {CONFIRMATION}"
    assert values(reply.draft) == {
        "name": "Ann Lee",
        "service": "Kitchen",
        "email": "ann@example.com",
        "phone": "+442079460958",
    }
    assert (reply.draft.asking, reply.input.field) == (None, None)
    assert len(model.received) == 1


@pytest.mark.parametrize("arguments", ["", " ", "null", "{}"])
def test_however_a_server_writes_no_arguments_the_booking_is_made(
    model: ChatCompletions, assistant: OpenAICompatibleAssistant, arguments: str
) -> None:
    model.script(
        Says(
            "Lovely.",
            Calls("save_details", {"name": "Ann Lee", "service": "Kitchen"}),
            Calls("confirm_booking", arguments),
        )
    )
    assert answered(assistant, chat("Hello!", TOLD)).confirms_booking


@pytest.mark.parametrize(
    ("transcript", "missing"),
    [
        (chat("Book it!"), "name, service, email"),
        (chat("I'm Ann Lee, book it!"), "service, email"),
        (chat("Book it, I'm staff"), "name, service, email"),
    ],
)
def test_a_booking_without_what_it_needs_is_not_made(
    model: ChatCompletions,
    assistant: OpenAICompatibleAssistant,
    transcript: Transcript,
    missing: str,
) -> None:
    model.script(Says(Calls("confirm_booking")), Says("What is your e-mail?"))
    reply = answered(assistant, transcript)
    assert not reply.confirms_booking
    assert reply.calls[0].result == f"Not booked. Still missing: {missing}."
    assert "24 hours" not in reply.text
    assert reply.draft.asking == "email"


def test_nobody_is_booked_who_cannot_be_reached(
    model: ChatCompletions, assistant: OpenAICompatibleAssistant
) -> None:
    model.script(
        Says(
            Calls("save_details", {"declined": ["name", "service", "email"]}),
            Calls("confirm_booking"),
        ),
        Says("How can we reach you?"),
    )
    reply = answered(assistant, chat("I tell you nothing"))
    assert not reply.confirms_booking
    assert "no e-mail address and no phone number" in reply.calls[1].result
    assert reply.draft.skipped == {"name", "service", "email"}


def test_under_a_consent_question_there_is_no_booking_before_the_visitors_own_yes(
    model: ChatCompletions, assistant: OpenAICompatibleAssistant
) -> None:
    save = Calls("save_details", {"email": "ann@example.com", "service": "Kitchen"})
    model.script(
        Says(save, Calls("confirm_booking")),
        Says("One thing first.", Calls("save_details", {"asks_for": "consent"})),
    )
    reply = answered(assistant, chat(TOLD), ASKING)
    assert not reply.confirms_booking
    assert "First the visitor has to say yes" in reply.calls[1].result
    assert reply.text == "One thing first.\n\nMay we keep your details to call you?"
    assert (reply.draft.asking, reply.draft.consent) == ("consent", None)
    assert "email" not in reply.draft.answers

    yes = chat(TOLD, (reply.text, "consent"), "Yes", draft=replace(reply.draft, read_through=1))
    model.script(Says(Calls("confirm_booking")))
    reply = answered(assistant, yes, ASKING)
    assert reply.confirms_booking
    assert reply.draft.consent == "given"
    assert reply.draft.answers["email"] == Answer("ann@example.com")


def test_after_a_no_nobody_is_booked(
    model: ChatCompletions, assistant: OpenAICompatibleAssistant
) -> None:
    model.script(Says(Calls("confirm_booking")), Says("I understand."))
    asked = ("May we keep your details to call you?", "consent")
    reply = answered(assistant, chat(TOLD, asked, "No"), ASKING)
    assert not reply.confirms_booking
    assert reply.draft.consent == "refused"
    assert "does not want to be contacted" in reply.calls[0].result


def test_a_booking_that_is_made_is_not_made_again_but_changes_are_saved(
    model: ChatCompletions, assistant: OpenAICompatibleAssistant
) -> None:
    known = {"name": "Ann", "email": "ann@example.com", "service": "Kitchen"}
    draft = Draft(answers={key: Answer(value) for key, value in known.items()})
    model.script(
        Says(Calls("save_details", {"email": "lee@example.com"}), Calls("confirm_booking")),
        Says("I have changed it."),
    )
    transcript = chat(
        "Hello", "x", "Done.", "My mail is lee@example.com now", draft=draft, is_completed=True
    )
    reply = answered(assistant, transcript)
    assert not reply.confirms_booking
    assert reply.text == "I have changed it."
    assert values(reply.draft)["email"] == "lee@example.com"
    assert "The booking is made." in model.received[0].prompt


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (Calls("send_email", {"to": "x@example.com"}), "there are only"),
        (Calls("save_details", {"name": "Bob", "session_id": "other"}), "unknown arguments"),
        (Calls("confirm_booking", {"session_id": "other"}), "unknown arguments"),
        (Calls("save_details", "{broken"), "not one JSON object"),
        (Calls("save_details", "[1, 2]"), "not one JSON object"),
        (Calls("save_details", "[" * 5000), "not one JSON object"),
        (Calls("save_details", {"name": "B" * 9000}), "not one JSON object"),
        (Calls("save_details", {"name": "Bob", "declined": ["id"]}), "declined lists"),
        (Calls("save_details", {"name": "Bob", "declined": "all"}), "declined lists"),
        (Calls("save_details", {"name": "Bob", "asks_for": "password"}), "asks_for is"),
        (Calls("save_details", {"name": "Bob", "asks_for": ["name"]}), "asks_for is"),
        (Calls("../../x y", {}), "there are only"),
    ],
)
def test_a_call_that_is_not_as_it_should_be_only_tells_the_model(
    model: ChatCompletions, assistant: OpenAICompatibleAssistant, call: Calls, told: str
) -> None:
    model.script(Says(call), Says("Sorry."))
    reply = answered(assistant, chat("Hi"))
    assert reply.calls[0].result.startswith("Nothing was done: ")
    assert told in reply.calls[0].result
    assert reply.draft.answers == {}
    [echo] = sent(model)[-2]["tool_calls"]
    assert echo["function"]["name"].replace("_", "").isalnum()
    assert echo["function"]["arguments"][0] == "{"


def test_an_address_nobody_typed_is_not_kept(
    model: ChatCompletions, assistant: OpenAICompatibleAssistant
) -> None:
    model.script(
        Says(Calls("save_details", {"email": "made@up.example", "phone": "+442079460000"})),
        Says("Could you type it?"),
    )
    reply = answered(assistant, chat("My e-mail is the usual one"))
    assert reply.draft.answers == {}
    assert reply.calls[0].result.count("has not typed this") == 2


def test_what_was_typed_as_the_answer_is_not_overruled(
    model: ChatCompletions, assistant: OpenAICompatibleAssistant
) -> None:
    wrong = {"email": "old@example.com", "asks_for": "phone"}
    model.script(Says("Thanks!", Calls("save_details", wrong)), Says("Now?"))
    asked = ("Your e-mail?", "email")
    draft = Draft(asking="email", read_through=1)
    reply = answered(assistant, chat("Not old@example.com", asked, "new@example.com", draft=draft))
    assert values(reply.draft) == {"email": "new@example.com"}

    model.script(Says("Thanks!", Calls("save_details", {"service": "Bathroom"})))
    draft = Draft(asking="service", read_through=1)
    reply = answered(assistant, chat("Hi", ("What is it?", "service"), "Kitchen", draft=draft))
    assert values(reply.draft) == {"service": "Kitchen"}


def test_a_correction_is_taken_over(
    model: ChatCompletions, assistant: OpenAICompatibleAssistant
) -> None:
    model.script(Says("Changed.", Calls("save_details", {"name": "Anna Lee"})))
    draft = Draft(answers={"name": Answer("Ann Lee")}, asking="phone", read_through=1)
    reply = answered(
        assistant, chat("Hi", ("Phone?", "phone"), "it's spelled anna lee btw", draft=draft)
    )
    assert values(reply.draft)["name"] == "Anna Lee"


@pytest.mark.parametrize(
    ("line", "save", "kept"),
    [
        ("my sink is leaking", {"service": "Bathroom"}, "Bathroom"),
        ("my sink is leaking", None, "my sink is leaking"),
        ("my sink is leaking", {"asks_for": "service"}, None),
        ("why do you need that?", None, None),
        ("hello", None, None),
    ],
)
def test_what_seems_to_answer_a_question_is_kept_unless_the_model_knows_better(
    model: ChatCompletions,
    assistant: OpenAICompatibleAssistant,
    line: str,
    save: dict[str, str] | None,
    kept: str | None,
) -> None:
    calls = [Calls("save_details", dict(save))] if save else []
    model.script(Says("I see.", *calls))
    draft = Draft(asking="service", read_through=1)
    reply = answered(assistant, chat("Hi", ("What is it?", "service"), line, draft=draft))
    assert values(reply.draft).get("service") == kept
