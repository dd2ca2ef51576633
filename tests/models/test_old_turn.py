"""A database on which the old code left a message that kills: migrated, answered, and it goes on.

`fixtures/old_turn.json` is what the code before migration 0014 had stored when it hung.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from alembic import command
from sqlalchemy import create_engine

from app.core import embedded, migrations
from tests.jobs.test_poison import stop, until
from tests.jobs.workers import workers

ROWS = json.loads((Path(__file__).parents[1] / "fixtures" / "old_turn.json").read_text())
BEFORE = "0013"
#: Nobody answers it yet.
_NEXT_MESSAGE = """
    WITH said AS (
        INSERT INTO messages (session_id, role, text, created_at, is_checked)
        VALUES (%s, 'visitor', 'Hello?', now(), true) RETURNING session_id, id
    )
    INSERT INTO turns (session_id, message_id, expires_at)
    SELECT session_id, id, now() - interval '1 minute' FROM said
"""


@pytest.fixture
def old_database(database_url: str) -> Iterator[str]:
    """A database of its own, as the old code left it."""
    name = f"old_{uuid.uuid4().hex[:8]}"
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    with_name = psycopg.conninfo.conninfo_to_dict(database_url)["dbname"]
    url = database_url.replace(f"/{with_name}?", f"/{name}?", 1)
    engine = create_engine(embedded.sqlalchemy_url(url))
    with engine.begin() as connection:
        config = migrations._config()
        config.attributes["connection"] = connection
        command.upgrade(config, BEFORE)
    engine.dispose()
    with psycopg.connect(url, autocommit=True) as connection:
        for table, rows in ROWS.items():
            connection.execute(
                f"INSERT INTO {table} SELECT * FROM json_populate_recordset(null::{table}, %s)",  # noqa: S608
                (json.dumps(rows),),
            )
    yield url
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.mark.parametrize("word", ["please", "poison"])
def test_the_product_starts_answers_it_and_goes_on(
    old_database: str, tmp_path: Path, word: str
) -> None:
    """As it was said, and with a word in it over which every reader hangs."""
    [chat] = ROWS["chat_sessions"]
    with psycopg.connect(old_database, autocommit=True) as connection:
        connection.execute(
            "UPDATE messages SET text = replace(text, 'please', %s) WHERE role = 'visitor'", (word,)
        )
    engine = create_engine(embedded.sqlalchemy_url(old_database))
    migrations.upgrade(engine)
    engine.dispose()
    with (
        workers(old_database, module="tests.jobs.poison_app", POISON_FOLDER=str(tmp_path)) as start,
        psycopg.connect(old_database, autocommit=True) as connection,
    ):
        worker = start()

        def waiting() -> int:
            row = connection.execute("SELECT count(*) FROM turns").fetchone()
            return row[0] if row else 0

        until(lambda: waiting() == 0)
        roles = connection.execute("SELECT role FROM messages ORDER BY id").fetchall()
        assert [role for (role,) in roles][-2:] == ["visitor", "assistant"]

        connection.execute(_NEXT_MESSAGE, (chat["id"],))
        until(lambda: waiting() == 0)
        [(newest,)] = connection.execute(
            "SELECT text FROM messages ORDER BY id DESC LIMIT 1"
        ).fetchall()
        assert "having trouble" not in newest
        stop(worker)
