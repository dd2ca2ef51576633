"""N8n's memory in a database of its own, and sources that fail."""

# ruff: noqa: S608 - tests name their own tables
from __future__ import annotations

import socket
import threading
import time
import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import Engine, create_engine, make_url

from app.core import clock
from app.core.db import db, transaction
from app.sync import access, rows, sources
from app.sync.memory import read_batch, read_new
from config import Settings
from tests.factories import make_site
from tests.sync import n8n
from tests.sync.n8n import TABLE, count, run, stored, write


def read() -> int:
    return read_new(None, cause="auto_sync").rows_read


def error() -> str | None:
    (row,) = n8n.rows("SELECT last_error FROM memory_sources WHERE ended_at IS NULL")
    return None if row.last_error is None else str(row.last_error)


def later() -> timedelta:
    return sources.SKIP_FOR + timedelta(seconds=1)


@pytest.fixture
def elsewhere(site: str, settings: Settings) -> Iterator[Engine]:
    """A second database, where N8n has its table and we may only read."""
    name = f"n8n_{uuid.uuid4().hex[:8]}"
    role = f"reader_{uuid.uuid4().hex[:8]}"
    run(f"CREATE DATABASE {name}")
    engine = create_engine(make_url(settings.database_url).set(database=name))
    n8n.make(engine=engine)
    run(f"CREATE ROLE {role} LOGIN PASSWORD 'secret'", engine)
    run(f"GRANT SELECT ON {TABLE} TO {role}", engine)
    url = engine.url.set(username=role, password="secret").render_as_string(hide_password=False)
    sources.configure(replace(settings, n8n_memory_database_url=url))
    yield engine
    ours = access.engine()
    assert ours is not None
    ours.dispose()
    sources.configure(settings)
    run(f"DROP OWNED BY {role} CASCADE", engine)
    engine.dispose()
    run(f"DROP DATABASE {name} WITH (FORCE)")
    run(f"DROP ROLE {role}")


@pytest.fixture
def set_url(settings: Settings) -> Iterator[object]:
    """Set N8N_MEMORY_DATABASE_URL for one test."""
    yield lambda url: sources.configure(replace(settings, n8n_memory_database_url=url))
    sources.configure(settings)


def test_another_database_is_read_with_select_only(elsewhere: Engine) -> None:
    write("S-1", "Hello", "Hi", engine=elsewhere)
    assert read() == 2
    assert stored("S-1") == ["Hello", "Hi"]
    assert read() == 0
    write("S-1", "Bye", engine=elsewhere)
    assert read() == 1


def test_another_database_has_late_rows_and_new_lives_too(elsewhere: Engine) -> None:
    with elsewhere.connect() as slow:
        n8n.insert(slow, "S-1", n8n.said("Hello"))
        write("S-2", "Hi", engine=elsewhere)
        assert read() == 1
        slow.commit()
    assert read() == 1
    run(f"TRUNCATE {TABLE} RESTART IDENTITY", elsewhere)
    write("N-1", "New", engine=elsewhere)
    assert read() == 1
    assert count("memory_sources") == 2


def test_a_restart_of_the_other_database_is_no_failure(elsewhere: Engine) -> None:
    write("S-1", "Hello", engine=elsewhere)
    assert read() == 1
    run(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE application_name = 'platform-5ive memory'"
    )
    write("S-1", "Bye", engine=elsewhere)
    assert read() == 1
    assert error() is None


def test_without_the_right_to_read_it_says_so_and_is_left_alone(elsewhere: Engine) -> None:
    write("S-1", "Hello", engine=elsewhere)
    ours = access.engine()
    assert ours is not None
    run(f"REVOKE SELECT ON {TABLE} FROM {ours.url.username}", elsewhere)
    assert read() == 0
    assert "SELECT" in (error() or "")
    run(f"GRANT SELECT ON {TABLE} TO {ours.url.username}", elsewhere)
    assert read() == 0
    with clock.moved(later()):
        assert read() == 1
        assert error() is None


