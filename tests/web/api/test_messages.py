from __future__ import annotations

import uuid
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from app.accounts import api_keys
from app.core.db import db, transaction
from app.models import ChatSession, Delivery, Lead, Message
from tests.factories import make_site

pytestmark = pytest.mark.usefixtures("database")
PROMISE = "Thank you! We will contact you within 24 hours."


@pytest.fixture
def headers(database: Flask) -> dict[str, str]:
    with transaction() as session:
        made = api_keys.create(session, name="N8n", scopes=["sessions:write", "sessions:read"])
    return {"X-API-Key": made.plain}


@pytest.fixture
def site(database: Flask) -> str:
    with transaction() as session:
        return str(make_site(session, key="clinic").key)


def line(number: int, role: str, text: str, **more: Any) -> dict[str, Any]:
    return {"external_id": f"m-{number}", "role": role, "text": text, **more}


BOOKING = [
    line(1, "visitor", "A dentist please. ann@example.com", created_at="2026-11-01T10:00:00Z"),
    line(2, "assistant", PROMISE, created_at="2026-11-01T10:00:05Z"),
]  # fmt: skip


def post(client: FlaskClient, headers: dict[str, str], **body: Any) -> TestResponse:
    given = {"channel": "n8n", "external_session_id": "S-1", "messages": BOOKING, **body}
    return client.post("/api/v1/messages", json=given, headers=headers)


def test_a_posted_booking_is_a_session_and_a_lead_once(
    client: FlaskClient, headers: dict[str, str], site: str
) -> None:
    answer = post(client, headers)
    assert answer.status_code == 200, answer.text
    session_id = answer.json["session_id"]  # type: ignore[index]
    assert answer.json == {
        "session_id": session_id, "stored": 2, "duplicates": 0, "completion_status": "completed",
    }  # fmt: skip
    again = post(client, headers, external_session_id="S-1__Postgres_Chat_Memory")
    assert again.json == {
        "session_id": session_id, "stored": 0, "duplicates": 2, "completion_status": "completed",
    }  # fmt: skip
    assert db.session.scalar(select(func.count()).select_from(Delivery)) == 1
    assert db.session.scalars(select(Lead.email)).all() == ["ann@example.com"]
    found = client.get(f"/api/v1/sessions/{session_id}", headers=headers).json
    assert found["completion"]["phrase"] == "within 24 hours"  # type: ignore[index]
    assert found["started_at"] == "2026-11-01T10:00:00Z"  # type: ignore[index]
    assert found["message_count"] == 2  # type: ignore[index]


def test_messages_in_pieces_and_out_of_order_complete_all_the_same(
    client: FlaskClient, headers: dict[str, str], site: str
) -> None:
    first = post(client, headers, messages=BOOKING[1:])
    assert first.json["completion_status"] == "in_progress"  # type: ignore[index]
    second = post(client, headers, messages=BOOKING[:1])
    assert second.json["completion_status"] == "completed"  # type: ignore[index]
    texts = db.session.scalars(select(Message.text).order_by(Message.created_at, Message.id)).all()
    assert texts == [each["text"] for each in BOOKING]


def test_a_site_has_to_be_named_where_there_are_several(
    client: FlaskClient, headers: dict[str, str], site: str
) -> None:
    with transaction() as session:
        make_site(session, key="garage")
    answer = post(client, headers)
    assert answer.status_code == 422
    assert "site" in answer.json["errors"]  # type: ignore[index]
    assert post(client, headers, site="garage").status_code == 200
    assert post(client, headers, site="nowhere").status_code == 422


def test_a_key_of_one_site_writes_to_that_site_only(
    client: FlaskClient, headers: dict[str, str], site: str
) -> None:
    with transaction() as session:
        make_site(session, key="garage")
        made = api_keys.create(session, name="Garage", scopes=["sessions:write"], site_key="garage")
    own = {"X-API-Key": made.plain}
    stored = post(client, own, external_session_id="G-1")
    assert stored.status_code == 200
    assert post(client, own, site="clinic").status_code == 422
    others = post(client, headers, site="clinic", external_session_id="C-1").json
    before = db.session.scalar(select(func.count()).select_from(Message))
    foreign = post(
        client, own, external_session_id=others["session_id"],  # type: ignore[index]
        messages=[line(9, "visitor", "Let me in")],
    )  # fmt: skip
    assert foreign.status_code == 404
    db.session.rollback()
    assert db.session.scalar(select(func.count()).select_from(Message)) == before


def test_one_of_our_own_sessions_is_meant_by_its_id(
    client: FlaskClient, headers: dict[str, str], site: str
) -> None:
    made = client.post("/api/v1/sessions", json={"channel": "api"}, headers=headers)
    assert made.status_code == 201, made.text
    session_id = made.json["id"]  # type: ignore[index]
    answer = post(client, headers, external_session_id=session_id)
    assert answer.json["session_id"] == session_id  # type: ignore[index]
    path = f"/api/v1/sessions/{session_id}/messages"
    one = client.post(path, json=line(3, "visitor", "Thanks!"), headers=headers)
    assert (one.status_code, one.json["stored"]) == (201, 1)  # type: ignore[index]
    same = client.post(path, json=line(3, "visitor", "Thanks!"), headers=headers)
    assert (same.status_code, same.json["duplicates"]) == (200, 1)  # type: ignore[index]
    assert db.session.scalar(select(func.count()).select_from(ChatSession)) == 1


def test_a_session_is_made_once_for_its_external_id(
    client: FlaskClient, headers: dict[str, str], site: str
) -> None:
    body = {"channel": "n8n", "external_session_id": "S-7"}
    first = client.post("/api/v1/sessions", json=body, headers=headers)
    second = client.post("/api/v1/sessions", json=body, headers=headers)
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json["id"] == second.json["id"]  # type: ignore[index]
    assert first.json["external_session_id"] == "S-7"  # type: ignore[index]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"messages": []}, "messages"),
        ({"messages": [line(1, "visitor", "x")] * 501}, "messages"),
        ({"messages": [line(1, "visitor", "fine"), line(2, "robot", "x")]}, "messages.1.role"),
        ({"messages": [{"role": "visitor", "text": "x"}]}, "messages.0.external_id"),
        ({"messages": [line(1, "visitor", " ")]}, "messages.0.text"),
        ({"messages": [line(1, "visitor", "x", mood="good")]}, "messages.0.mood"),
        ({"channel": "pigeon"}, "channel"),
        ({"external_session_id": ""}, "external_session_id"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_wrong_field_is_named_with_its_path(
    client: FlaskClient, headers: dict[str, str], site: str, body: dict[str, Any], field: str
) -> None:
    answer = post(client, headers, **body)
    assert answer.status_code == 422
    assert field in answer.json["errors"]  # type: ignore[index]
    assert db.session.scalar(select(func.count()).select_from(ChatSession)) == 0


def test_messages_for_an_unknown_session_are_refused(
    client: FlaskClient, headers: dict[str, str], site: str
) -> None:
    path = f"/api/v1/sessions/{uuid.uuid4()}/messages"
    assert client.post(path, json=line(1, "visitor", "Hi"), headers=headers).status_code == 404
