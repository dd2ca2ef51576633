from __future__ import annotations

import uuid
from datetime import datetime, timedelta

import pytest
from flask.testing import FlaskClient

from app.core import clock
from app.core.db import transaction
from tests.factories import make_chat, make_lead, make_message, make_site
from tests.reporting.queries import counted
from tests.web.problems import assert_problem
from tests.web.signed_in import bearer, make_user

pytestmark = pytest.mark.usefixtures("database")
STARTED = datetime.fromisoformat("2026-11-22T17:12:00Z")
LIST = "/api/v1/sessions"


@pytest.fixture
def headers(client: FlaskClient) -> dict[str, str]:
    make_user(role="agent")
    return bearer(client)


def test_a_session_as_the_interface_says(client: FlaskClient, headers: dict[str, str]) -> None:
    with transaction() as session:
        site = make_site(session, key="clinic")
        chat = make_chat(
            session, site, started_at=STARTED, last_message_at=STARTED + timedelta(seconds=1.5),
            completion_status="completed", completed_at=STARTED,
            completion_phrase="within 24 hours",
            completion_message_id=7, attribution={"utm_source": "google"}, message_count=3,
        )  # fmt: skip
        lead = make_lead(
            session, chat, consent_at=STARTED, consent_text_version="2", missing=["company"],
            qualification={"service": "Implants"},
        )  # fmt: skip
        plain = make_chat(session, site, started_at=STARTED - timedelta(days=1))
    found = client.get(f"{LIST}/{chat.id}", headers=headers).json
    attribution = dict.fromkeys(
        ("landing_url", "referrer", "utm_source", "utm_medium", "utm_campaign", "utm_term",
         "utm_content", "gclid", "fbclid")
    )  # fmt: skip
    assert found == {
        "id": str(chat.id),
        "site": "clinic",
        "channel": "web",
        "external_session_id": None,
        "visitor_id": chat.visitor_id,
        "started_at": "2026-11-22T17:12:00Z",
        "last_message_at": "2026-11-22T17:12:01.500000Z",
        "message_count": 3,
        "assistant_engaged": False,
        "completion_status": "completed",
        "completed_at": "2026-11-22T17:12:00Z",
        "completion": {"cause": "live", "phrase": "within 24 hours", "message_id": 7},
        "archive_status": "active",
        "qa_status": "unchecked",
        "attribution": {**attribution, "utm_source": "google"},
        "lead": {
            "id": str(lead.id),
            "session_id": str(chat.id),
            "name": "Ann Lee",
            "email": "ann@example.com",
            "phone": "+442079460958",
            "company": None,
            "qualification": {"service": "Implants"},
            "consent": {"text_version": "2", "at": "2026-11-22T17:12:00Z"},
            "missing": ["company"],
            "invalid": [],
        },
    }
    listed = client.get(LIST, headers=headers).json
    assert listed is not None
    assert listed["data"][0] == found
    assert listed["data"][1]["id"] == str(plain.id)
    assert (listed["data"][1]["completion"], listed["data"][1]["lead"]) == (None, None)
    assert listed["next_cursor"] is None


