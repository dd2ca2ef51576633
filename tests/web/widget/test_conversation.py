"""The widget's JSON: every documented answer, and nothing stored from bad input."""

from __future__ import annotations

import json
import uuid
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from app.chat import turn
from app.core import clock
from app.core.crypto import Signer
from app.core.db import db, transaction
from app.models import ChatSession, Message
from app.web.widget.conversation import TOKEN_MAX_AGE_SECONDS, _stream
from tests.factories import make_site
from tests.web.sse import read_events

EXACT = '👩‍🔧 שלום \u202eabc\u202c <script>alert(1)</script> &amp; \\ "quotes" \t tab\nline 日本'


@pytest.fixture
def site(database: Flask) -> str:
    with transaction() as session:
        return str(make_site(session, key="acme").key)


def start(client: FlaskClient, site: str = "acme", **data: Any) -> dict[str, Any]:
    answer = client.post(f"/widget/{site}/sessions", json=data)
    assert answer.status_code == 201, answer.text
    assert answer.json is not None
    return dict(answer.json)


def send(client: FlaskClient, started: dict[str, Any], said: Any = None, **options: Any) -> Any:
    headers = {"Authorization": f"Bearer {started['token']}", **options.pop("headers", {})}
    if said is not None:
        options["json"] = said
    return client.post(
        f"/widget/sessions/{started['session_id']}/messages", headers=headers, **options
    )


def message(text: str = "Ann", client_id: str | None = None) -> dict[str, str]:
    return {"client_id": client_id or str(uuid.uuid4()), "text": text}


def stored(model: type = Message) -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(model)) or 0


def test_a_session_starts_with_a_greeting_and_what_may_be_answered(
    client: FlaskClient, site: str
) -> None:
    started = start(client)
    assert set(started) == {
        "session_id", "token", "visitor_id", "messages", "input", "completion_status",
    }  # fmt: skip
    assert started["completion_status"] == "in_progress"
    assert started["input"]["field"] == "name"
    assert [m["role"] for m in started["messages"]] == ["assistant", "assistant"]
    assert started["messages"][0]["created_at"].endswith("Z")


def test_a_message_is_answered_and_a_repeat_gives_the_same(client: FlaskClient, site: str) -> None:
    started = start(client)
    said = message("Ann")
    first = send(client, started, said)
    assert first.status_code == 200
    assert [m["role"] for m in first.json["messages"]] == ["visitor", "assistant"]
    assert first.json["messages"][0]["client_id"] == said["client_id"]
    assert first.json["input"]["type"] == "choice"
    assert send(client, started, said).json == first.json
    assert stored() == 4


def test_catching_up_gives_what_came_since(client: FlaskClient, site: str) -> None:
    started = start(client)
    answer = send(client, started, message()).json
    path = f"/widget/sessions/{started['session_id']}/messages"
    headers = {"Authorization": f"Bearer {started['token']}"}
    everything = client.get(f"{path}?after=0", headers=headers).json
    assert everything is not None
    assert everything["messages"] == started["messages"] + answer["messages"]
    assert everything["input"] == answer["input"]
    newest = answer["messages"][0]["id"]
    since = client.get(f"{path}?after={newest}", headers=headers).json
    assert since is not None
    assert since["messages"] == answer["messages"][1:]


def test_an_answer_is_streamed(client: FlaskClient, site: str) -> None:
    started = start(client)
    answer = send(client, started, message("Ann"), headers={"Accept": "text/event-stream"})
    assert answer.mimetype == "text/event-stream"
    events = read_events(answer.text)
    names = [name for name, _ in events]
    assert names[0] == "message"
    assert names[-2:] == ["message", "state"]
    assert set(names[1:-2]) == {"delta"}
    assert (
        "".join(data["text"] for name, data in events if name == "delta") == (events[-2][1]["text"])
    )
    assert events[-1][1]["input"]["type"] == "choice"


