"""Pages that wait for the database keep nobody from chatting, and say so in plain words."""

from __future__ import annotations

import html
import re
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask, Response, request
from flask.testing import FlaskClient
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError
from werkzeug.test import TestResponse

from app.core.connection_shares import (
    CHATS,
    HEALTH,
    PAGES,
    Share,
    SharedPool,
    ShareIsFull,
    Use,
    current_use,
    use_share,
)
from app.core.db import db, transaction
from app.models import Lead, User
from app.web import connection_shares, database_errors
from app.web.operations import STILL_READY_SECONDS
from tests.factories import make_site
from tests.reporting.test_leads import came
from tests.web.dashboard.sessions.test_show import Form
from tests.web.signed_in import bearer, csrf_token, make_user, sign_in
from tests.web.widget.test_conversation import message, send, start

pytestmark = pytest.mark.usefixtures("database")

IMPATIENT = replace(PAGES, wait_seconds=0.0)
#: Long enough for a page that is not locked out, on a busy machine.
LOCKED_OUT_MS = 400


@contextmanager
def held(app: Flask, share: Share, owner: str = "somebody {}", most: int = 20) -> Iterator[int]:
    """As many connections of a share as there are."""
    with ExitStack() as holders:
        number = 0
        while number < most:
            holders.enter_context(app.app_context())
            use_share(replace(share, wait_seconds=0.0), owner.format(number))
            try:
                db.session().connection()
            except ShareIsFull:
                break
            number += 1
        yield number


