"""The worker sees new rows and unjudged messages by itself, told or not."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence

import pytest
from flask import Flask
from sqlalchemy import text

from app.core.db import transaction
from app.jobs import watcher as watching
from app.jobs.watcher import Watcher, look_once
from app.sync import trigger
from tests.completion.test_sweep import completed, promised
from tests.jobs.workers import Start
from tests.sync.conftest import memory, site
from tests.sync.n8n import PROMISE, TABLE, count, make, run, write

__all__ = ["memory", "site"]


@pytest.fixture
def watcher(database: Flask) -> Iterator[Watcher]:
    found = Watcher(database)
    yield found
    found.stop()


def until(condition: Callable[[], object], within_seconds: float = 60) -> None:
    deadline = time.monotonic() + within_seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def is_done(number: int = 1) -> bool:
    return count("chat_sessions WHERE completion_status = 'completed'") == number


def test_rows_are_seen_without_a_trigger(memory: str, watcher: Watcher) -> None:
    watcher.start()
    write("S-1", "Please call me", PROMISE)
    until(is_done)
    assert count("session_events WHERE cause = 'auto_sync'") == 1


def test_the_trigger_wakes_it_at_once(
    memory: str, watcher: Watcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "LOOK_EVERY_SECONDS", 3600.0)
    trigger.install(TABLE)
    watcher.start()
    until(lambda: count("pg_stat_activity WHERE application_name = 'platform-5ive watcher'") > 0)
    time.sleep(0.5)
    write("S-1", "Please call me", PROMISE)
    until(is_done)


def test_the_listener_comes_back_after_its_connection_is_lost(
    memory: str, watcher: Watcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "LOOK_EVERY_SECONDS", 3600.0)
    trigger.install(TABLE)
    watcher.start()
    listening = "pg_stat_activity WHERE application_name = 'platform-5ive watcher'"
    until(lambda: count(f"{listening} AND datname = current_database()") == 1)
    with transaction() as session:
        session.execute(
            text(
                f"SELECT pg_terminate_backend(pid) FROM {listening}"  # noqa: S608
                " AND datname = current_database()"
            )
        )
    write("S-1", "Please call me", PROMISE)
    until(is_done)


def test_a_table_that_appears_later_is_found(site: str, watcher: Watcher) -> None:
    watcher.start()
    time.sleep(0.3)
    make()
    try:
        write("S-1", "Please call me", PROMISE)
        until(is_done)
    finally:
        watcher.stop()
        run(f"DROP TABLE {TABLE}")


def test_an_error_is_logged_once_and_it_goes_on(
    database: Flask,
    watcher: Watcher,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    [chat_id] = promised()
    whole = watching.catch_up
    tries: list[int] = []

    def breaks_at_first(
        seconds: float, *, cause: str, hints: Sequence[tuple[int, int]] = ()
    ) -> bool:
        tries.append(1)
        if len(tries) < 4:
            raise ValueError("broken")
        return whole(seconds, cause=cause, hints=hints)

    monkeypatch.setattr(watching, "catch_up", breaks_at_first)
    monkeypatch.setattr(watching, "LOOK_EVERY_SECONDS", 0.05)
    with caplog.at_level(logging.INFO, logger="app.jobs.watcher"):
        watcher.start()
        until(lambda: chat_id in completed())
        until(lambda: "works again" in caplog.text)
    assert caplog.text.count("catching up is interrupted") == 1


def test_once_is_one_whole_catch_up(memory: str, database: Flask) -> None:
    [chat_id] = promised()
    write("S-1", "Please call me", PROMISE)
    look_once(database)
    assert is_done(2)
    assert chat_id in completed()


def test_many_workers_at_once_complete_each_session_once(memory: str, start_worker: Start) -> None:
    for _ in range(3):
        start_worker()
    ids = promised(20)
    for number in range(20):
        write(f"S-{number}", "Please call me", PROMISE)
    until(lambda: is_done(40), within_seconds=60)
    assert count("leads") == count("session_events") == len(ids) + 20
    assert count("messages") == 80


def test_flask_worker_once_leaves_nothing(memory: str, start_worker: Start) -> None:
    write("S-1", "Please call me", PROMISE)
    assert start_worker("--once").wait(60) == 0
    assert is_done()