def test_a_page_closed_before_the_answer_begins_is_answered(client: FlaskClient, site: str) -> None:
    session_id = uuid.UUID(start(client)["session_id"])
    events = _stream(turn.receive(session_id, uuid.uuid4(), "Ann"))
    assert next(iter(events)).startswith("event: message")
    events.close()  # type: ignore[attr-defined]
    assert stored() == 4


@pytest.mark.parametrize("query", ["after=x", "after=-1", "after=1.5", "after=", "before=1"])
def test_a_wrong_query_is_refused_by_name(client: FlaskClient, site: str, query: str) -> None:
    started = start(client)
    headers = {"Authorization": f"Bearer {started['token']}"}
    path = f"/widget/sessions/{started['session_id']}/messages"
    answer = client.get(f"{path}?{query}", headers=headers)
    assert answer.status_code == 422
    assert list(json.loads(answer.text)["errors"]) == [query.partition("=")[0]]


def test_text_is_stored_and_given_back_exactly(client: FlaskClient, site: str) -> None:
    started = start(client)
    answer = send(client, started, message(EXACT)).json
    assert answer["messages"][0]["text"] == EXACT
    assert db.session.scalars(select(Message.text).where(Message.role == "visitor")).one() == EXACT


BAD_MESSAGES: list[tuple[str, Any, str]] = [
    ("empty text", {"client_id": str(uuid.uuid4()), "text": ""}, "text"),
    ("only spaces", {"client_id": str(uuid.uuid4()), "text": " \n "}, "text"),
    ("nothing that can be seen", {"client_id": str(uuid.uuid4()), "text": "\u200b\u200d"}, "text"),
    ("too long", {"client_id": str(uuid.uuid4()), "text": "a" * 4001}, "text"),
    ("no text", {"client_id": str(uuid.uuid4())}, "text"),
    ("number", {"client_id": str(uuid.uuid4()), "text": 5}, "text"),
    ("null", {"client_id": str(uuid.uuid4()), "text": None}, "text"),
    ("list", {"client_id": str(uuid.uuid4()), "text": ["a"]}, "text"),
    ("NUL", {"client_id": str(uuid.uuid4()), "text": "a\x00b"}, "text"),
    ("bell", {"client_id": str(uuid.uuid4()), "text": "a\x07b"}, "text"),
    ("C1 control", {"client_id": str(uuid.uuid4()), "text": "a\x85b"}, "text"),
    ("half a surrogate pair", {"client_id": str(uuid.uuid4()), "text": "a\ud800b"}, "text"),
    ("no client id", {"text": "a"}, "client_id"),
    ("client id no UUID", {"client_id": "abc", "text": "a"}, "client_id"),
    ("client id a number", {"client_id": 7, "text": "a"}, "client_id"),
    ("unknown field", {"client_id": str(uuid.uuid4()), "text": "a", "role": "agent"}, "role"),
]


@pytest.mark.parametrize(("what", "data", "field"), BAD_MESSAGES, ids=[b[0] for b in BAD_MESSAGES])
def test_a_bad_message_is_refused_by_field(
    client: FlaskClient, site: str, what: str, data: Any, field: str
) -> None:
    started = start(client)
    answer = send(client, started, data)
    assert answer.status_code == 422
    assert answer.mimetype == "application/problem+json"
    assert list(json.loads(answer.text)["errors"]) == [field]
    assert stored() == 2


@pytest.mark.parametrize("text", ["a" * 4000, "é" * 4000, "x\ty\nz"])
def test_the_longest_message_is_stored(client: FlaskClient, site: str, text: str) -> None:
    assert send(client, start(client), message(text)).status_code == 200