@contextmanager
def locked(table: str) -> Iterator[None]:
    with db.engine.connect() as connection:
        connection.execute(text(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE"))
        yield
        connection.rollback()


@pytest.fixture
def is_impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection_shares, "PAGES", IMPATIENT)


@pytest.fixture
def is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    limited = replace(PAGES, statement_timeout_ms=LOCKED_OUT_MS)
    monkeypatch.setattr(connection_shares, "PAGES", limited)


def check(answer: TestResponse, detail: str) -> None:
    assert answer.status_code == 503, answer.text
    assert answer.headers["Retry-After"] == str(database_errors.RETRY_AFTER_SECONDS)
    if answer.mimetype == "application/problem+json":
        assert answer.json is not None
        assert (answer.json["status"], answer.json["detail"]) == (503, detail)
    else:
        assert detail in html.unescape(answer.text)
        assert answer.headers["Cache-Control"] == "no-store"
        assert "Content-Security-Policy" in answer.headers


@pytest.mark.usefixtures("is_impatient")
def test_visitors_chat_while_pages_hold_every_connection_they_may(
    app: Flask, client: FlaskClient, agent: FlaskClient
) -> None:
    with transaction() as session:
        make_site(session, key="acme")
    headers = bearer(client, "bob@example.com")
    with held(app, PAGES) as number:
        assert number == 4
        started = start(client)
        answer = send(client, started, message("I am Ann, please call me"))
        assert answer.status_code == 200
        assert [each["role"] for each in answer.json["messages"]] == ["visitor", "assistant"]
        assert client.get("/widget/acme").status_code == 200
        # And those who are refused learn it in their own form.
        page = agent.get("/leads?q=example")
        check(page, database_errors.SLOW)
        assert 'href="/leads?q=example"' in page.text
        check(agent.get("/sessions/rows?ids=", headers={"X-Piece": "1"}), database_errors.SLOW)
        assert agent.get("/leads", headers={"X-Piece": "1"}).mimetype == "text/plain"
        machine = client.get("/api/v1/sessions?q=example", headers=headers)
        assert machine.mimetype == "application/problem+json"
        check(machine, database_errors.SLOW)
        check(client.post("/api/v1/messages", json={}, headers=headers), database_errors.TRY_AGAIN)
        assert client.get("/login").status_code == 200  # asks the database nothing
        ready = client.get("/readyz")
        assert ready.status_code == 200
    assert agent.get("/leads?q=example").status_code == 200


@pytest.mark.usefixtures("is_impatient")
def test_one_users_searches_leave_connections_to_the_others(
    app: Flask, agent: FlaskClient, client: FlaskClient
) -> None:
    bob = db.session.scalars(select(User.id)).one()
    make_user("ann@example.com")
    own, others = bearer(client, "bob@example.com"), bearer(client)
    with held(app, PAGES, f"user {bob}") as number:
        assert number == PAGES.most_per_owner
        # Whether by cookie or by token: it is the same user.
        check(agent.get("/sessions"), database_errors.SLOW)
        check(client.get("/api/v1/sessions", headers=own), database_errors.SLOW)
        assert client.get("/api/v1/sessions", headers=others).status_code == 200
        assert sign_in(client).status_code == 302


def test_who_asks_is_told_without_the_database(app: Flask, agent: FlaskClient) -> None:
    bob = db.session.scalars(select(User.id)).one()
    cases: dict[str, dict[str, Any]] = {
        f"user {bob}": {"headers": bearer(agent, "bob@example.com")},
        "address 198.18.0.1": {"environ_base": {"REMOTE_ADDR": "198.18.0.1"}},
        "address 2001:db8::/64": {
            "environ_base": {"REMOTE_ADDR": "2001:db8::7"},
            "headers": {"Authorization": "Bearer made up"},
        },
    }
    for owner, asked in cases.items():
        with app.test_request_context("/api/v1/sessions", **asked):
            connection_shares._choose()
            assert current_use() == Use(PAGES, owner)
    key = {"X-API-Key": "secret"}
    with app.test_request_context("/api/v1/sessions", headers=key):
        connection_shares._choose()
        assert current_use().owner.startswith("key ")
        assert "secret" not in current_use().owner


def test_every_blueprint_has_its_share(app: Flask) -> None:
    parts = {}
    for rule in app.url_map.iter_rules():
        blueprint = rule.endpoint.rpartition(".")[0]
        with app.test_request_context("/"):
            request.url_rule = rule
            connection_shares._choose()
            parts[blueprint] = current_use().share.part
    assert {name for name, part in parts.items() if part == "chats"} == {"widget"}
    assert {name for name, part in parts.items() if part == "health"} == {"operations"}


@pytest.mark.usefixtures("is_limited")
def test_a_statement_that_takes_too_long_is_ended(agent: FlaskClient, client: FlaskClient) -> None:
    headers = bearer(client, "bob@example.com")
    with locked("leads"):
        check(agent.get("/leads"), database_errors.SLOW)
        check(agent.get("/leads/rows", headers={"X-Piece": "1"}), database_errors.SLOW)
    with locked("chat_sessions"):
        check(client.get("/api/v1/sessions", headers=headers), database_errors.SLOW)
    assert agent.get("/leads").status_code == 200


@pytest.mark.usefixtures("is_limited")
def test_a_form_that_could_not_be_saved_is_kept_and_can_be_sent_again(agent: FlaskClient) -> None:
    with transaction() as session:
        lead = came(session, 1, name="Ann", email="ann@x.example")
        lead_id, path = lead.id, f"/sessions/{lead.session_id}"
    form = Form(agent, lead.session_id)
    typed = {**form.data, "value-name": "Ann </textarea> & Lee", "value-company": "\nAcme"}
    with locked("leads"):
        refused = agent.post(f"{path}/lead", data=typed)
        check(refused, database_errors.NOT_SAVED)
    names = select(Lead.name).where(Lead.id == lead_id)
    assert db.session.scalar(names) == "Ann"
    db.session.rollback()
    assert f'action="{path}/lead"' in refused.text
    found = re.findall(
        r'<textarea name="([^"]+)" hidden>\n(.*?)</textarea>', refused.text, re.DOTALL
    )
    kept = {name: html.unescape(value) for name, value in found}
    assert kept == typed
    assert agent.post(f"{path}/lead", data=kept).status_code == 302
    assert db.session.scalar(names) == "Ann </textarea> & Lee"


@pytest.mark.usefixtures("is_limited")
def test_what_is_secret_is_not_given_back(client: FlaskClient) -> None:
    make_user()
    token = csrf_token(client.get("/login"))
    with locked("users"):
        form = {"csrf_token": token, "email": "ann@example.com", "password": "my password"}
        refused = client.post("/login", data=form)
    check(refused, database_errors.TRY_AGAIN)
    assert "my password" not in refused.text
    assert "<form" not in refused.text


DATABASE_ERRORS = {
    "57014": 503, "55P03": 503, "40P01": 503, "40001": 503, "53300": 503, "57P01": 503,
    "57P03": 503, "53200": 503, "08006": 503, "22P02": 500, "42601": 500,
}  # fmt: skip


@pytest.mark.parametrize(("code", "status"), DATABASE_ERRORS.items())
def test_errors_that_pass_are_503_and_others_are_bugs(app: Flask, code: str, status: int) -> None:
    """As the database itself raises them, in a page, an API call and a chat."""
    raised = f"DO $$ BEGIN RAISE EXCEPTION 'planned' USING ERRCODE = '{code}'; END $$"
    for path in ("/leads", "/api/v1/sessions", "/widget/acme/sessions"):
        with app.test_request_context(path), pytest.raises(DBAPIError) as error:
            db.session.execute(text(raised))
        with app.test_request_context(path):
            answer = app.handle_user_exception(error.value)
            assert isinstance(answer, Response)
            assert answer.status_code == status
            assert ("Retry-After" in answer.headers) == (status == 503)
            assert "planned" not in answer.get_data(as_text=True)


def test_a_killed_connection_is_no_bug(app: Flask, agent: FlaskClient) -> None:
    with app.test_request_context("/api/v1/sessions"), pytest.raises(DBAPIError) as error:
        db.session.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
    with app.test_request_context("/api/v1/sessions"):
        answer = app.handle_user_exception(error.value)
        assert isinstance(answer, Response)
        assert answer.status_code == 503
    assert agent.get("/leads").status_code == 200


def test_readyz_tells_who_waits_and_answers_whatever_is_busy(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection_shares, "HEALTH", replace(HEALTH, wait_seconds=0.0))
    app.extensions.pop("ready_at", None)
    pool = db.engine.pool
    assert isinstance(pool, SharedPool)
    with held(app, PAGES), held(app, CHATS, most=9):
        answer = client.get("/readyz")
        assert (answer.status_code, set(answer.json["checks"])) == (
            200, {"database", "migrations", "worker"},
        )  # fmt: skip
        waiter = threading.Thread(target=pool.gate.enter, args=(Use(CHATS), 60.0))
        waiter.start()
        while not pool.gate.waiting()["chats"]:
            waiter.join(0.01)
        told = client.get("/readyz")
        assert (told.status_code, told.json["status"]) == (200, "degraded")
        assert "chats and deliveries" in told.json["checks"]["chats"]
        assert "pages" not in told.json["checks"]
    waiter.join()
    pool.gate.leave(Use(CHATS))
    with held(app, HEALTH):
        # A moment ago a check found all well.
        assert client.get("/readyz").status_code == 200
        app.extensions["ready_at"] -= STILL_READY_SECONDS + 1
        late = client.get("/readyz")
        assert (late.status_code, late.json["status"]) == (503, "unavailable")
        assert client.get("/healthz").status_code == 200
