from __future__ import annotations

import contextvars
import dataclasses
import re
import threading
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from app.accounts import users
from app.core import clock
from app.core.db import transaction
from app.models import User
from app.web.frame.addresses import local_path
from config import Settings
from tests.web.audit_log import noted
from tests.web.signed_in import PASSWORD, csrf_token, make_user, sign_in

pytestmark = pytest.mark.usefixtures("database")


def test_signing_in_leads_to_the_sessions(client: FlaskClient) -> None:
    make_user()
    answer = sign_in(client)
    assert (answer.status_code, answer.location) == (302, "/")
    assert client.get("/sessions").status_code == 200
    assert client.get("/login").location == "/"


def test_the_cookie_is_out_of_reach_for_scripts_and_other_sites(client: FlaskClient) -> None:
    make_user()
    cookie = sign_in(client).headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Secure" not in cookie


def test_in_production_the_cookie_needs_https(settings: Settings) -> None:
    production = dataclasses.replace(settings, app_env="production").flask_config()
    assert production["SESSION_COOKIE_SECURE"] is True


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"password": "wrong"}, "do not go together"),
        ({"email": "nobody@example.com"}, "do not go together"),
        ({"email": "a\x00b"}, "do not go together"),
        ({"password": ""}, "Please type your password."),
        ({"email": ""}, "Please type your e-mail."),
    ],
)
def test_a_failed_sign_in_says_so_beside_the_field_and_keeps_the_email(
    client: FlaskClient, values: dict[str, str], words: str
) -> None:
    make_user()
    page = sign_in(client, **{"email": "ann@example.com", **values})
    assert page.status_code == 422
    assert words in page.text
    assert 'aria-describedby="' in page.text
    if "email" not in values:
        assert 'value="ann@example.com"' in page.text
    assert client.get("/sessions").status_code == 302


def test_wrong_and_unknown_look_the_same(client: FlaskClient) -> None:
    make_user()
    wrong = sign_in(client, password="wrong")
    unknown = sign_in(client, email="bob@example.com")
    assert _without_token(wrong.text, "ann@") == _without_token(unknown.text, "bob@")


def test_signing_in_leads_back_to_where_one_was_going(client: FlaskClient) -> None:
    make_user()
    asked = client.get("/sessions?completion_status=completed")
    assert asked.location == "/login?next=/sessions?completion_status%3Dcompleted"
    page = client.get(asked.location)
    assert 'value="/sessions?completion_status=completed"' in page.text
    answer = sign_in(client, next="/sessions?completion_status=completed")
    assert answer.location == "/sessions?completion_status=completed"


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)",
        "sessions", "", None, "/\t/evil.example", "/\n/evil.example", "///evil.example",
    ],
)  # fmt: skip
def test_next_is_never_another_site(app: Flask, target: str | None) -> None:
    with app.test_request_context():
        assert local_path(target) == "/"


@pytest.mark.parametrize(
    "path",
    [
        "/login",
        "/logout",
        "/deliveries/attempts",
        "/deliveries/6f0c8c5e-95a3-4a52-b5e9-7a0a3a1f3c55/attempts",
        "/destinations/n8n/resumption",
        "/destinations/n8n/test",
    ],
)
def test_no_form_works_without_its_token(client: FlaskClient, path: str) -> None:
    make_user()
    sign_in(client)
    for token in ("", "made-up"):
        page = client.post(path, data={"csrf_token": token, "email": "ann@example.com"})
        assert page.status_code == 400
        assert "open for too long" in page.text
    assert client.get("/sessions").status_code == 200


def test_signing_out(client: FlaskClient) -> None:
    make_user()
    sign_in(client)
    client.post("/logout", data={"csrf_token": csrf_token(client.get("/sessions"))})
    assert client.get("/sessions").status_code == 302


def test_a_new_password_ends_the_sessions_that_are_open(client: FlaskClient) -> None:
    make_user()
    sign_in(client)
    with transaction() as session:
        users.reset_password(session, "ann@example.com")
    assert client.get("/sessions").status_code == 302


