"""What an assistant that talks freely asks a visitor for, as it says or as its words show."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from app.assistants.free_talk import opening, reply_of
from app.models.site_profile import Consent, SiteProfile
from app.models.transcript import Answer, Draft, Line, Transcript
from tests.dialogues.dialogue import FIELD_SETS, site_for

SITE = replace(site_for({}), fields=(*FIELD_SETS["demo"], FIELD_SETS["company_date"][2]))
ASKING = replace(SITE, consent=Consent("question", "May we keep your details to call you?"))
TRANSCRIPT = Transcript("s", (Line(1, "visitor", "Hi", datetime.now(UTC)),))


def asked(
    text: str, *, by: str | None = None, draft: Draft | None = None, site: SiteProfile = SITE
) -> str | None:
    reply = reply_of(text, TRANSCRIPT, draft or Draft(), site, asks_for=by)
    assert reply.input.field == reply.draft.asking
    return reply.draft.asking


def test_it_greets_and_asks_nothing() -> None:
    [reply] = opening(replace(SITE, greeting=" Welcome! "))
    assert (reply.text, reply.input.type, reply.draft) == ("Welcome!", "text", Draft())


def test_what_it_says_it_asks_for_stands() -> None:
    reply = reply_of("Which one?", TRANSCRIPT, Draft(), SITE, asks_for="service")
    assert reply.input.type == "choice"
    assert len(reply.input.choices) == 4
    assert asked("Hm.", by="name") == "name"
    assert asked("Hm.", by="nonsense") is None


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("Great. And what is your name?", "name"),
        ("Thanks! Could you give me your e-mail address?", "email"),
        ("What's the best phone number to reach you on?", "phone"),
        ("Is it about the kitchen, the bathroom or the whole house?", "service"),
        ("When would suit you best?", "date"),
        ("What is your name? And your e-mail?", None),
        ("What is your name and e-mail?", None),
        ("What is your name? Then we go on.", None),
        ("We are open at nine.", None),
        ("How are you today?", None),
    ],
)
def test_its_words_show_what_it_asks_for(text: str, field: str | None) -> None:
    assert asked(text) == field


def test_a_long_text_without_a_full_stop_holds_nobody_up() -> None:
    begun = time.process_time()
    assert asked(" and then a kitchen" * 2_000 + ", and what is your name?") == "name"
    assert asked(" and then a kitchen" * 2_000) is None
    assert time.process_time() - begun < 2  # many times as long where it is searched over again


def test_what_is_known_is_not_taken_for_asked() -> None:
    known = Draft(answers={"name": Answer("Ann")}, skipped=frozenset({"phone"}))
    assert asked("So your name is Ann?", draft=known) is None
    assert asked("Any phone number?", draft=known) is None


def test_nobody_agrees_to_other_words_than_the_sites() -> None:
    assert asked("Can we store everything?", by="consent", site=ASKING) is None
    text = "Fine. May we keep your details to call you?"
    assert asked(text, by="consent", site=ASKING) == "consent"
    assert asked(text, site=ASKING) == "consent"
    assert asked(text, by="consent", site=SITE) is None
    assert asked(text, by="consent", site=ASKING, draft=Draft(consent="given")) is None


def test_contact_details_are_not_asked_for_before_the_yes() -> None:
    assert asked("What is your e-mail?", by="email", site=ASKING) is None
    assert asked("What is your e-mail?", site=ASKING, draft=Draft(consent="given")) == "email"


def test_a_booking_asks_for_nothing() -> None:
    reply = reply_of(
        "Booked. Your name?", TRANSCRIPT, Draft(), SITE, asks_for="name", confirms_booking=True
    )
    assert reply.draft.asking is None
    assert reply.confirms_booking
    assert reply.input.field is None


def test_how_often_it_asked_is_counted_for_the_same_field_only() -> None:
    before = replace(TRANSCRIPT, draft=Draft(asking="name", attempts=1))
    again = reply_of("Your name?", before, before.draft, SITE, asks_for="name")
    other = reply_of("Your e-mail?", before, before.draft, SITE, asks_for="email")
    assert (again.draft.attempts, other.draft.attempts) == (1, 0)
