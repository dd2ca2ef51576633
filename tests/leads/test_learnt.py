"""Values an assistant names are kept as if the visitor had typed them, or not at all."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from app.leads.learnt import NOT_AGREED, NOT_HEARD, UNKNOWN, UNREADABLE, UNUSABLE, learn
from app.models.site_profile import Consent, SiteProfile
from app.models.transcript import Answer, Draft, Line
from tests.dialogues.dialogue import FIELD_SETS, site_for

AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
SITE = replace(site_for({}), fields=(*FIELD_SETS["demo"], FIELD_SETS["company_date"][2]))
ASKING = replace(SITE, consent=Consent("question", "May we call you?"))


def said(*texts: str) -> list[Line]:
    return [Line(number, "visitor", text, AT) for number, text in enumerate(texts, 1)]


LINE = said("Hello")[0]


def kept(
    values: dict[str, object], *heard: str, site: SiteProfile = SITE, draft: Draft | None = None
) -> tuple[dict[str, str], dict[str, str]]:
    """The answers afterwards, and the problems."""
    learnt, problems = learn(
        draft or Draft(), site, values, LINE, heard=said(*heard) if heard else None
    )
    return {key: answer.value for key, answer in learnt.answers.items()}, problems


def test_values_are_brought_into_the_form_a_visitors_own_would_get() -> None:
    values, problems = kept(
        {
            "name": "my name is ann lee",
            "service": "the kitchen please",
            "email": "Ann@EXAMPLE.com",
            "phone": "020 7946 0958",
            "date": "3 February 2027",
            "company": "  Lee   Ltd ",
        }
    )
    assert problems == {}
    assert values == {
        "name": "Ann Lee",
        "service": "Kitchen",
        "email": "Ann@example.com",
        "phone": "+442079460958",
        "date": "2027-02-03",
        "company": "Lee Ltd",
    }


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({"session_id": "other"}, UNKNOWN),
        ({"consent": "yes"}, UNKNOWN),
        ({"name": {"first": "Ann"}}, UNREADABLE),
        ({"name": ["Ann"]}, UNREADABLE),
        ({"name": True}, UNREADABLE),
        ({"email": "ann@"}, UNUSABLE),
        ({"phone": "12"}, UNUSABLE),
        ({"date": "2027-02-30"}, UNUSABLE),
        ({"name": "https://evil.example"}, UNUSABLE),
    ],
)
def test_what_cannot_be_used_is_not_kept_and_said(values: dict[str, object], problem: str) -> None:
    assert kept(values) == ({}, dict.fromkeys(values, problem))


def test_a_number_sent_as_a_number_is_read() -> None:
    assert kept({"phone": 442079460958})[0] == {"phone": "+442079460958"}


def test_what_no_database_can_hold_is_left_out() -> None:
    assert kept({"company": "Lee\0\ud83d Ltd"})[0] == {"company": "Lee Ltd"}


@pytest.mark.parametrize(
    "nothing",
    [
        None,
        "",
        " ",
        "null",
        "N/A",
        "N/A.",
        "unknown",
        "Unknown.",
        "TBD",
        "[name]",
        "<your name>",
        "{{ $json.name }}",
        float("nan"),
        float("inf"),
    ],
)
def test_nothing_said_changes_nothing(nothing: object) -> None:
    before = Draft(answers={"name": Answer("Ann")})
    assert kept({"name": nothing, "company": nothing}, draft=before) == ({"name": "Ann"}, {})


def test_a_value_that_cannot_be_used_leaves_the_one_before() -> None:
    before = Draft(answers={"email": Answer("ann@example.com")})
    assert kept({"email": "nobody"}, draft=before)[0] == {"email": "ann@example.com"}


def test_contact_details_wait_for_the_visitors_yes() -> None:
    values, problems = kept(
        {"name": "Ann", "email": "ann@example.com", "phone": "020 7946 0958"}, site=ASKING
    )
    assert values == {"name": "Ann"}
    assert problems == {"email": NOT_AGREED, "phone": NOT_AGREED}
    agreed = Draft(consent="given", consent_at=AT.isoformat())
    assert kept({"email": "ann@example.com"}, site=ASKING, draft=agreed)[1] == {}


def test_before_the_yes_contact_details_are_taken_out_of_other_answers() -> None:
    values, _ = kept({"company": "Lee Ltd, mail me at ann@example.com"}, site=ASKING)
    assert "ann@" not in values["company"]


def test_under_a_consent_line_a_contact_detail_gives_the_consent() -> None:
    draft, _ = learn(Draft(), SITE, {"email": "ann@example.com"}, LINE)
    assert (draft.consent, draft.consent_at) == ("given", AT.isoformat())


@pytest.mark.parametrize(
    ("email", "heard"),
    [
        ("ann@example.com", "it is Ann@Example.COM, thanks"),
        ("ann@example.com", "ann at example dot com"),
        ("ann@example.com", "ann (at) example (dot) com"),
        ("ann@example.com", "a-n-n @ example . com"),
        ("ann.lee@example.com", "It's ann.lee, at example.com!"),
    ],
)
def test_an_address_that_was_typed_somehow_is_taken(email: str, heard: str) -> None:
    assert kept({"email": email}, "Hi", heard) == ({"email": email}, {})


@pytest.mark.parametrize(
    ("values", "heard"),
    [
        ({"email": "bob@example.com"}, "ann@example.com"),
        ({"email": "nn@example.com"}, "ann@example.com"),
        ({"email": "ann@example.org"}, "my mail is ann@example.com"),
        ({"phone": "020 7946 0958"}, "020 7946 0959"),
        ({"phone": "+442079460958"}, "no number here"),
    ],
)
def test_a_contact_detail_nobody_typed_is_made_up(values: dict[str, object], heard: str) -> None:
    assert kept(values, heard) == ({}, dict.fromkeys(values, NOT_HEARD))


@pytest.mark.parametrize(
    "heard",
    [
        "020 7946 0958",
        "+44 (0)20 7946-0958",
        "oh two oh, seven nine four six, oh nine five eight",
        "٠٢٠ ٧٩٤٦ ٠٩٥٨",
    ],
)
def test_a_number_that_was_typed_somehow_is_taken(heard: str) -> None:
    assert kept({"phone": "+442079460958"}, heard) == ({"phone": "+442079460958"}, {})


def test_what_a_visitor_gives_goes_to_the_sites_own_field() -> None:
    fields = (replace(FIELD_SETS["demo"][2], key="work_email"),)
    values, _ = kept({"email": "ann@example.com"}, site=replace(SITE, fields=fields))
    assert values == {"work_email": "ann@example.com"}


def test_an_address_in_brackets_is_an_address() -> None:
    assert kept({"email": "<ann@example.com>"}) == ({"email": "ann@example.com"}, {})
