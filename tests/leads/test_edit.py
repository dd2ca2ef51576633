"""What a person writes into a lead is checked like a visitor's word, and stands against it."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.errors import Invalid
from app.leads.changes import take_over
from app.leads.edit import changes_of, edit
from app.leads.record import record
from app.models import ChatSession, Lead, LeadChange, Site
from app.models.site_profile import SiteProfile
from app.models.transcript import Answer, Draft
from tests.factories import make_chat, make_lead


def stand(session: Session, **lead: object) -> tuple[ChatSession, Lead, SiteProfile]:
    chat = make_chat(session)
    site = session.get_one(Site, chat.site_id).profile()
    values = {"qualification": {"service": "Kitchen"}, **lead}
    return chat, make_lead(session, chat, **values), site


def fresh(session: Session, lead: Lead) -> Lead:
    session.expire_all()
    return session.get_one(Lead, lead.id)


def test_values_are_brought_into_the_form_that_visitors_values_have(session: Session) -> None:
    _, lead, site = stand(session)
    typed = {
        "name": "  Ann   van der Lee ",
        "email": "ann@EXAMPLE.org ",
        "phone": "020 7946 0001",
        "service": "bathrom",
        "company": "",
    }
    assert changes_of(site, lead, typed) == {
        "name": "Ann van der Lee",
        "email": "ann@example.org",
        "phone": "+442079460001",
        "service": "Bathroom",
    }


def test_the_same_value_in_other_signs_is_no_change(session: Session) -> None:
    _, lead, site = stand(session)
    typed = {"name": "Ann Lee ", "phone": "+44 20 7946 0958", "service": "kitchen"}
    assert changes_of(site, lead, typed) == {}


def test_each_wrong_field_gets_its_own_sentence(session: Session) -> None:
    _, lead, site = stand(session)
    with pytest.raises(Invalid) as wrong:
        changes_of(site, lead, {"email": "ann(at", "phone": "12", "name": "?!", "service": "\x00."})
    assert set(wrong.value.errors) == {"email", "phone", "name", "service"}
    assert "name@example.com" in wrong.value.errors["email"][0]


def test_what_was_kept_as_typed_may_stay_or_be_put_right(session: Session) -> None:
    _, lead, site = stand(session, email="ann@nowhere", invalid=["email"])
    assert changes_of(site, lead, {"email": "ann@nowhere"}) == {}
    edit(session, lead, site, changes_of(site, lead, {"email": "ann@example.org"}), None)
    assert fresh(session, lead).invalid == []


def test_who_changed_what_is_kept_field_by_field(session: Session) -> None:
    _, lead, site = stand(session)
    edit(session, lead, site, {"phone": None, "service": "Bathroom", "company": "Acme"}, None)
    lead = fresh(session, lead)
    assert (lead.phone, lead.company) == (None, "Acme")
    assert lead.qualification == {"service": "Bathroom"}
    assert lead.missing == ["phone"]
    assert lead.version == 2
    noted = session.scalars(select(LeadChange).order_by(LeadChange.field)).all()
    assert [(each.field, each.old, each.new, each.version) for each in noted] == [
        ("company", None, "Acme", 2),
        ("phone", "+442079460958", None, 2),
        ("service", "Kitchen", "Bathroom", 2),
    ]


def test_a_persons_word_stands_whatever_the_visitor_says_later(session: Session) -> None:
    chat, lead, site = stand(session)
    edit(session, lead, site, {"email": "right@example.com", "phone": None}, None)
    draft = Draft()
    for key, value in {"name": "Anne Lee", "email": "wrong@", "phone": "+442079460001"}.items():
        draft = draft.with_answer(key, Answer(value, is_valid=key != "email"))
    take_over(session, chat.id, site, draft, is_completed=False)
    lead = fresh(session, lead)
    assert (lead.name, lead.email, lead.phone) == ("Anne Lee", "right@example.com", None)
    assert lead.missing == ["service", "phone"]
    assert lead.invalid == []
    assert lead.version == 3


def test_the_version_grows_with_what_the_visitor_says_and_only_then(session: Session) -> None:
    chat, lead, site = stand(session)
    draft = Draft().with_answer("email", Answer("ann@example.com"))
    versions = []
    for said in (draft, draft, draft.with_answer("name", Answer("Ann"))):
        record(session, chat.id, site, said)
        versions.append(fresh(session, lead).version)
    assert versions == [2, 2, 3]


def test_what_a_form_sends_back_untouched_is_no_change_however_it_is_written(
    session: Session,
) -> None:
    long = "word " * 200
    values = {"service": "Kitchen", "story": long}
    _, lead, site = stand(session, name="Ann  Lee", company=" Lee\tLtd", qualification=values)
    typed = {"name": "Ann  Lee", "company": " Lee\tLtd", "story": long}
    assert changes_of(site, lead, typed) == {}


def test_what_would_be_cut_off_is_refused_and_said(session: Session) -> None:
    _, lead, site = stand(session)
    typed = {
        "company": "x" * 501,
        "email": "ann@example.org, bob@example.org",
        "phone": "020 7946 0001 or 020 7946 0002",
    }
    with pytest.raises(Invalid) as wrong:
        changes_of(site, lead, typed)
    assert "500" in wrong.value.errors["company"][0]
    assert "one e-mail" in wrong.value.errors["email"][0]
    assert "one number" in wrong.value.errors["phone"][0]
    # The same one twice is one.
    typed = {"email": "Ann <ann@example.org>", "phone": "+44 20 7946 0001, 020 7946 0001"}
    assert changes_of(site, lead, typed) == {"email": "ann@example.org", "phone": "+442079460001"}


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("Zoë \N{PARTY POPPER}", "Zoë \N{PARTY POPPER}"),
        ("<b>Ann</b>", "<b>Ann</b>"),
        (
            "\N{HEBREW LETTER ALEF}\N{HEBREW LETTER BET}",
            "\N{HEBREW LETTER ALEF}\N{HEBREW LETTER BET}",
        ),
        ("A\0nn\r\nLee", "Ann Lee"),
    ],
)
def test_odd_signs_are_kept(session: Session, typed: str, kept: str) -> None:
    _, lead, site = stand(session)
    edit(session, lead, site, changes_of(site, lead, {"name": typed, "company": typed}), None)
    lead = fresh(session, lead)
    assert (lead.name, lead.company) == (kept, kept)
