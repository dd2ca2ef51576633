"""Jobs, messages and deliveries that kill their process, in real workers: only they are harmed."""

from __future__ import annotations

import os
import signal
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from flask import Flask
from sqlalchemy import text

from app.chat import turn, turn_store
from app.core.db import transaction
from app.core.queue import defer
from app.delivery.payload import Content
from app.models import JobDeath
from app.upkeep import quarantine
from app.upkeep.job_deaths import EVALUATE_ALONE
from tests.completion.test_sweep import completed, promised
from tests.delivery.conftest import SECRET, Outbox, n8n, outbox_of
from tests.factories import make_chat, make_message
from tests.fakes.n8n import N8n
from tests.jobs.workers import PATIENCE_SECONDS, Start, let_a_minute_pass, workers
from tests.sync.conftest import memory, site
from tests.sync.n8n import count, write

__all__ = ["memory", "n8n", "outbox_of", "site"]

BESIDE = ("ann", "ben", "cid")


class Stage:
    """Workers of `poison_app`, and what their jobs have noted."""

    def __init__(self, folder: Path, start: Start) -> None:
        self.folder, self.start = folder, start

    def noted(self, file: str) -> list[str]:
        path = self.folder / file
        return path.read_text().split() if path.exists() else []

    def tell(self, file: str) -> None:
        (self.folder / file).touch()

    def defer(self, *tasks: str) -> None:
        with transaction() as session:
            for name in BESIDE:
                defer(session, "beside", name=name)
            for task in tasks:
                defer(session, task)

    def until_they_run(self, *also: str) -> None:
        until(lambda: {*BESIDE, *also} <= set(self.noted("started")))

    def until_all_is_done(self) -> None:
        until(lambda: set(BESIDE) == set(self.noted("done")))
        until(lambda: jobs("beside") == [])


@pytest.fixture
def stage(database_url: str, database: Flask, n8n: N8n, tmp_path: Path) -> Iterator[Stage]:
    yield from staged(database_url, n8n, tmp_path)


@pytest.fixture
def periodic(database_url: str, database: Flask, n8n: N8n, tmp_path: Path) -> Iterator[Stage]:
    yield from staged(database_url, n8n, tmp_path, POISON_PERIODIC="1")


def staged(database_url: str, n8n: N8n, folder: Path, **more: str) -> Iterator[Stage]:
    settings = {
        "N8N_LEAD_WEBHOOK_URL": n8n.url,
        "N8N_WEBHOOK_SECRET": SECRET,
        "POISON_FOLDER": str(folder),
        **more,
    }
    with workers(database_url, module="tests.jobs.poison_app", **settings) as start:
        yield Stage(folder, start)


@pytest.mark.parametrize("poison", ["spin", "hold", "vanish"])
def test_a_poison_job_harms_only_itself(stage: Stage, poison: str) -> None:
    stage.defer(poison)
    worker = stage.start()
    stage.until_they_run("poison")
    until(lambda: deaths(poison) is not None)
    stage.tell("release")
    stage.until_all_is_done()  # what ran beside it runs again

    until(lambda: (found := deaths(poison)) is not None and found.quarantined_at is not None)
    found = deaths(poison)
    assert found is not None
    assert found.deaths_alone == 2
    assert jobs(poison) == ["failed"]
    assert worker.poll() is None
    with transaction() as session:  # and work goes on beside it
        defer(session, "beside", name="dan")
    until(lambda: "dan" in stage.noted("done"))
    assert jobs(poison) == ["failed"]

    stage.tell("cured")
    with transaction() as session:
        quarantine.retry(session, found.job_id)
    until(lambda: jobs(poison) == [] and deaths(poison) is None)
    stop(worker)


def test_deploys_and_kills_strand_nothing(stage: Stage) -> None:
    stage.defer()
    for kills, number in enumerate((signal.SIGTERM, signal.SIGTERM, signal.SIGKILL), start=1):
        worker = stage.start()
        until(lambda kills=kills: len(stage.noted("started")) >= 3 * kills)
        running = psutil.Process(worker.pid).children()
        worker.send_signal(number)
        if number == signal.SIGTERM:  # the grace ends while they still run
            until(lambda: stopped() >= 3)
            worker.kill()
        worker.wait()
        assert psutil.wait_procs(running, timeout=PATIENCE_SECONDS)[1] == []
        let_a_minute_pass()
    with transaction() as session:
        assert session.scalar(text("SELECT count(*) FROM job_deaths WHERE deaths > 0")) == 0
    stage.tell("release")
    worker = stage.start()
    stage.until_all_is_done()
    stop(worker)


def test_a_periodic_task_that_kills_its_worker_runs_alone_and_comes_back(periodic: Stage) -> None:
    worker = periodic.start()
    until(lambda: (found := task_deaths("vanish_again")) is not None and found.quarantined_at)
    periodic.defer()
    periodic.tell("release")
    periodic.until_all_is_done()
    periodic.tell("cured")
    until(lambda: task_deaths("vanish_again") is None)
    stop(worker)


