"""What is found in people's words, and what is not."""

from __future__ import annotations

import time

import pytest

from app.leads.answers import normalise
from app.leads.choices import match_choice, mentioned_choice
from app.leads.contacts import find_contacts, without_contacts
from app.leads.dates import find_date, read_date
from app.leads.emails import find_emails, read_email
from app.leads.names import find_name, read_name
from app.leads.phones import find_phones
from app.models.site_profile import Field
from app.models.transcript import Answer, Choice

SERVICE = Field(
    "service",
    "What for?",
    "choice",
    choices=tuple(
        Choice(label.casefold().replace(" ", "_"), label)
        for label in ("Kitchen", "Bathroom", "Whole house", "Something else")
    ),
)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("ann@example.com", "ann@example.com"),
        ("Ann@Example.COM.", "Ann@example.com"),
        ("write to <ann@example.com>, please", "ann@example.com"),
        ("mailto:ann@example.com", "ann@example.com"),
        ("'o'neill@example.ie'", "o'neill@example.ie"),
        ("jörg@müller.de", "jörg@müller.de"),
        ("ann @ example . com", "ann@example.com"),
        ("ann at example dot com", "ann@example.com"),
        ("ann(at)example.com", "ann@example.com"),
    ],
)
def test_an_email_is_read_and_normalised(text: str, address: str) -> None:
    assert read_email(text) == address


@pytest.mark.parametrize(
    "text",
    [
        "ann@example",
        "ann@@example.com",
        "@annlee",
        "ann@example,com",
        "https://www.example.com@evil.example/x",
    ],
)
def test_a_broken_email_is_none(text: str) -> None:
    assert find_emails(text) == []
    assert read_email(text) is None


@pytest.mark.parametrize(
    ("region", "text", "number"),
    [
        ("GB", "020 7946 0958", "+442079460958"),
        ("GB", "call me at 10:30 on 020 7946 0958 please", "+442079460958"),
        ("GB", "+44 (0)20 7946 0958", "+442079460958"),
        ("GB", "44 7911 123456", "+447911123456"),
        ("GB", "٠٧٩١١ ١٢٣٤٥٦", "+447911123456"),
        ("DE", "030/90 18 20", "+4930901820"),
        ("DE", "0049 30 901820", "+4930901820"),
        ("US", "(212) 555-0123", "+12125550123"),
        ("FR", "01.23.45.67.89", "+33123456789"),
        ("ES", "612 345 678", "+34612345678"),
        ("IT", "06 6982 1234", "+390669821234"),
        ("IN", "+91 98765 43210", "+919876543210"),
        ("BR", "(11) 91234-5678", "+5511912345678"),
    ],
)
def test_a_phone_number_becomes_e164(region: str, text: str, number: str) -> None:
    assert [found.value for found in find_phones(text, region)] == [number]


@pytest.mark.parametrize(
    ("region", "text"),
    [
        ("GB", "on 2026-12-01 or 12/06/2026"),
        ("GB", "the budget is £20 000 000"),
        ("GB", "about 150 000 euros"),
        ("DE", "2010-2020"),
        ("DE", "order 12345678"),
        ("GB", "12345"),
        ("US", "+1 555 123 4567"),
        ("GB", "ann07911123456@example.com"),
    ],
)
def test_other_numbers_are_no_phone(region: str, text: str) -> None:
    assert "phone" not in find_contacts(text, region)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("my name is ann lee and I need a kitchen", "Ann Lee"),
        ("Hi, I'm Ann", "Ann"),
        ("this is Bob Smith, hello", "Bob Smith"),
        ("it's spelled A-n-n-e", "Anne"),
        ("Ich heiße Jürgen Müller", "Jürgen Müller"),
        ("my name's Ann, not Anna", "Ann"),
        ("I'm looking for a kitchen", None),
        ("I'm interested", None),
        ("this is urgent", None),
        ("call me tomorrow", None),
        ("I'm from London", None),
    ],
)
def test_a_name_is_found_in_passing(text: str, name: str | None) -> None:
    found = find_name(text)
    assert (found.value if found else None) == name


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("It's Ann", "Ann"),
        ("I am Ann Lee", "Ann Lee"),
        ("ann lee here", "Ann Lee"),
        ("van der Berg", "van der Berg"),
        ("O’Neill", "O'Neill"),
        ("李雷", "李雷"),
        ("प्रिया शर्मा", "प्रिया शर्मा"),
        ("מרים כהן", "מרים כהן"),
        ("ann 😊", "Ann 😊"),
        ("J. R. R. Tolkien", "J. R. R. Tolkien"),
        ("José y María", "José y María"),
        ("I need a new kitchen", None),
        ("hello", None),
        ("what?", None),
        ("12345", None),
    ],
)
def test_an_answer_to_the_name_question(text: str, name: str | None) -> None:
    assert read_name(text) == name


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("kitchen", "Kitchen"),
        ("whole_house", "Whole house"),
        ("kichen", "Kitchen"),
        ("whole hose", "Whole house"),
        ("a bathrom please", "Bathroom"),
        ("the second one", "Bathroom"),
        ("2", "Bathroom"),
        ("not the kitchen, the bathroom", "Bathroom"),
        ("kitchen, no wait, bathroom", "Bathroom"),
        ("kitchen and bathroom", None),
        ("a garden", None),
        ("9", None),
    ],
)
def test_a_choice_typed_loosely(text: str, label: str | None) -> None:
    choice = match_choice(SERVICE, text)
    assert (choice.label if choice else None) == label


