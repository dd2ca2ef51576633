from __future__ import annotations

import uuid

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text

from app.core.db import db, transaction
from app.delivery import letters
from app.delivery.letters import Letter
from tests.factories import make_chat, make_lead, make_message
from tests.web.signed_in import bearer, csrf_token, make_user, sign_in

pytestmark = pytest.mark.usefixtures("database")


def _chat() -> uuid.UUID:
    with transaction() as session:
        chat = make_chat(session)
        make_message(session, chat)
        make_lead(session, chat)
        return chat.id


def _all(query: str) -> list[tuple[object, ...]]:
    with transaction() as session:
        return [tuple(row) for row in session.execute(text(query))]


def test_completing_and_opening_again_may_be_repeated(client: FlaskClient) -> None:
    make_user(role="agent")
    headers, chat = bearer(client), _chat()
    path = f"/api/v1/sessions/{chat}/completion"
    for _ in range(2):
        assert client.put(path, headers=headers).status_code == 204
    assert _all("SELECT kind, cause FROM session_events") == [("completed", "user")]
    sent = _all("SELECT event, status FROM deliveries")
    assert sent
    assert set(sent) == {("lead.completed", "pending")}
    for _ in range(2):
        assert client.delete(path, headers=headers).status_code == 204
    assert {row[0] for row in _all("SELECT status FROM deliveries")} == {"cancelled"}
    assert [row[0] for row in _all("SELECT kind FROM session_events ORDER BY id")] == [
        "completed",
        "reopened",
    ]


def test_an_unknown_session_is_not_found(client: FlaskClient) -> None:
    make_user()
    headers, path = bearer(client), f"/api/v1/sessions/{uuid.uuid4()}"
    assert client.put(f"{path}/completion", headers=headers).status_code == 404
    assert client.delete(f"{path}/completion", headers=headers).status_code == 404
    assert client.delete(path, headers=headers).status_code == 404


def test_only_an_admin_deletes_and_a_tombstone_stays(client: FlaskClient) -> None:
    make_user()
    make_user("bob@example.com", role="agent")
    chat = _chat()
    admin, agent = bearer(client), bearer(client, "bob@example.com")
    client.put(f"/api/v1/sessions/{chat}/completion", headers=admin)
    path = f"/api/v1/sessions/{chat}"
    assert client.delete(path, headers=agent).status_code == 403
    assert client.delete(path, headers=admin).status_code == 204
    assert _all("SELECT session_id FROM deleted_sessions") == [(chat,)]
    for table in ("chat_sessions", "messages", "leads", "deliveries", "session_events"):
        assert _all(f"SELECT 1 FROM {table}") == []  # noqa: S608


def test_the_page_completes_opens_again_and_deletes(client: FlaskClient) -> None:
    make_user()
    sign_in(client)
    chat = _chat()
    page = client.get(f"/sessions/{chat}")
    assert "Mark as completed" in page.text
    token = {"csrf_token": csrf_token(page)}
    assert client.post(f"/sessions/{chat}/completion").status_code == 400
    client.post(f"/sessions/{chat}/completion", data=token)
    assert "Open again" in client.get(f"/sessions/{chat}").text
    client.post(f"/sessions/{chat}/reopening", data=token)
    page = client.get(f"/sessions/{chat}")
    assert "Opened again by hand" in page.text
    assert "Mark as completed" in page.text
    assert "lost for good" in client.get(f"/sessions/{chat}/deletion").text
    client.post(f"/sessions/{chat}/deletion", data=token)
    db.session.rollback()
    assert client.get(f"/sessions/{chat}").status_code == 404


def test_opening_again_is_announced_as_what_it_does(client: FlaskClient) -> None:
    """What was given up is cancelled, too; letters about the session are not."""
    make_user()
    sign_in(client)
    chat = _chat()
    token = {"csrf_token": csrf_token(client.get(f"/sessions/{chat}"))}
    client.post(f"/sessions/{chat}/completion", data=token)
    letter = Letter(["dev@example.com"], "New issue", "test", {"link": ""})
    with transaction() as session:
        session.execute(text("UPDATE deliveries SET status = 'dead', finished_at = now()"))
        letters.enqueue(session, "qa.issue", letter, session_id=chat)
    page = client.get(f"/sessions/{chat}").text
    assert "This cancels 1 delivery to the console." in page
    client.post(f"/sessions/{chat}/reopening", data=token)
    with transaction() as session:
        session.execute(
            text(
                "UPDATE deliveries SET status = 'cancelled', finished_at = now()"
                " WHERE event = 'qa.issue'"
            )
        )
    assert "1 delivery was cancelled" in client.get(f"/sessions/{chat}").text