@pytest.mark.parametrize(
    ("body", "mimetype", "status"),
    [
        (b"{", "application/json", 400),
        (b'{"text": "\xff\xfe"}', "application/json", 400),
        (b"[" * 100_000, "application/json", 413),
        (b"[" * 60_000, "application/json", 400),
        (b"[]", "application/json", 422),
        (b"text=a", "application/x-www-form-urlencoded", 415),
        (b"a" * 2_000_000, "application/json", 413),
    ],
)
def test_an_unreadable_body_is_refused(
    client: FlaskClient, site: str, body: bytes, mimetype: str, status: int
) -> None:
    started = start(client)
    answer = send(client, started, content_type=mimetype, data=body)
    assert answer.status_code == status
    assert answer.mimetype == "application/problem+json"
    assert stored() == 2


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"page": {"url": "x" * 2001}}, "page.url"),
        ({"page": {"title": "a\x00"}}, "page.title"),
        ({"page": []}, "page"),
        ({"page": {"colour": "red"}}, "page.colour"),
        ({"visitor_id": "x" * 65}, "visitor_id"),
        ({"visitor_id": 5}, "visitor_id"),
        ({"locale": "x" * 36}, "locale"),
        ({"timezone": "x" * 65}, "timezone"),
        ({"hello": 1}, "hello"),
    ],
)
def test_a_bad_start_is_refused_by_field(
    client: FlaskClient, site: str, data: Any, field: str
) -> None:
    answer = client.post("/widget/acme/sessions", json=data)
    assert answer.status_code == 422
    [refused] = json.loads(answer.text)["errors"]
    assert refused == field or refused.startswith(f"{field}.")
    assert stored(ChatSession) == 0


def test_an_unknown_site_is_not_found(client: FlaskClient, database: Flask) -> None:
    for key in ("nobody", "a%00b", "é", "../etc"):
        answer = client.post(f"/widget/{key}/sessions", json={})
        assert answer.status_code == 404
        assert answer.mimetype == "application/problem+json"


def test_only_pages_of_allowed_origins_may_start(client: FlaskClient, database: Flask) -> None:
    with transaction() as session:
        make_site(session, key="strict", allowed_origins=["https://Example.com"])
    for url in ("https://evil.com/", "http://example.com/", "https://example.com:8443/", "x", ""):
        answer = client.post("/widget/strict/sessions", json={"page": {"url": url}})
        assert answer.status_code == 403, url
    assert client.post("/widget/strict/sessions", json={}).status_code == 403
    assert stored(ChatSession) == 0
    good = {"page": {"url": "https://EXAMPLE.com:443/kitchens?utm_source=ad"}}
    assert client.post("/widget/strict/sessions", json=good).status_code == 201


def test_a_token_opens_its_own_session_only(client: FlaskClient, site: str, app: Flask) -> None:
    ours, theirs = start(client), start(client)
    path = f"/widget/sessions/{ours['session_id']}/messages"

    def status(authorization: str | None) -> int:
        headers = {"Authorization": authorization} if authorization else {}
        answers = (
            client.post(path, json=message(), headers=headers),
            client.get(path, headers=headers),
        )
        assert answers[0].status_code == answers[1].status_code
        return answers[0].status_code

    assert status(None) == 401
    assert status("Bearer ") == 401
    assert status("Bearer nonsense") == 401
    assert status(f"Basic {ours['token']}") == 401
    assert status(f"Bearer {theirs['token']}") == 404
    other_purpose = Signer(app.extensions["settings"].secret_keys, "other")
    assert status(f"Bearer {other_purpose.sign(ours['session_id'])}") == 401
    assert stored() == 4


def test_a_token_lasts_thirty_days(client: FlaskClient, site: str) -> None:
    started = start(client)
    for days, status in ((29, 200), (31, 401)):
        with clock.moved(timedelta(days=days)):
            assert send(client, started, message()).status_code == status
    assert TOKEN_MAX_AGE_SECONDS == 30 * 24 * 3600


def test_where_a_visitor_came_from_is_kept(client: FlaskClient, site: str) -> None:
    start(
        client,
        page={
            "url": "https://acme.example/contact",
            "first_url": "https://acme.example/?utm_source=ad&gclid=G1",
            "first_referrer": "https://search.example/",
        },
    )
    kept = db.session.scalars(select(ChatSession.attribution)).one()
    assert kept == {
        "landing_url": "https://acme.example/?utm_source=ad&gclid=G1",
        "referrer": "https://search.example/",
        "utm_source": "ad",
        "utm_medium": None,
        "utm_campaign": None,
        "utm_term": None,
        "utm_content": None,
        "gclid": "G1",
        "fbclid": None,
    }
