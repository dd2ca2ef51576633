"""A sign-in ends on the server: alone at sign-out, with all others where that is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
import requests
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, select

from app.core import clock, events
from app.core.db import db, transaction
from app.models import SignIn
from tests.web.auth.test_sign_in import noted
from tests.web.forms import send
from tests.web.frame.test_live import read_event, stream
from tests.web.signed_in import PASSWORD, csrf_token, make_user, sign_in

pytestmark = pytest.mark.usefixtures("database")


def copy_of(app: Flask, browser: FlaskClient, *names: str) -> FlaskClient:
    """Another browser with these cookies of the first one."""
    thief = app.test_client()
    for name in names:
        cookie = browser.get_cookie(name)
        assert cookie is not None
        thief.set_cookie(name, cookie.value)
    return thief


def sign_out(browser: FlaskClient) -> None:
    browser.post("/logout", data={"csrf_token": csrf_token(browser.get("/sessions"))})


def test_a_copied_cookie_is_dead_after_sign_out_and_other_browsers_stay(
    app: Flask, admin: FlaskClient
) -> None:
    other = app.test_client()
    sign_in(other)
    copy = copy_of(app, admin, "session", "known_device")
    assert copy.get("/sessions").status_code == 200
    sign_out(admin)
    assert copy.get("/sessions").status_code == 302
    assert copy.get("/live").status_code == 302
    assert other.get("/sessions").status_code == 200
    assert [each.action for each in noted()] == ["user.signed_in"] * 2 + ["user.signed_out"]


def test_the_stream_of_a_browser_that_signs_out_ends_and_no_other(server: str) -> None:
    make_user()
    with stream(server) as staying, requests.Session() as leaving:
        token = csrf_of(sign_in_at(server, leaving))
        with leaving.get(f"{server}/live", stream=True, timeout=60) as ending:
            lines = ending.iter_lines(chunk_size=1, decode_unicode=True)
            assert next(lines) == "retry: 1000"
            leaving.post(f"{server}/logout", data={"csrf_token": token}, timeout=60)
            with transaction() as session:
                events.announce(session, "sites", "x")
            assert "sites" not in "".join(_until_told(lines))  # it has ended before
        told: object = {}
        while "sites" not in str(told):  # news that comes close together is one event
            _, told = read_event(staying)


def _until_told(lines: Iterator[str]) -> Iterator[str]:
    for line in lines:
        yield line
        if "sites" in line:
            return


def csrf_of(page: str) -> str:
    return page.split('name="csrf_token"')[1].split('value="')[1].split('"')[0]


def sign_in_at(server: str, browser: requests.Session) -> str:
    """Gives the page one comes to."""
    token = csrf_of(browser.get(f"{server}/login", timeout=60).text)
    data = {"csrf_token": token, "email": "ann@example.com", "password": PASSWORD}
    return browser.post(f"{server}/login", data=data, timeout=60).text


def test_signing_out_everywhere_deletes_every_row(app: Flask, admin: FlaskClient) -> None:
    other = app.test_client()
    sign_in(other)
    assert send(admin, "/profile", "/profile/sign-outs").status_code == 302
    assert other.get("/sessions").status_code == 302
    with transaction() as session:
        assert session.query(SignIn).count() == 0


def test_a_cookie_of_before_this_release_signs_nobody_in(app: Flask, client: FlaskClient) -> None:
    user = make_user()
    client.get("/login")
    with client.session_transaction() as cookie:
        cookie["_user_id"] = f"{user.id}:{user.token_version}"
    assert client.get("/sessions").status_code == 302


def test_use_is_noted_once_an_hour_and_asks_nothing_else(admin: FlaskClient) -> None:
    admin.get("/profile")
    few = len(statements(admin, "/profile"))
    assert seen_at() < clock.now()
    with clock.moved(timedelta(hours=1, seconds=1)):
        before = seen_at()
        assert len(statements(admin, "/profile")) == few + 1
        assert seen_at() > before
        assert len(statements(admin, "/profile")) == few


def test_who_asks_is_one_query(admin: FlaskClient) -> None:
    asked = statements(admin, "/sessions")
    assert sum("sign_ins" in each for each in asked) == 1
    assert sum("FROM users" in each for each in asked) == 1


def statements(browser: FlaskClient, path: str) -> list[str]:
    sent: list[str] = []
    note = lambda *given: sent.append(given[2])  # noqa: E731
    event.listen(db.engine, "before_cursor_execute", note)
    browser.get(path)
    event.remove(db.engine, "before_cursor_execute", note)
    return sent


def seen_at():  # type: ignore[no-untyped-def]
    with transaction() as session:
        return session.scalars(select(SignIn.last_seen_at)).one()
