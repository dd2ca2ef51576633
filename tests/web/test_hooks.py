"""Before a request: a short catch-up, at most once a second, that never stands in the way."""

from __future__ import annotations

import contextlib
import logging
import socket
import threading
import time
import uuid
from collections.abc import Iterator
from dataclasses import replace

import pytest
import requests
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, text

from app import create_app, sync
from app.core.db import transaction
from app.models import ChatSession
from app.sync import access
from app.web import hooks
from app.web.hooks import CatchUpHook
from config import Settings
from tests.completion.test_sweep import promised
from tests.web.signed_in import bearer, make_user, sign_in

pytestmark = pytest.mark.usefixtures("database")
NOTICE = "Catching up:"
#: How long a dead source would hold up who waits for it.
WAITED_SECONDS = 8


@pytest.fixture
def hook(app: Flask) -> Iterator[CatchUpHook]:
    """Turned on, and asked again at the next request."""
    found: CatchUpHook = app.extensions["catch_up"]
    found.is_enabled, found.is_behind = True, False
    again(found)
    yield found
    found.is_enabled, found.is_behind = False, False
    if found._running is not None:
        assert found._running.wait(30)


@pytest.fixture
def admin(client: FlaskClient, hook: CatchUpHook) -> FlaskClient:
    make_user()
    sign_in(client)
    again(hook)
    return client


def again(hook: CatchUpHook) -> None:
    """As if a second had passed."""
    hook._ask_at = 0.0
    with transaction() as session:
        session.execute(text("UPDATE catch_up SET next_at = now() - interval '1 hour'"))


def settle(hook: CatchUpHook) -> None:
    assert hook._running is not None
    assert hook._running.wait(30)


def is_completed(chat_id: uuid.UUID) -> bool:
    with transaction() as session:
        status = select(ChatSession.completion_status).where(ChatSession.id == chat_id)
        return session.scalar(status) == "completed"


def calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    made: list[str] = []

    def stand_in(seconds: float, *, cause: str) -> bool:
        assert seconds <= hooks.MOST_SECONDS
        made.append(cause)
        return True

    monkeypatch.setattr(hooks, "catch_up", stand_in)
    return made


def test_with_no_worker_at_all_a_page_shows_what_was_promised(
    admin: FlaskClient, hook: CatchUpHook
) -> None:
    [chat_id] = promised()
    admin.get("/sessions")
    settle(hook)
    assert is_completed(chat_id)
    assert "Completed" in admin.get(f"/sessions/{chat_id}").text