def test_a_password_changed_while_the_old_one_signs_in_keeps_it_out(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_user()
    verify = users.verify

    def changed_right_after(session: Session, email: str, password: str) -> User | None:
        user = verify(session, email, password)
        thread = threading.Thread(target=contextvars.Context().run, args=(change,))
        thread.start()
        thread.join()
        return user

    def change() -> None:
        with app.app_context(), transaction() as session:
            users.reset_password(session, "ann@example.com", "quite another one")

    monkeypatch.setattr(users, "verify", changed_right_after)
    assert sign_in(client).status_code == 422
    assert client.get("/sessions").status_code == 302
    assert noted() == []


def test_who_is_made_inactive_is_out_at_once(client: FlaskClient) -> None:
    user = make_user()
    sign_in(client)
    with transaction() as session:
        session.merge(user).is_active = False
    assert client.get("/sessions").status_code == 302


def test_a_forged_cookie_is_nobody(client: FlaskClient) -> None:
    client.set_cookie("session", "eyJfdXNlcl9pZCI6IngifQ.aaaa.bbbb")
    assert client.get("/sessions").status_code == 302


def test_guessing_is_slowed_down_and_a_right_password_is_told_the_same(
    client: FlaskClient, app: Flask
) -> None:
    make_user()
    assert [sign_in(client, password="wrong").status_code for _ in range(6)] == [422] * 5 + [429]
    pages = [sign_in(client, password=password) for password in ("wrong", PASSWORD)]
    pages += [sign_in(client, email="nobody@example.com") for _ in range(6)][-1:]
    assert [page.status_code for page in pages] == [429] * 3
    assert "Please wait a minute" in pages[0].text
    assert 0 < int(pages[0].headers["Retry-After"]) <= 60
    texts = {_without_token(page.text, "nobody@").replace("ann@", "") for page in pages}
    assert len(texts) == 1
    given = {"email": "ann@example.com", "password": PASSWORD}
    assert client.post("/api/v1/auth/token", json=given).status_code == 429
    with clock.moved(timedelta(minutes=1, seconds=1)):
        assert sign_in(client).status_code == 302
    sign_out = {"csrf_token": csrf_token(client.get("/sessions"))}
    client.post("/logout", data=sign_out)
    assert [sign_in(client, password="wrong").status_code for _ in range(6)] == [422] * 5 + [429]
    failures = [entry for entry in noted() if entry.action == "user.sign_in_failed"]
    assert [entry.details["tries"] for entry in failures] == [5, 5]


def test_the_api_counts_with_the_pages_and_new_passwords_begin_anew(client: FlaskClient) -> None:
    make_user()
    wrong = {"email": "ann@example.com", "password": "wrong"}
    codes = [client.post("/api/v1/auth/token", json=wrong).status_code for _ in range(6)]
    assert codes == [401] * 5 + [429]
    assert sign_in(client).status_code == 429
    with transaction() as session:
        users.reset_password(session, "ann@example.com", PASSWORD)
    assert sign_in(client).status_code == 302


def test_many_accounts_from_one_address(client: FlaskClient) -> None:
    codes = [sign_in(client, email=f"{n}@example.com").status_code for n in range(21)]
    assert codes == [422] * 20 + [429]


def test_signing_in_is_limited_although_rates_are_not(
    client: FlaskClient, settings: Settings
) -> None:
    assert not settings.ratelimit_enabled
    make_user()
    statuses = [sign_in(client, password="wrong").status_code for _ in range(7)]
    assert statuses == [422] * 5 + [429] * 2


def test_signing_in_is_noted(client: FlaskClient) -> None:
    user = make_user()
    sign_in(client)
    [entry] = noted()
    assert (entry.action, entry.user_id, entry.address) == ("user.signed_in", user.id, "127.0.0.1")


def test_the_sign_in_lasts_two_weeks(app: Flask) -> None:
    assert app.permanent_session_lifetime == timedelta(days=14)


def _without_token(page: str, email: str) -> str:
    return re.sub(r'value="[^"]{60,}"', "", page).replace(email, "")