def test_a_delivery_that_kills_its_worker_is_never_quarantined(
    stage: Stage, outbox_of: Outbox, n8n: N8n
) -> None:
    lead = outbox_of.lead()
    poison = outbox_of.enqueue(Content({"lead": {"name": "poison"}}, lead.lead_id, lead.session_id))
    worker = stage.start()
    until(lambda: stage.noted("started"))
    others = [outbox_of.enqueue() for _ in range(5)]
    until(lambda: all(outbox_of.state(each).status == "delivered" for each in others))
    until(lambda: outbox_of.state(poison).interruptions >= 3)
    assert outbox_of.state(poison).status == "failed"
    assert outbox_of.state(poison).next_attempt_at is not None
    with transaction() as session:
        held = text("SELECT count(*) FROM job_deaths WHERE quarantined_at IS NOT NULL")
        assert session.scalar(held) == 0
    stage.tell("cured")
    until(lambda: outbox_of.state(poison).status == "delivered")
    assert outbox_of.state(poison).interruptions == 0
    stop(worker)


def test_a_message_that_kills_each_answerer_is_given_up_and_the_others_are_answered(
    stage: Stage,
) -> None:
    with transaction() as session:
        chats = [make_chat(session).id for _ in range(4)]
    poisoned, *others = chats
    turn.receive(poisoned, uuid.uuid4(), "a poison message")
    for each in others:
        turn.receive(each, uuid.uuid4(), "Hello")
    with transaction() as session:  # the web process that was answering all of them dies
        session.execute(text("UPDATE turns SET expires_at = now() - interval '1 minute'"))
    worker = stage.start()
    until(lambda: not waiting())

    assert said(poisoned)[0] == ("visitor", "a poison message")
    assert "having trouble answering" in said(poisoned)[1][1]
    assert len(stage.noted("started")) == turn_store.MOST_BREAKS - 1
    for each in others:
        assert [role for role, _ in said(each)] == ["visitor", "assistant"]
        assert "having trouble" not in said(each)[1][1]
    with transaction() as session:
        assert (
            session.scalar(text("SELECT count(*) FROM incidents WHERE source = 'assistant'")) == 1
        )
        assert session.scalar(text("SELECT count(*) FROM job_deaths WHERE deaths > 0")) == 0

    turn.receive(poisoned, uuid.uuid4(), "Hello?")  # nobody reads the poison again
    with transaction() as session:
        session.execute(text("UPDATE turns SET expires_at = now() - interval '1 minute'"))
    until(lambda: len(said(poisoned)) == 4)
    assert len(stage.noted("started")) == turn_store.MOST_BREAKS - 1
    stop(worker)


def test_a_session_that_kills_who_evaluates_it_is_set_aside(stage: Stage) -> None:
    with transaction() as session:
        chat = make_chat(session)
        make_message(session, chat)
        make_message(session, chat, role="assistant", text="poison")
    worker = stage.start()
    until(lambda: (found := deaths(EVALUATE_ALONE)) is not None and found.quarantined_at)
    assert len(stage.noted("started")) == 3  # in a sweep, and twice alone
    [healthy] = promised()
    until(lambda: healthy in completed())
    assert len(stage.noted("started")) == 3
    stop(worker)


def test_a_row_of_n8n_that_kills_who_imports_it_is_set_aside(memory: str, stage: Stage) -> None:
    write("S-1", "Hello", "Hi")
    worker = stage.start()
    until(lambda: count("messages") == 2)
    write("S-1", "poison", "and what follows it")
    until(lambda: count("messages") == 3)
    assert count("memory_rows_set_aside") == 1
    assert len(stage.noted("started")) == 3  # in a batch, and twice alone
    write("S-1", "Still there?")
    until(lambda: count("messages") == 4)
    stop(worker)


def test_once_ends_though_a_job_kills_its_worker(stage: Stage) -> None:
    stage.tell("release")
    stage.defer("vanish")
    worker = stage.start("--once")
    assert worker.wait(PATIENCE_SECONDS) == 0
    stage.until_all_is_done()
    assert task_deaths("vanish") is not None  # quarantined, or its next try is not due yet
    assert jobs("vanish") in (["todo"], ["failed"])


def until(is_so: Callable[[], Any], within_seconds: float = 4 * PATIENCE_SECONDS) -> None:
    deadline = time.monotonic() + within_seconds
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def stop(worker: subprocess.Popen[bytes]) -> None:
    running = psutil.Process(worker.pid).children(recursive=True)
    os.kill(worker.pid, signal.SIGTERM)
    assert worker.wait(PATIENCE_SECONDS) == 0
    assert psutil.wait_procs(running, timeout=PATIENCE_SECONDS)[1] == []


def jobs(task: str) -> list[str]:
    statement = text("SELECT status::text FROM procrastinate_jobs WHERE task_name = :task")
    with transaction() as session:
        return list(session.scalars(statement, {"task": task}))


def deaths(task: str) -> JobDeath | None:
    with transaction() as session:
        session.expunge_all()
        return session.query(JobDeath).filter_by(task_name=task).one_or_none()


task_deaths = deaths


def stopped() -> int:
    with transaction() as session:
        statement = text("SELECT count(*) FROM job_deaths WHERE stopped_job_id IS NOT NULL")
        return session.scalar(statement) or 0


def waiting() -> int:
    with transaction() as session:
        return session.scalar(text("SELECT count(*) FROM turns")) or 0


def said(session_id: uuid.UUID) -> list[tuple[str, str]]:
    statement = text("SELECT role, text FROM messages WHERE session_id = :id ORDER BY id")
    with transaction() as session:
        return [tuple(row) for row in session.execute(statement, {"id": session_id})]  # type: ignore[misc]
