"""The second step of signing in, through the pages."""

from __future__ import annotations

import html
import re
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.accounts import users
from app.core import clock
from app.core.db import transaction
from tests.accounts.authenticator import code_of
from tests.web.audit_log import noted
from tests.web.forms import follow, send
from tests.web.problems import assert_problem
from tests.web.signed_in import PASSWORD, bearer, sign_in
from tests.web.two_factor import CODE, SET_UP, ann, set_up

pytestmark = pytest.mark.usefixtures("database")


def test_the_password_alone_signs_nobody_in(app: Flask, admin: FlaskClient) -> None:
    codes = set_up(admin)
    client = app.test_client()
    assert sign_in(client, next="/incidents").location == CODE
    assert client.get("/sessions").location.startswith("/login?")
    assert send(client, CODE, code="000000").status_code == 422
    with clock.moved(timedelta(seconds=30)):
        code = code_of(ann())
        assert send(client, CODE, code=code).location == "/incidents"
        assert client.get("/sessions").status_code == 200
        replayed = app.test_client()
        sign_in(replayed)
        refused = send(replayed, CODE, code=code)
        assert refused.status_code == 422
        assert "used already" in refused.text
        assert replayed.get("/sessions").status_code == 302
    for client, status in ((app.test_client(), 302), (app.test_client(), 422)):
        sign_in(client)
        assert send(client, CODE, code=codes[0]).status_code == status
    assert [e.details.get("second_step") for e in noted() if e.action == "user.signed_in"] == [
        None, "app", "recovery_code",
    ]  # fmt: skip


def test_between_the_steps_there_are_ten_minutes_and_nothing_ends_unseen(
    app: Flask, admin: FlaskClient
) -> None:
    codes = set_up(admin)
    client = app.test_client()
    assert client.get(CODE).location == "/login"
    sign_in(client)
    with clock.moved(timedelta(minutes=10, seconds=1)):
        assert client.get(CODE).location == "/login"
    assert client.get(CODE).status_code == 200
    with transaction() as session:
        users.reset_password(session, "ann@example.com", PASSWORD)
    assert client.get(CODE).location == "/login"
    assert client.post(CODE, data={"code": codes[0]}).status_code == 400


def test_codes_cannot_be_guessed_for_long(app: Flask, admin: FlaskClient) -> None:
    codes = set_up(admin)
    client = app.test_client()
    answers = []
    for _ in range(6):
        sign_in(client)  # the right password gives no new tries
        answers.append(send(client, CODE, code="000000").status_code)
    assert answers == [422] * 5 + [429]
    assert sign_in(app.test_client()).status_code == 429
    assert client.get(CODE).status_code == 200
    assert send(client, CODE, code=codes[0]).status_code == 429


def test_the_api_does_not_go_around_it(app: Flask, admin: FlaskClient) -> None:
    headers = bearer(admin)
    set_up(admin)
    assert admin.get("/api/v1/sessions", headers=headers).status_code == 401
    given = {"email": "ann@example.com", "password": PASSWORD}
    answer = admin.post("/api/v1/auth/token", json=given)
    assert_problem(answer, 403)
    assert "API key" in answer.json["detail"]  # type: ignore[index]
    wrong = admin.post("/api/v1/auth/token", json={**given, "password": "wrong"})
    assert_problem(wrong, 401)


def test_turning_it_on_and_off_asks_for_the_password(app: Flask, admin: FlaskClient) -> None:
    other = app.test_client()
    sign_in(other)
    refused = send(admin, "/profile", SET_UP, set_up_password="wrong")
    assert refused.status_code == 422
    assert "not your password" in refused.text
    assert admin.get(SET_UP).location == "/profile"
    set_up(admin)
    assert admin.get("/sessions").status_code == 200
    assert other.get("/sessions").status_code == 302  # it has seen no code
    assert send(admin, "/profile", f"{SET_UP}/removal", two_factor_password="x").status_code == 422
    fresh = send(admin, "/profile", "/profile/recovery-codes", two_factor_password=PASSWORD)
    assert len(re.findall(r"<code>[a-z0-9-]{14}</code>", fresh.text)) == 10
    said = follow(admin, "/profile", f"{SET_UP}/removal", two_factor_password=PASSWORD)
    assert "is off" in html.unescape(said)
    assert sign_in(other).location == "/"
    assert [e.action for e in noted() if e.action.startswith("two_factor")] == [
        "two_factor.enabled", "two_factor.codes_made", "two_factor.disabled",
    ]  # fmt: skip
