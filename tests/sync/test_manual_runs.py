"""Manual syncs that are started twice, left, killed and gone on with."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from app.core import clock
from app.core.db import transaction
from app.core.errors import Conflict
from app.models import ChatSession, Message, Run
from app.models.run import MANUAL_SYNC
from app.runs import engine
from app.sync import manual, runs
from config import ROOT
from tests.jobs.conftest import n8n, start_worker
from tests.jobs.workers import Start
from tests.sync.manual_runs import (
    begin,
    conversations,
    count,
    let_time_pass,
    memory_table,
    stored,
    this_app,
)

__all__ = ["memory_table", "n8n", "start_worker"]
pytestmark = pytest.mark.usefixtures("memory_table")


def test_of_many_who_start_at_once_one_does() -> None:
    gate = threading.Barrier(8)
    answers: list[object] = []

    def press(app: Flask) -> None:
        with app.app_context():
            gate.wait()
            try:
                answers.append(begin())
            except Conflict as error:
                answers.append(error.retry_after_seconds)

    from_app = this_app()
    threads = [threading.Thread(target=press, args=(from_app,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(isinstance(answer, uuid.UUID) for answer in answers) == 1
    assert sum(answer == engine.RETRY_AFTER_SECONDS for answer in answers) == 7
    assert count(Run) == 1


def test_two_who_go_on_with_one_run_do_its_work_once() -> None:
    conversations(300, promised=50)
    run_id = begin()
    done: list[bool] = []

    def go(app: Flask) -> None:
        with app.app_context():
            done.append(manual.work(run_id))

    from_app = this_app()
    threads = [threading.Thread(target=go, args=(from_app,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(done) == [False, False, False, True]
    assert stored(run_id)["report"]["rows_read"] == 600


def test_who_lost_the_run_stops_and_takes_back_its_last_step(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(manual, "BATCH_ROWS", 10)
    conversations(20)
    run_id = begin()
    steps = iter(range(100))

    def lose() -> bool:
        if next(steps) == 2:
            let_time_pass(run_id)
            assert engine.claim(MANUAL_SYNC, run_id, uuid.uuid4())
        return False

    assert not manual.work(run_id, lose)
    run = stored(run_id)
    assert run["status"] == "running"
    assert run["report"]["rows_read"] == 20
    assert count(Message) == 20


def test_a_run_that_was_left_goes_on_under_its_own_id(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(manual, "BATCH_ROWS", 10)
    conversations(20, promised=20)
    run_id = begin()
    steps = iter([False, False, True])
    assert not manual.work(run_id, lambda: next(steps))
    with transaction() as session:
        run = runs.one(session, run_id)
    assert engine.state(run) == "interrupted"
    assert 0 < run.progress < 1
    assert begin() == run_id
    assert manual.work(run_id)
    report = stored(run_id)["report"]
    assert (report["rows_read"], report["messages_added"]) == (40, 40)
    assert report["completions_found"] == 20


def test_ctrl_c_leaves_it_so_that_anybody_can_go_on() -> None:
    run_id = begin()

    def interrupt() -> bool:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        manual.work(run_id, interrupt)
    assert begin() == run_id


def test_a_killed_run_says_so_and_goes_on_without_doubles(database_url: str) -> None:
    conversations(6000, promised=600)
    first = flask_sync(database_url)
    _until(lambda: count(Run) == 1 and _only_run()["report"]["messages_added"] > 0)
    first.kill()
    first.wait()
    killed = _only_run()
    assert killed["status"] == "running"
    assert killed["report"]["rows_read"] < 12_000
    with pytest.raises(Conflict):
        begin()
    let_time_pass(killed["id"])
    with transaction() as session:
        assert engine.state(runs.one(session, killed["id"])) == "interrupted"
    assert flask_sync(database_url).wait(90) == 0
    report = _only_run()["report"]
    assert (report["rows_read"], report["sessions_created"]) == (12_000, 6000)
    assert (report["messages_added"], report["completions_found"]) == (12_000, 600)
    assert [count(model) for model in (ChatSession, Message)] == [6000, 12_000]
    with transaction() as session:
        events = session.scalar(text("SELECT count(*) FROM session_events"))
        sent = session.scalar(
            text("SELECT count(*) FROM deliveries WHERE event = 'lead.completed'")
        )
    assert (events, sent) == (600, report["deliveries_enqueued"])


def test_a_worker_does_what_was_asked_for_on_a_page(start_worker: Start) -> None:
    conversations(10, promised=2)
    with transaction() as session:
        run_id = runs.start(session, None)
    start_worker()
    _until(lambda: stored(run_id)["status"] == "done")
    assert stored(run_id)["report"]["rows_read"] == 20
    assert count(Message) == 20


def test_the_job_of_a_dead_worker_comes_back_to_a_run_that_still_seems_alive() -> None:
    run_id = begin()
    assert engine.claim(MANUAL_SYNC, run_id, uuid.uuid4())
    assert not manual.work(run_id, is_job=True)
    with transaction() as session:
        jobs = session.scalars(
            text("SELECT scheduled_at FROM procrastinate_jobs WHERE task_name = 'manual_sync'")
        ).all()
    assert len(jobs) == 1
    assert jobs[0] > clock.now()


def _until(is_true: Callable[[], bool], within_seconds: float = 30) -> None:
    ends_at = time.monotonic() + within_seconds
    while not is_true():
        assert time.monotonic() < ends_at
        time.sleep(0.02)


def _only_run() -> dict[str, Any]:
    with transaction() as session:
        run_id = session.scalars(text("SELECT id FROM runs")).one()
    return stored(run_id)


def flask_sync(database_url: str) -> subprocess.Popen[bytes]:
    """The command as a process of its own."""
    environment = os.environ | {
        "APP_ENV": "development",
        "DATABASE_URL": database_url,
        "SECRET_KEY": "a-secret-for-tests-that-is-long-enough",
    }
    command = [sys.executable, "-m", "flask", "--app", "app", "sync"]
    return subprocess.Popen(command, cwd=ROOT, env=environment)