def test_only_the_dashboard_and_the_api_catch_up(
    admin: FlaskClient, hook: CatchUpHook, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = calls(monkeypatch)
    for path in ("/healthz", "/readyz", "/login", "/embed.js", "/no-such-page"):
        again(hook)
        admin.get(path)
    assert made == []
    for path in ("/sessions", "/notices", "/api/v1/sessions"):
        again(hook)
        admin.get(path)
        settle(hook)
    assert made == ["sweep"] * 3


def test_within_the_same_second_nothing_is_done_at_all(
    admin: FlaskClient, hook: CatchUpHook, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = calls(monkeypatch)
    monkeypatch.setattr(hooks, "EVERY_SECONDS", 60.0)
    for _ in range(5):
        admin.get("/sessions")
    settle(hook)
    assert made == ["sweep"]


def test_two_processes_catch_up_once_a_second_together(
    settings: Settings, hook: CatchUpHook, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = calls(monkeypatch)
    monkeypatch.setattr(hooks, "EVERY_SECONDS", 60.0)
    other = create_app(settings)
    for each in (app, other, app, other):
        each.extensions["catch_up"]._ask_at = 0.0
        threading.Thread(target=each.test_client().get, args=("/sessions",)).run()
        settle(each.extensions["catch_up"])
    assert made == ["sweep"]


def test_the_next_second_is_not_put_off_by_another_process(
    admin: FlaskClient, hook: CatchUpHook, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = calls(monkeypatch)
    with transaction() as session:  # the other one did it, and its second is nearly over
        session.execute(text("DELETE FROM catch_up"))
        session.execute(
            text("INSERT INTO catch_up (id, next_at) VALUES (1, now() + interval '2 seconds')")
        )
    admin.get("/sessions")
    settle(hook)
    assert made == []
    left = hook._ask_at - time.monotonic()
    assert left < 2  # not a whole second more
    time.sleep(max(0.0, left) + 0.1)
    admin.get("/sessions")
    settle(hook)
    assert made == ["sweep"]


def test_the_page_says_that_it_is_catching_up_until_it_has(
    admin: FlaskClient, hook: CatchUpHook, monkeypatch: pytest.MonkeyPatch
) -> None:
    api = bearer(admin)
    monkeypatch.setattr(hooks, "catch_up", lambda seconds, cause: False)
    again(hook)
    assert NOTICE in admin.get("/sessions").text
    settle(hook)
    assert NOTICE in admin.get("/notices").text
    assert admin.get("/api/v1/sessions", headers=api).headers["Catching-Up"] == "true"

    monkeypatch.setattr(hooks, "catch_up", lambda seconds, cause: True)
    again(hook)
    admin.get("/sessions")
    settle(hook)
    assert NOTICE not in admin.get("/notices").text
    assert "Catching-Up" not in admin.get("/api/v1/sessions", headers=api).headers


def test_work_left_by_another_process_is_told_too(admin: FlaskClient, hook: CatchUpHook) -> None:
    with transaction() as session:
        session.execute(text("DELETE FROM catch_up"))
        session.execute(
            text(
                "INSERT INTO catch_up (id, next_at, is_behind)"
                " VALUES (1, now() + interval '1 hour', true)"
            )
        )
    hook._ask_at = 0.0
    admin.get("/sessions")
    settle(hook)
    assert NOTICE in admin.get("/notices").text


def test_an_error_in_catching_up_breaks_no_page(
    admin: FlaskClient,
    hook: CatchUpHook,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def broken(seconds: float, *, cause: str) -> bool:
        raise ValueError("broken")

    monkeypatch.setattr(hooks, "catch_up", broken)
    with caplog.at_level(logging.ERROR):
        assert admin.get("/sessions").status_code == 200
        settle(hook)
    assert "catching up before a request failed" in caplog.text


def test_a_request_does_not_wait_for_work_that_takes_long(
    admin: FlaskClient, hook: CatchUpHook, monkeypatch: pytest.MonkeyPatch
) -> None:
    may_end = threading.Event()
    made: list[int] = []

    def long(seconds: float, *, cause: str) -> bool:
        made.append(threading.active_count())
        return may_end.wait(30)

    monkeypatch.setattr(hooks, "catch_up", long)
    try:
        for _ in range(4):
            again(hook)
            assert NOTICE in admin.get("/sessions").text
        assert len(made) == 1  # they do not pile up
    finally:
        may_end.set()
    settle(hook)
    assert NOTICE not in admin.get("/notices").text


@contextlib.contextmanager
def silent_port() -> Iterator[int]:
    """A port that accepts and never answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=50) as listening:
        yield int(listening.getsockname()[1])


def refusing_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


@pytest.mark.parametrize("kind", ["silent", "refusing"])
def test_a_dead_source_holds_up_no_request(
    kind: str,
    server: str,
    hook: CatchUpHook,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(access, "CONNECT_SECONDS", WAITED_SECONDS)
    make_user()
    [chat_id] = promised()
    with silent_port() as silent:
        port = silent if kind == "silent" else refusing_port()
        url = f"postgresql+psycopg2://ann:secret@127.0.0.1:{port}/n8n"
        sync.configure(replace(settings, n8n_memory_database_url=url))
        try:
            token = requests.post(
                f"{server}/api/v1/auth/token",
                json={"email": "ann@example.com", "password": "correct horse"},
                timeout=20,
            ).json()["access_token"]
            for _ in range(3):
                again(hook)
                began = time.monotonic()
                answer = requests.get(
                    f"{server}/api/v1/sessions",
                    headers={"Authorization": f"Bearer {token}"},
                    timeout=20,
                )
                assert answer.status_code == 200
                assert time.monotonic() - began < WAITED_SECONDS / 2
        finally:
            sync.configure(settings)
    settle(hook)
    assert is_completed(chat_id)
