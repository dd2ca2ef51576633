"""Long runs of the old code, those under way included, survive the migration and its way back."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine

from app.core import embedded, migrations

#: What the code before migration 0018 had stored.
_OLD_ROWS = """
    INSERT INTO sync_runs (id, status, started_at, heartbeat_at, runner, finished_at, progress,
                           position, report, error) VALUES
    ('00000000-0000-0000-0000-000000000001', 'running', '2026-01-02 10:00+0', '2026-01-02 10:01+0',
     '00000000-0000-0000-0000-0000000000aa', NULL, 0.25, '{"judged": 7}', '{"rows_read": 9}', NULL),
    ('00000000-0000-0000-0000-000000000002', 'failed', '2026-01-01 10:00+0', '2026-01-01 10:01+0',
     NULL, '2026-01-01 10:01+0', 0.5, '{}', '{"rows_read": 3}', 'The table is gone.');
    INSERT INTO sites (id, key, name, assistant, language, region, timezone, greeting, colour,
                       position, launcher_label, confirmation, created_at, updated_at)
    VALUES ('00000000-0000-0000-0000-0000000000bb', 'harbour', 'Harbour', 'scripted', 'en', 'GB',
            'UTC', '', '#2f5bea', 'right', 'Chat', '', now(), now());
    INSERT INTO backtests (id, site_id, phrases, exclusions, status, started_at, heartbeat_at,
                           finished_at, saved_at, progress, position, sessions_read, newly_count)
    VALUES
    ('00000000-0000-0000-0000-000000000003', '00000000-0000-0000-0000-0000000000bb', '["a"]', '[]',
     'running', '2026-01-03 10:00+0', '2026-01-03 10:01+0', NULL, NULL, 0.5,
     '{"tested_against": {"phrases": ["b"], "exclusions": []},
       "after": "80000000-0000-0000-0000-000000000000",
       "runner": "00000000-0000-0000-0000-0000000000cc"}', 500, 7),
    ('00000000-0000-0000-0000-000000000004', '00000000-0000-0000-0000-0000000000bb', '["a"]', '[]',
     'running', '2026-01-04 10:00+0', '2026-01-04 10:01+0', NULL, '2026-01-04 10:00+0', 0,
     '{"change": {"through": 9, "user_id": null, "complete_past": true}}', 500, 7),
    ('00000000-0000-0000-0000-000000000005', '00000000-0000-0000-0000-0000000000bb', '["a"]', '[]',
     'done', '2026-01-05 10:00+0', '2026-01-05 10:01+0', '2026-01-05 10:01+0',
     '2026-01-05 10:00+0', 1, '{"complete_past": false}', 500, 7);
    INSERT INTO check_reports (started_at, finished_at, findings)
    VALUES ('2026-01-01 03:40+0', '2026-01-01 03:41+0', '[{"check": "leads", "count": 2}]');
    INSERT INTO procrastinate_jobs (queue_name, task_name, args, status) VALUES
    ('default', 'check_everything', '{"fix": true}', 'todo'),
    ('default', 'check_everything', '{"fix": false}', 'succeeded'),
    ('default', 'backtest', '{"backtest_id": "00000000-0000-0000-0000-000000000003"}', 'doing');
"""
_OLD_TABLES = ("sync_runs", "check_reports", "backtests", "procrastinate_jobs")


@pytest.fixture
def old_database(database_url: str) -> Iterator[str]:
    """A database of its own, as the old code left it."""
    name = f"runs_{uuid.uuid4().hex[:8]}"
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    with_name = psycopg.conninfo.conninfo_to_dict(database_url)["dbname"]
    url = database_url.replace(f"/{with_name}?", f"/{name}?", 1)
    migrate(url, command.upgrade, "0017")
    with psycopg.connect(url) as connection:
        connection.execute(_OLD_ROWS)
    yield url
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def migrate(url: str, step: Any, revision: str) -> None:
    engine = create_engine(embedded.sqlalchemy_url(url))
    with engine.begin() as connection:
        config: Config = migrations._config()
        config.attributes["connection"] = connection
        step(config, revision)
    engine.dispose()


def rows(url: str, query: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(url) as connection:
        return connection.execute(query).fetchall()  # type: ignore[arg-type]


def everything(url: str) -> dict[str, list[tuple[Any, ...]]]:
    return {
        table: rows(url, f"SELECT to_jsonb(t) FROM {table} t ORDER BY to_jsonb(t)")  # noqa: S608
        for table in _OLD_TABLES
    }


def test_runs_are_kept_both_ways(old_database: str) -> None:
    before = everything(old_database)
    migrate(old_database, command.upgrade, "0018")
    syncs = rows(
        old_database,
        "SELECT id::text, status, progress, position ->> 'judged', report ->> 'rows_read', error"
        " FROM runs WHERE kind = 'manual_sync' ORDER BY id",
    )
    ids = [f"00000000-0000-0000-0000-00000000000{number}" for number in (1, 2)]
    assert syncs == [
        (ids[0], "running", 0.25, "7", "9", None),
        (ids[1], "failed", 0.5, None, "3", "The table is gone."),
    ]
    checks = "SELECT status, report -> 'findings' -> 0 ->> 'check', parameters FROM runs"
    assert rows(old_database, f"{checks} WHERE kind = 'check_everything' ORDER BY status") == [
        ("done", "leads", {"fix": False}),
        ("running", None, {"fix": True}),
    ]
    waiting = "FROM procrastinate_jobs j JOIN runs r ON r.id::text = args ->> 'run_id'"
    assert rows(old_database, f"SELECT j.status::text, r.kind {waiting} ORDER BY j.id") == [
        ("todo", "check_everything"),
        ("doing", "backtest"),
    ]
    tests = "SELECT kind, status, position, parameters - 'phrases' FROM runs"
    assert rows(old_database, f"{tests} WHERE site_id IS NOT NULL ORDER BY id") == [
        (
            "backtest",
            "running",
            {"after": "80000000-0000-0000-0000-000000000000"},
            {"exclusions": [], "tested_against": {"phrases": ["b"], "exclusions": []}},
        ),
        (
            "apply_rules",
            "running",
            {},
            {
                "exclusions": [],
                "change": {"through": 9, "user_id": None, "complete_past": True},
            },
        ),
        (
            "apply_rules",
            "done",
            {},
            {"exclusions": [], "change": {"complete_past": False}},
        ),
    ]
    migrate(old_database, command.downgrade, "0017")
    assert everything(old_database) == before
