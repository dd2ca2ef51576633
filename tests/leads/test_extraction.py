"""From a transcript to a draft, whoever answered the visitor."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from app.leads.extraction import extract
from app.models.site_profile import Consent, Field, SiteProfile
from app.models.transcript import Answer, Draft, Line, Transcript

STARTED = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
SITE = SiteProfile(
    key="demo",
    name="Demo",
    fields=(
        Field("name", "Your name?"),
        Field("email", "Your e-mail?", "email"),
        Field("phone", "Your phone?", "phone", required=False),
        Field("message", "What for?", required=False),
    ),
    consent=Consent("line"),
)
ASKING = replace(SITE, consent=Consent("question"))


def chat(*said: tuple[str, str] | tuple[str, str, str], draft: Draft | None = None) -> Transcript:
    """Lines as (role, text) or (role, text, field asked for)."""
    lines = tuple(
        Line(i, one[0], one[1], STARTED + timedelta(minutes=i), *one[2:])  # type: ignore[arg-type]
        for i, one in enumerate(said, 1)
    )
    return Transcript("s", lines, draft or Draft())


def values(draft: Draft) -> dict[str, str]:
    return {key: answer.value for key, answer in draft.answers.items()}


def test_details_are_found_in_free_talk() -> None:
    draft = extract(
        chat(
            ("assistant", "How can I help?"),
            ("visitor", "Hi, I'm Ann Lee and I need a roof"),
            ("assistant", "How do we reach you?"),
            ("visitor", "ann@Example.com or 020 7946 0958"),
        ),
        SITE,
    )
    assert values(draft) == {
        "name": "Ann Lee",
        "email": "ann@example.com",
        "phone": "+442079460958",
    }
    assert draft.read_through == 4
    assert (draft.consent, draft.consent_at) == ("given", "2026-03-02T09:04:00+00:00")


def test_a_typed_field_is_read_as_what_was_asked_for() -> None:
    draft = extract(
        chat(
            ("assistant", "Your name?", "name"),
            ("visitor", "ann"),
            ("assistant", "Your e-mail?", "email"),
            ("visitor", "ann@example"),
            ("assistant", "What for?", "message"),
            ("visitor", "A roof,  a wall 😊"),
        ),
        SITE,
    )
    assert draft.answers == {
        "name": Answer("Ann"),
        "email": Answer("ann@example", is_valid=False),
        "message": Answer("A roof, a wall 😊"),
    }


def test_a_correction_replaces_and_a_mention_does_not() -> None:
    lines = [("assistant", "Your e-mail?", "email"), ("visitor", "ann@example.com")]
    mention = chat(*lines, ("visitor", "my colleague is bob@example.com"))
    correction = chat(*lines, ("visitor", "sorry, actually it's anna@example.com"))
    assert values(extract(mention, SITE))["email"] == "ann@example.com"
    assert values(extract(correction, SITE))["email"] == "anna@example.com"


def test_lines_that_are_in_the_draft_are_not_read_again() -> None:
    draft = Draft(answers={"email": Answer("new@example.com")}, read_through=1)
    again = extract(chat(("visitor", "old@example.com"), draft=draft), SITE)
    assert again == draft


def test_what_assistants_and_agents_write_is_not_the_visitors() -> None:
    draft = extract(
        chat(("assistant", "I'm Max, max@example.com"), ("agent", "Call 020 7946 0958")), SITE
    )
    assert draft.answers == {}


def test_without_consent_no_contact_detail_is_kept() -> None:
    transcript = chat(
        ("visitor", "I'm Ann, ann@example.com"),
        ("assistant", "Your phone?", "phone"),
        ("visitor", "020 7946 0958"),
        ("assistant", "What for?", "message"),
        ("visitor", "A roof, mail ann@example.com"),
    )
    draft = extract(transcript, ASKING)
    assert draft.consent is None
    assert values(draft) == {"name": "Ann", "message": "A roof"}


def test_consent_brings_in_what_was_said_before_it() -> None:
    lines = (("visitor", "I'm Ann, ann@example.com"), ("assistant", "May we?", "consent"))
    given = extract(chat(*lines, ("visitor", "yes, sure")), ASKING)
    assert (given.consent, values(given)["email"]) == ("given", "ann@example.com")
    refused = extract(chat(*lines, ("visitor", "No"), ("visitor", "bob@example.com")), ASKING)
    assert (refused.consent, values(refused)) == ("refused", {"name": "Ann"})


def test_a_site_without_fields_still_gets_contact_details() -> None:
    draft = extract(chat(("visitor", "ann@example.com")), SiteProfile("bare", "Bare"))
    assert values(draft) == {"email": "ann@example.com"}
    assert draft.consent is None
