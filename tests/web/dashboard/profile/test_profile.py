from __future__ import annotations

from datetime import UTC, datetime

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.core.db import transaction
from app.models import User
from tests.factories import make_chat
from tests.web.audit_log import noted
from tests.web.forms import follow, send
from tests.web.signed_in import bearer, make_user, sign_in

pytestmark = pytest.mark.usefixtures("database")
VALUES = {"name": "Ann Lee", "timezone": "Asia/Tokyo", "theme": "dark", "wants_notices": "yes"}


def ann() -> User:
    with transaction() as session:
        return session.query(User).filter_by(email="ann@example.com").one()


def test_name_time_zone_and_theme_count_on_every_page(app: Flask, admin: FlaskClient) -> None:
    with transaction() as session:
        chat = make_chat(session, started_at=datetime(2026, 1, 2, 20, 30, tzinfo=UTC))
    page = admin.get(f"/sessions/{chat.id}").text
    assert 'data-bs-theme="light" data-theme="system"' in page
    assert "20:30:00 UTC" in page
    page = follow(admin, "/profile", "/profile", **VALUES)
    assert "Your profile is saved." in page
    page = admin.get(f"/sessions/{chat.id}").text
    assert 'data-bs-theme="dark" data-theme="dark"' in page
    assert "Ann Lee" in page
    assert "3 Jan 2026, 05:30:00 JST" in page
    other = app.test_client()
    sign_in(other)
    assert 'data-bs-theme="dark"' in other.get("/sessions").text  # kept by the server
    [entry] = [e for e in noted() if e.action == "profile.changed"]
    assert sorted(entry.details["fields"]) == ["name", "theme", "timezone"]


def test_notices_are_wanted_or_not(admin: FlaskClient) -> None:
    without = {key: value for key, value in VALUES.items() if key != "wants_notices"}
    follow(admin, "/profile", "/profile", **without)
    assert ann().wants_notices is False
    follow(admin, "/profile", "/profile", **VALUES)
    assert ann().wants_notices is True


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("name", "x" * 101, "at most 100"),
        ("name", "a\x00b", "at most 100"),
        ("timezone", "Mars/Olympus", "one of the list"),
        ("theme", "pink", "one of them"),
    ],
)
def test_what_is_wrong_is_said_beside_it_and_nothing_typed_is_lost(
    admin: FlaskClient, name: str, value: str, words: str
) -> None:
    page = send(admin, "/profile", "/profile", **{**VALUES, name: value})
    assert page.status_code == 422
    assert words in page.text
    assert "Ann Lee" in page.text or name == "name"
    assert ann().timezone == "UTC"


def test_the_side_bar_keeps_the_theme_too(admin: FlaskClient) -> None:
    assert send(admin, "/sessions", "/profile/theme", theme="dark").status_code == 204
    assert ann().theme == "dark"
    assert send(admin, "/sessions", "/profile/theme", theme="pink").status_code == 422


def test_signing_out_everywhere_is_for_agents_too(app: Flask) -> None:
    make_user("bob@example.com", "agent")
    here, there = app.test_client(), app.test_client()
    for client in (here, there):
        sign_in(client, "bob@example.com")
    headers = bearer(here, "bob@example.com")
    assert "You are signed out everywhere." in follow(here, "/profile", "/profile/sign-outs")
    assert here.get("/sessions").status_code == there.get("/sessions").status_code == 302
    assert there.get("/api/v1/sessions", headers=headers).status_code == 401
    assert [e.action for e in noted()][-1] == "user.signed_out_everywhere"
