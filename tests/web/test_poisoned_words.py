"""Words that would keep a careless pattern busy for ever are answered, stored and understood."""

from __future__ import annotations

import uuid

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from app.accounts import api_keys
from app.core.db import db, transaction
from app.models import ChatSession, Lead, Message
from tests.factories import make_site
from tests.proof.attacks.poisoned_words import LONGEST_OF_WIDGET, PUMPS, poisoned

PROMISE = "We will contact you within 24 hours."
LONGEST = 20_000


@pytest.fixture
def site(database: Flask) -> str:
    with transaction() as session:
        return str(make_site(session, key="acme").key)


@pytest.fixture
def headers(database: Flask) -> dict[str, str]:
    with transaction() as session:
        return {"X-API-Key": api_keys.create(session, name="k", scopes=["sessions:write"]).plain}


def post(client: FlaskClient, headers: dict[str, str], *lines: tuple[str, str]) -> None:
    messages = [
        {"external_id": str(number), "role": role, "text": text}
        for number, (role, text) in enumerate(lines)
    ]
    given = {"channel": "api", "external_session_id": "S", "site": "acme", "messages": messages}
    answer = client.post("/api/v1/messages", json=given, headers=headers)
    assert answer.status_code in (200, 201), answer.text


@pytest.mark.parametrize(
    "text",
    ["please wait " * 40 + "zzz", *(poisoned(*pump, LONGEST_OF_WIDGET) for pump in PUMPS)],
    ids=["483 characters", *(pump.strip() or "blank" for pump, _ in PUMPS)],
)
def test_a_visitor_is_answered_whatever_they_write(
    client: FlaskClient, site: str, text: str
) -> None:
    started = client.post("/widget/acme/sessions", json={}).json or {}
    answer = client.post(
        f"/widget/sessions/{started['session_id']}/messages",
        json={"client_id": str(uuid.uuid4()), "text": text},
        headers={"Authorization": f"Bearer {started['token']}"},
    )
    assert answer.status_code == 200, answer.text
    assert [line["role"] for line in (answer.json or {})["messages"]] == ["visitor", "assistant"]


def test_ten_such_texts_are_stored_whole_in_one_request(
    client: FlaskClient, site: str, headers: dict[str, str]
) -> None:
    texts = [poisoned(*pump, LONGEST) for pump in PUMPS[:10]]
    roles = ("visitor", "assistant") * 5
    post(client, headers, *zip(roles, texts, strict=True))
    stored = db.session.scalars(select(Message.text).order_by(Message.id)).all()
    assert stored[::2] == texts[::2]


@pytest.mark.parametrize("place", [0, 0.5, 1])
def test_a_promise_anywhere_in_a_long_message_completes_the_session(
    client: FlaskClient, site: str, headers: dict[str, str], place: float
) -> None:
    filler = "This is what we offer. " * ((LONGEST - len(PROMISE) - 1) // 23)
    at = round(place * (len(filler) // 23)) * 23
    text = f"{filler[:at]}{PROMISE} {filler[at:]}".strip()
    assert LONGEST - 100 < len(text) <= LONGEST
    post(client, headers, ("visitor", "Hi, ann@example.com"), ("assistant", text))
    assert db.session.scalars(select(ChatSession.completion_status)).all() == ["completed"]


def test_a_contact_detail_at_either_end_of_a_long_line_is_understood(
    client: FlaskClient, site: str, headers: dict[str, str]
) -> None:
    filler = "This is what we need. " * 800
    post(client, headers, ("visitor", f"I'm ann@example.com. {filler} Call 020 7946 0958."))
    lead = db.session.scalars(select(Lead)).one()
    assert (lead.email, lead.phone) == ("ann@example.com", "+442079460958")
