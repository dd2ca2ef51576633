from __future__ import annotations

import html
import re
import threading
import uuid
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.core import clock
from app.core.db import transaction
from app.models import User
from app.web.frame import live
from tests.reporting.queries import counted
from tests.web.audit_log import noted
from tests.web.forms import follow, send
from tests.web.signed_in import bearer, make_user, sign_in

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture
def bob(agent: FlaskClient, admin: FlaskClient) -> User:
    """An agent, signed in as `agent`, beside Ann, the admin."""
    with transaction() as session:
        return session.query(User).filter_by(email="bob@example.com").one()


def act(admin: FlaskClient, user: User, move: str, **data: str) -> str:
    return follow(admin, f"/users/{user.id}", f"/users/{user.id}/{move}", **data)


def test_the_list_says_who_may_sign_in_in_one_query(admin: FlaskClient) -> None:
    with transaction() as session:
        now = clock.now()
        session.add_all(
            User(email=f"u{n}@example.com", role="agent", created_at=now, is_active=n % 2 == 0)
            for n in range(60)
        )
    with counted() as few:
        page = admin.get("/users")
    assert page.status_code == 200
    assert page.text.count('class="row-item') == 50
    assert [sql for sql in few if "users" in sql and "ORDER BY" in sql].__len__() == 1
    assert len(few) < 12
    for words in ("Invited", "Deactivated", "Agent"):
        assert words in page.text
    older = admin.get("/users?cursor=" + page.text.split("cursor=")[1].split('"')[0])
    assert older.text.count('class="row-item') == 11


def test_who_goes_on_and_back_sees_every_user_once_the_newest_first(admin: FlaskClient) -> None:
    with transaction() as session:
        now = clock.now()
        session.add_all(
            User(email=f"u{n:03}@example.com", role="agent", created_at=now - timedelta(days=n))
            for n in range(1, 120)
        )
    first = admin.get("/users").text
    second = admin.get(_to(first, "next")).text
    third = admin.get(_to(second, "next")).text
    assert [_shown(page) for page in (second, first)] == [
        _shown(admin.get(_to(third, "prev")).text),
        _shown(admin.get(_to(second, "prev")).text),
    ]


def _to(page: str, rel: str) -> str:
    found = re.search(rf'rel="{rel}" href="([^"]+)"', page)
    assert found
    return html.unescape(found[1])


def _shown(page: str) -> list[str]:
    return re.findall(r'data-id="([^"]+)"|(u\d+@example\.com)', page)


def test_an_agent_may_not_even_look(agent: FlaskClient, bob: User) -> None:
    assert "/users" not in agent.get("/sessions").text
    for path in ("/users", "/users/new", f"/users/{bob.id}"):
        assert agent.get(path).status_code == 403
    token = {"csrf_token": agent.get("/profile").text.split('value="')[1].split('"')[0]}
    for move in ("role", "deactivation", "activation", "sign-outs", "links", "two-factor-removal"):
        assert agent.post(f"/users/{bob.id}/{move}", data=token).status_code == 403


def test_a_role_counts_at_once(admin: FlaskClient, agent: FlaskClient, bob: User) -> None:
    assert agent.get("/sites").status_code == 403
    assert "is admin now" in act(admin, bob, "role", role="admin")
    assert agent.get("/sites").status_code == 200
    act(admin, bob, "role", role="agent")
    assert agent.get("/sites").status_code == 403
    entries = [e for e in noted() if e.action == "user.role_changed"]
    assert [e.details for e in entries] == [
        {"old": "agent", "new": "admin"},
        {"old": "admin", "new": "agent"},
    ]
    refused = send(admin, f"/users/{bob.id}", f"/users/{bob.id}/role", role="owner")
    assert refused.status_code == 422


