"""N8n's table in our own database, and manual syncs of it."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask, current_app
from sqlalchemy import func, select, text, update

from app.core import clock
from app.core.db import db, table_of, transaction
from app.models import Run
from app.sync import manual, runs
from tests.factories import make_site

TABLE = "n8n_chat_histories"
PROMISE = "Thank you! We will call you within 24 hours."


@pytest.fixture
def memory_table(database: Flask) -> Iterator[None]:
    """N8n's table, in our own database, and a site to read it for."""
    with transaction() as session:
        session.execute(
            text(
                f"CREATE TABLE {TABLE} (id serial PRIMARY KEY,"
                " session_id varchar(255) NOT NULL, message jsonb NOT NULL)"
            )
        )
        make_site(session)
    yield
    db.session.rollback()
    with transaction() as session:
        session.execute(text(f"DROP TABLE IF EXISTS {TABLE}"))


def write(*rows: tuple[str, Any]) -> None:
    values = [{"key": key, "message": json.dumps(message)} for key, message in rows]
    with transaction() as session:
        session.execute(
            text(
                f"INSERT INTO {TABLE} (session_id, message)"  # noqa: S608
                " VALUES (:key, CAST(:message AS jsonb))"
            ),
            values,
        )


def said(kind: str, words: str) -> dict[str, str]:
    return {"type": kind, "content": words}


def conversations(number: int, *, promised: int = 0) -> None:
    """So many conversations of two lines; in the first `promised` of them a booking is."""
    write(
        *(
            (f"chat-{each}", said(*line))
            for each in range(number)
            for line in (
                ("human", f"I am Ann, ann{each}@example.com"),
                ("ai", PROMISE if each < promised else "Which day suits you?"),
            )
        )
    )


def begin() -> uuid.UUID:
    with transaction() as session:
        return runs.take_up(session, None)


def sync() -> dict[str, Any]:
    run_id = begin()
    assert manual.work(run_id)
    return stored(run_id)


def stored(run_id: uuid.UUID) -> dict[str, Any]:
    with transaction() as session:
        run = runs.one(session, run_id)
        return {column.name: getattr(run, column.name) for column in table_of(Run).columns}


def count(model: Any) -> int:
    with transaction() as session:
        return int(session.scalar(select(func.count()).select_from(model)) or 0)


def let_time_pass(run_id: uuid.UUID) -> None:
    """As if the run's process had been silent for a while."""
    table = table_of(Run)
    with transaction() as session:
        session.execute(
            update(table)
            .where(table.c.id == run_id)
            .values(heartbeat_at=clock.now() - timedelta(minutes=1))
        )


def this_app() -> Flask:
    return current_app._get_current_object()  # type: ignore[attr-defined,no-any-return]