def test_a_choice_nobody_asked_for_needs_its_whole_label() -> None:
    assert mentioned_choice(SERVICE, "I want my kitchen done") == SERVICE.choices[0]
    assert mentioned_choice(SERVICE, "our house is old") is None
    assert mentioned_choice(SERVICE, "something else entirely") is None


def test_a_choice_keeps_its_value_and_free_text_stays_as_typed() -> None:
    assert normalise(SERVICE, "Whole  house", "GB") == Answer("whole_house")
    assert normalise(SERVICE, " a   new roof ", "GB") == Answer("a new roof")
    assert normalise(SERVICE, "?", "GB") is None


@pytest.mark.parametrize(
    ("text", "region", "value"),
    [
        ("2027-05-03", "GB", ("2027-05-03", True)),
        ("2027-02-30", "GB", ("2027-02-30", False)),
        ("3 May 2027", "GB", ("2027-05-03", True)),
        ("May 3rd, 2027", "US", ("2027-05-03", True)),
        ("5/3/2027", "US", ("2027-05-03", True)),
        ("3/5/2027", "GB", ("2027-05-03", True)),
        ("next Tuesday please", "GB", ("next Tuesday", True)),
        ("2027-05-03 after ten", "GB", ("2027-05-03 after ten", True)),
        ("purple", "GB", None),
    ],
)
def test_a_date_is_read_loosely(text: str, region: str, value: tuple[str, bool] | None) -> None:
    assert read_date(text, region) == value


def test_a_date_in_passing() -> None:
    assert find_date("could you come next Tuesday afternoon?") == "next Tuesday afternoon"
    assert find_date("I have no idea") is None


def test_invalid_values_are_kept_as_typed() -> None:
    email, phone = Field("email", "?", "email"), Field("phone", "?", "phone")
    assert normalise(email, "ann@example", "GB") == Answer("ann@example", is_valid=False)
    assert normalise(phone, "12 34", "GB") == Answer("12 34", is_valid=False)
    assert normalise(email, "purple", "GB") is None
    assert normalise(phone, "purple", "GB") is None


def test_text_is_one_line_of_at_most_500_characters() -> None:
    field = Field("message", "?")
    answer = normalise(field, "  سلام \n 😊 " + "x" * 600, "GB")
    assert answer is not None
    assert answer.value.startswith("سلام 😊 x")
    assert len(answer.value) == 500


def test_what_is_left_without_contact_details() -> None:
    text = "Ann Lee, my e-mail is ann@example.com and call me on 020 7946 0958"
    assert without_contacts(text, "GB") == "Ann Lee"


@pytest.mark.parametrize("piece", ["ok, ", "- ", "a@", "1 ", "my name is ", ". ", "no ", "\t "])
def test_no_text_is_slow_to_read(piece: str) -> None:
    text = (piece * 4000)[:4000]
    started = time.perf_counter()
    find_contacts(text, "GB")
    without_contacts(text, "GB")
    find_name(text)
    read_name(text)
    find_date(text)
    match_choice(SERVICE, text)
    assert time.perf_counter() - started < 0.5