def test_out_at_once_and_in_again(admin: FlaskClient, agent: FlaskClient, bob: User) -> None:
    headers = bearer(agent, bob.email)
    assert "can no longer sign in" in act(admin, bob, "deactivation")
    assert agent.get("/sessions").status_code == 302
    assert agent.get("/api/v1/sessions", headers=headers).status_code == 401
    assert sign_in(agent, bob.email).status_code == 422
    assert "activate this user first" in act(admin, bob, "links", how="link")
    act(admin, bob, "activation")
    assert sign_in(agent, bob.email).status_code == 302
    assert [e.action for e in noted() if e.object_id == str(bob.id)][-3:] == [
        "user.deactivated", "user.activated", "user.signed_in",
    ]  # fmt: skip


def test_signing_out_everywhere_ends_cookies_and_tokens(
    app: Flask, admin: FlaskClient, agent: FlaskClient, bob: User
) -> None:
    second = app.test_client()
    sign_in(second, bob.email)
    headers = bearer(agent, bob.email)
    act(admin, bob, "sign-outs")
    assert agent.get("/sessions").status_code == second.get("/sessions").status_code == 302
    assert agent.get("/api/v1/sessions", headers=headers).status_code == 401
    assert sign_in(agent, bob.email).status_code == 302


def test_the_last_admin_stays_and_nobody_does_it_to_themselves(admin: FlaskClient) -> None:
    with transaction() as session:
        ann = session.query(User).one()
        ann.totp_secret, ann.totp_enabled_at = "sealed", clock.now()
    moves = (("role", {"role": "agent"}), ("deactivation", {}), ("two-factor-removal", {}))
    for move, data in moves:
        said = act(admin, ann, move, **data)
        assert "yourself" in said or "last admin" in said
        assert "notice-trouble" in said
    assert admin.get("/users").status_code == 200
    assert admin.get(f"/users/{uuid.uuid4()}").status_code == 404


def test_an_admin_turns_off_the_second_step_of_who_lost_the_phone(
    app: Flask, admin: FlaskClient, bob: User
) -> None:
    with transaction() as session:
        user = session.merge(bob)
        user.totp_secret, user.totp_enabled_at = "sealed", clock.now()
    client = app.test_client()
    assert sign_in(client, bob.email).location == "/login/code"
    assert "password alone" in act(admin, bob, "two-factor-removal")
    assert sign_in(client, bob.email).location == "/"
    assert "off already" in act(admin, bob, "two-factor-removal")
    [entry] = [e for e in noted() if e.action == "two_factor.disabled"]
    assert entry.object_id == str(bob.id)


def test_a_new_link_is_shown_on_its_users_page_only(
    admin: FlaskClient, agent: FlaskClient, bob: User
) -> None:
    eve = make_user("eve@example.com")
    answer = send(admin, f"/users/{bob.id}", f"/users/{bob.id}/links", how="link")
    assert "/login/password/" not in admin.get(f"/users/{eve.id}").text
    assert "/login/password/" in admin.get(answer.location).text
    assert "/login/password/" not in admin.get(answer.location).text


@pytest.mark.parametrize("move", [("deactivation", {}), ("role", {"role": "agent"})])
def test_an_open_page_hears_no_more_once_one_is_out_or_may_do_less(
    server: str,
    app: Flask,
    monkeypatch: pytest.MonkeyPatch,
    move: tuple[str, dict[str, str]],
) -> None:
    """The stream of changes ends with the sign-in or the role, long before its own end."""
    monkeypatch.setattr(live, "LONGEST_STREAM_SECONDS", 60)
    monkeypatch.setattr(live, "HEARTBEAT_SECONDS", 1)
    make_user()
    bob = make_user("bob@example.com", "admin")
    admin, other = app.test_client(), app.test_client()
    sign_in(admin)
    sign_in(other, bob.email)
    stream = other.get("/live", buffered=False)
    pieces = iter(stream.response)
    assert next(pieces).startswith(b"retry")
    act(admin, bob, move[0], **move[1])
    heard: list[bytes] = []
    reading = threading.Thread(target=heard.extend, args=(pieces,), daemon=True)
    reading.start()
    reading.join(30)
    assert not reading.is_alive()  # the stream ended by itself
    assert str(bob.id).encode() not in b"".join(heard)
    stream.close()