def test_a_source_that_fails_does_not_keep_the_others_waiting(memory: str) -> None:
    with transaction() as session:
        make_site(session, memory_table="no_memory")
    run("CREATE TABLE no_memory (id uuid, session_id text, message jsonb)")
    try:
        write("S-1", "Hello")
        assert read() == 1
        (row,) = n8n.rows("SELECT * FROM memory_sources WHERE table_name = 'no_memory'")
        assert "no chat memory" in row.last_error
        assert row.skip_until > clock.now()
    finally:
        run("DROP TABLE no_memory")


def test_a_table_with_other_columns_says_so(site: str) -> None:
    run(f"CREATE TABLE {TABLE} (id serial PRIMARY KEY, words text)")
    try:
        assert read() == 0
        assert "columns" in (error() or "")
    finally:
        run(f"DROP TABLE {TABLE}")


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("postgresql+psycopg2://a:b@127.0.0.1:1/n8n", "cannot be reached"),
        ("postgresql+psycopg2://a:b@no-such-host.invalid/n8n", "cannot be reached"),
    ],
)
def test_a_database_that_cannot_be_reached_is_left_alone(
    site: str, set_url, url: str, words: str
) -> None:  # type: ignore[no-untyped-def]
    set_url(url)
    assert read() == 0
    assert words in (error() or "")
    began = clock.now()
    for _ in range(50):
        assert read() == 0
    assert n8n.rows("SELECT skip_until FROM memory_sources")[0].skip_until < began + later()


def test_a_database_that_does_not_exist_says_so(site: str, settings: Settings, set_url) -> None:  # type: ignore[no-untyped-def]
    url = make_url(settings.database_url).set(database="nowhere")
    set_url(url.render_as_string(hide_password=False))
    assert read() == 0
    assert "does not exist" in (error() or "")


def test_a_database_that_never_answers_costs_a_hurried_reader_only_its_time(
    site: str, set_url
) -> None:  # type: ignore[no-untyped-def]
    with socket.create_server(("127.0.0.1", 0)) as silent:
        set_url(f"postgresql+psycopg2://a:b@127.0.0.1:{silent.getsockname()[1]}/n8n")
        report = read_new(0.05, cause="sweep")
        assert not report.is_done
        assert error() is None  # whoever has more time may get an answer
        assert not read_new(0.05, cause="sweep").is_done
        assert read() == 0
        assert "does not answer" in (error() or "")
        assert read_new(0.05, cause="sweep").is_done  # it failed: everybody leaves it alone


def test_a_locked_table_does_not_hold_a_hurried_reader(memory: str) -> None:
    write("S-1", "Hello")
    with db.engine.connect() as other:
        other.exec_driver_sql(f"LOCK TABLE {TABLE} IN ACCESS EXCLUSIVE MODE")
        report = read_new(0.05, cause="sweep")
        assert (report.rows_read, report.is_done) == (0, False)
        other.rollback()
    assert error() is None
    assert read() == 1


def test_no_limit_of_a_question_outlives_it(memory: str) -> None:
    write("S-1", "Hello")
    with transaction() as session:
        (source,) = sources.current(session)
        access.ask(session, lambda c, ms: rows.highest(c, ms, TABLE), 0.5)
        names = ("statement_timeout", "lock_timeout", "enable_seqscan")
        now = [session.scalar(n8n.text(f"SHOW {name}")) for name in names]
    assert now == ["0", "0", "on"]
    assert read_batch(source.id, 0, 10, "manual_sync")[1] == 1


def test_a_reader_that_is_busy_with_a_table_is_not_waited_for(memory: str, database: Flask) -> None:
    write("S-1", "Hello")
    reading, may_end = threading.Event(), threading.Event()

    def reader() -> None:
        with database.app_context(), transaction() as session:
            assert sources.lock(session, TABLE)
            reading.set()
            may_end.wait(20)

    thread = threading.Thread(target=reader)
    thread.start()
    assert reading.wait(20)
    began = time.monotonic()
    report = read_new(None, cause="auto_sync")
    assert (report.rows_read, report.is_done) == (0, False)
    assert read_new(0.05, cause="sweep").is_done
    may_end.set()
    thread.join()
    assert time.monotonic() - began < 20
    assert read() == 1