def test_the_list_is_walked_by_cursor(client: FlaskClient, headers: dict[str, str]) -> None:
    with transaction() as session:
        site = make_site(session)
        for minutes in range(5):
            make_chat(session, site, started_at=STARTED - timedelta(minutes=minutes))
    seen: list[str] = []
    query: dict[str, str] = {"limit": "2"}
    for _ in range(3):
        answer = client.get(LIST, query_string=query, headers=headers).json
        assert answer is not None
        seen += [item["started_at"] for item in answer["data"]]
        query["cursor"] = answer["next_cursor"]
    assert answer["next_cursor"] is None
    assert seen == sorted(seen, reverse=True)
    assert len(seen) == 5


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("", 3),
        ("from=2026-11-22T17:12:00Z", 1),
        ("to=2026-11-22T17:12:00Z", 2),
        ("from=2026-11-21&to=2026-11-22", 1),
        ("from=2026-11-22T18:12:00%2B01:00", 1),
        ("from=2026-11-22T18:12:00+01:00", 1),
        ("completion_status=completed", 1),
        ("archive_status=archived", 1),
        ("qa_status=issue&channel=n8n", 1),
        ("site=clinic", 3),
        ("site=other", 0),
        ("has_contact=true", 1),
        ("has_contact=false", 2),
        ("assistant_engaged=true", 1),
        ("q=KITCHEN", 1),
        ("q=ann@example", 1),
        ("q=100%25", 1),
        ("q=nowhere", 0),
        ("q=", 3),
    ],
)
def test_filters(client: FlaskClient, headers: dict[str, str], query: str, count: int) -> None:
    with transaction() as session:
        site = make_site(session, key="clinic")
        now = make_chat(session, site, started_at=STARTED, completion_status="completed")
        make_lead(session, now)
        day = STARTED.replace(day=21)
        make_message(session, now, text="A new kitchen, 100% oak")
        make_chat(session, site, started_at=day, archive_status="archived", assistant_engaged=True)
        make_chat(session, site, started_at=day.replace(day=20), qa_status="issue", channel="n8n")
    answer = client.get(f"{LIST}?{query}", headers=headers)
    assert answer.status_code == 200, answer.text
    assert len(answer.json["data"]) == count  # type: ignore[index]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("limit=ten", "limit"),
        ("cursor=nonsense", "cursor"),
        ("cursor=", "cursor"),
        ("from=yesterday", "from"),
        ("to=0001-01-01T00:00:00%2B14:00", "to"),
        ("completion_status=done", "completion_status"),
        ("channel=fax", "channel"),
        ("has_contact=maybe", "has_contact"),
        ("site=%00", "site"),
        ("colour=red", "colour"),
        ("limit=1&limit=2", "limit"),
    ],
)
def test_wrong_queries_are_refused_by_field(
    client: FlaskClient, headers: dict[str, str], query: str, field: str
) -> None:
    answer = client.get(f"{LIST}?{query}", headers=headers)
    assert_problem(answer, 422)
    assert list(answer.json["errors"]) == [field]
    assert all(answer.json["errors"][field])


def test_messages_oldest_first(client: FlaskClient, headers: dict[str, str]) -> None:
    client_id = uuid.uuid4()
    text = "<script>alert(1)</script> 🦷 مرحبا"
    with transaction() as session:
        chat = make_chat(session)
        first = make_message(session, chat, text=text, client_id=client_id, created_at=STARTED)
        second = make_message(
            session, chat, role="assistant", text="Hi\nthere", created_at=clock.now()
        )
    address = f"{LIST}/{chat.id}/messages"
    answer = client.get(f"{address}?limit=1", headers=headers).json
    assert answer is not None
    assert answer["data"] == [
        {
            "id": first.id,
            "role": "visitor",
            "text": text,
            "created_at": "2026-11-22T17:12:00Z",
            "client_id": str(client_id),
        }
    ]
    rest = client.get(address, query_string={"cursor": answer["next_cursor"]}, headers=headers).json
    assert rest is not None
    assert [(m["id"], m["text"], "client_id" in m) for m in rest["data"]] == [
        (second.id, "Hi\nthere", False)
    ]
    assert rest["next_cursor"] is None


@pytest.mark.parametrize("path", ["{id}", "{id}/messages", "not-an-id", "1/messages"])
def test_what_is_not_there_is_404(client: FlaskClient, headers: dict[str, str], path: str) -> None:
    answer = client.get(f"{LIST}/{path.format(id=uuid.uuid4())}", headers=headers)
    assert_problem(answer, 404)


def test_the_number_of_queries_does_not_grow(client: FlaskClient, headers: dict[str, str]) -> None:
    def queries() -> int:
        with counted() as seen:
            assert client.get(f"{LIST}?limit=200", headers=headers).status_code == 200
        return len(seen)

    few = queries()
    with transaction() as session:
        for _ in range(10):
            chat = make_chat(session)
            make_lead(session, chat)
            make_message(session, chat)
    assert queries() == few == 2  # who asks, and the page


@pytest.mark.parametrize("path", ["", f"/{uuid.UUID(int=1)}", f"/{uuid.UUID(int=1)}/messages"])
def test_nothing_without_a_valid_token(client: FlaskClient, path: str) -> None:
    for headers in ({}, {"Authorization": "Bearer x"}, {"Authorization": "Basic x"}):
        assert_problem(client.get(LIST + path, headers=headers), 401)
