"""N8n's chat memory table, as N8n makes and writes it."""

# ruff: noqa: S608 - tests name their own tables
from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, text
from sqlalchemy import make_url as make_url

from app.core.db import db, transaction

TABLE = "n8n_chat_histories"
PROMISE = "Thank you! Our team will contact you within 24 hours."


@contextmanager
def memory_table(name: str = TABLE, engine: Engine | None = None) -> Iterator[None]:
    """The table for the length of the block."""
    make(name, engine)
    try:
        yield
    finally:
        run(f"DROP TABLE IF EXISTS {name}", engine)


def make(name: str = TABLE, engine: Engine | None = None) -> None:
    run(
        f"CREATE TABLE {name} (id SERIAL PRIMARY KEY, session_id VARCHAR(255) NOT NULL,"
        " message JSONB NOT NULL)",
        engine,
    )


def run(statement: str, engine: Engine | None = None) -> None:
    """One statement, committed."""
    with (
        (engine or db.engine)
        .connect()
        .execution_options(isolation_level="AUTOCOMMIT") as connection
    ):
        connection.exec_driver_sql(statement)


def insert(connection: Connection, session: str, message: Any, row: int | None = None) -> int:
    columns = "session_id, message" if row is None else "session_id, message, id"
    values = ":session, CAST(:message AS jsonb)" + ("" if row is None else ", :row")
    number = connection.scalar(
        text(f"INSERT INTO {TABLE} ({columns}) VALUES ({values}) RETURNING id"),
        {"session": session, "message": json.dumps(message), "row": row},
    )
    assert number is not None
    return int(number)


def write(session: str, *lines: str, row: int | None = None, engine: Engine | None = None) -> int:
    """Commit lines, by turns the visitor's and the assistant's. Gives the last row's number."""
    number = 0
    with (engine or db.engine).begin() as connection:
        for at, line in enumerate(lines):
            number = insert(connection, session, said(line, at), None if row is None else row + at)
    return number


def said(line: str, at: int = 0) -> dict[str, Any]:
    kind = "ai" if at % 2 else "human"
    return {"type": kind, "content": line, "additional_kwargs": {}, "response_metadata": {}}


def fill(session: str, content: str, first: int, last: int, row: str = "") -> None:
    """Visitors' rows, one for each number g; session, content and row are SQL expressions of g."""
    run(
        f"INSERT INTO {TABLE} (session_id, message{row and ', id'})"
        f" SELECT {session}, jsonb_build_object('type', 'human', 'content', {content})"
        f"{row and f', {row}'} FROM generate_series({first}, {last}) g"
    )


def taken_numbers(count: int) -> list[int]:
    """Numbers of the table's sequence, taken and not used yet."""
    with db.engine.begin() as connection:
        statement = text(
            f"SELECT nextval(pg_get_serial_sequence('{TABLE}', 'id')) FROM generate_series(1, :n)"
        )
        return list(connection.scalars(statement, {"n": count}))


def stored(key: str) -> list[str]:
    """What is stored of the session with this key, in the order of its transcript."""
    with transaction() as session:
        return list(
            session.scalars(
                text(
                    "SELECT m.text FROM messages m JOIN chat_sessions c ON c.id = m.session_id"
                    " WHERE c.external_session_id = :key ORDER BY m.created_at, m.id"
                ),
                {"key": key},
            )
        )


def count(what: str) -> int:
    """How many rows `SELECT count(*) FROM …` finds."""
    with transaction() as session:
        return int(session.scalar(text(f"SELECT count(*) FROM {what}")) or 0)


def rows(statement: str) -> list[Any]:
    with transaction() as session:
        return list(session.execute(text(statement)))
