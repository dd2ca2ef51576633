"""One place commits, all or nothing, whatever went wrong before on the same connection."""

from __future__ import annotations

import psycopg2
import pytest
from flask import Flask
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError

from app.core.db import call, db, transaction
from app.models import Site
from tests.factories import make_site


def sites() -> int:
    found = db.session.scalar(select(func.count()).select_from(Site)) or 0
    db.session.rollback()
    return found


def fail_half_way() -> None:
    with transaction() as session:
        make_site(session)
        raise RuntimeError("half-way")


def test_a_transaction_is_kept_whole_or_not_at_all(database: Flask) -> None:
    with transaction() as session:
        make_site(session)
    assert sites() == 1
    with pytest.raises(RuntimeError, match="half-way"):
        fail_half_way()
    assert sites() == 1


def test_what_a_failing_statement_was_given_is_not_told(database: Flask) -> None:
    with pytest.raises(DBAPIError) as told, transaction() as session:
        session.execute(text("SELECT 1 / 0, :secret"), {"secret": "ann@example.com"})
    assert "ann@example.com" not in str(told.value)


def test_a_transaction_does_not_nest(database: Flask) -> None:
    with pytest.raises(RuntimeError, match="nest"), transaction(), transaction():
        pass


def test_a_failed_call_leaves_no_connection_that_commits_by_itself(database: Flask) -> None:
    for _ in range(12):  # more than the pool holds
        with pytest.raises(psycopg2.Error):
            call("no_such_function", 1)
    with pytest.raises(RuntimeError, match="half-way"):
        fail_half_way()
    assert sites() == 0
