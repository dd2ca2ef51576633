"""What the last check found: a warning on every page, and what an admin can do."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from app.core.db import db
from app.upkeep.doctor import examine
from tests.jobs.conftest import n8n, start_worker
from tests.jobs.workers import Start
from tests.web.health_check import WARNING, break_something
from tests.web.signed_in import csrf_token, make_user, sign_in

__all__ = ["n8n", "start_worker"]
pytestmark = pytest.mark.usefixtures("database")


def test_no_warning_where_nothing_is_wrong(admin: FlaskClient) -> None:
    assert WARNING not in admin.get("/sessions").text
    examine(fix=False)
    assert WARNING not in admin.get("/sessions").text
    page = admin.get("/sync").text
    assert "Everything was in order" in page
    assert "Repair" not in page


def test_an_admin_is_told_what_is_wrong_and_where_to_repair_it(admin: FlaskClient) -> None:
    chat_id = break_something()
    examine(fix=False)
    for path in ("/sessions", "/notices", "/deliveries"):
        page = admin.get(path).text
        assert WARNING in page, path
        assert "1 session with wrong counters" in page
        assert "/sync#checks" in page
    page = admin.get("/sync").text
    assert f'href="/sessions/{chat_id}"' in page
    assert "Repair" in page


def test_an_agent_is_asked_to_tell_an_admin(app: Flask) -> None:
    make_user("bob@example.com", role="agent")
    client = app.test_client()
    sign_in(client, email="bob@example.com")
    break_something()
    examine(fix=False)
    page = client.get("/sessions").text
    assert "Please tell an admin" in page
    assert "/sync" not in page
    token = csrf_token(client.get("/sessions"))
    assert client.post("/sync/checks", data={"csrf_token": token}).status_code == 403


def test_repair_runs_as_a_job_and_ends_the_warning(admin: FlaskClient, start_worker: Start) -> None:
    break_something()
    examine(fix=False)
    token = csrf_token(admin.get("/sync"))
    answer = admin.post("/sync/checks", data={"csrf_token": token, "repair": "yes"})
    assert answer.status_code == 302
    page = admin.get("/sync").text
    assert "The check has begun" in page
    assert "A check is waiting" in page
    assert "No worker is running" in page

    admin.post("/sync/checks", data={"csrf_token": token})
    assert "running already" in admin.get("/sync").text
    db.session.rollback()
    waiting = "SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'check_everything'"
    assert db.session.scalar(text(waiting)) == 1
    db.session.rollback()

    assert start_worker("--once").wait(timeout=30) == 0
    assert WARNING not in admin.get("/sessions").text
    page = admin.get("/sync").text
    assert "1 session with wrong counters; all repaired." in page
    assert "A check is waiting" not in page
