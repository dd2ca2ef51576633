from __future__ import annotations

from dataclasses import replace

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app import create_app
from app.core import migrations, queue
from config import Settings


def test_healthz_answers_without_anything(client: FlaskClient) -> None:
    answer = client.get("/healthz")
    assert (answer.status_code, answer.json) == (200, {"status": "ok"})


@pytest.mark.parametrize(("seen", "word"), [(None, "degraded"), (3.0, "ok"), (600.0, "degraded")])
def test_readyz_reports_a_missing_worker_with_200(
    client: FlaskClient, database: Flask, monkeypatch: pytest.MonkeyPatch, seen: float | None,
    word: str,
) -> None:  # fmt: skip
    monkeypatch.setattr(queue, "worker_seen_seconds_ago", lambda session: seen)
    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json is not None
    assert answer.json["status"] == word
    assert answer.json["checks"]["database"] == "ok"
    assert (answer.json["checks"]["worker"] == "ok") == (word == "ok")


def test_readyz_really_asks_for_a_worker(client: FlaskClient, database: Flask) -> None:
    checks = client.get("/readyz").json["checks"]  # type: ignore[index]
    assert checks["worker"] == "No worker is running: leads wait until one does."


def test_readyz_says_that_migrations_are_missing(
    client: FlaskClient, database: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrations, "is_current", lambda connection: False)
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert "older than this version" in answer.json["checks"]["migrations"]  # type: ignore[index]


def test_readyz_says_that_the_database_is_missing(settings: Settings) -> None:
    nowhere = "postgresql+psycopg2://nobody@127.0.0.1:1/nothing"
    client = create_app(replace(settings, database_url=nowhere)).test_client()
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json == {
        "status": "unavailable",
        "checks": {"database": "The database cannot be reached."},
    }
    assert client.get("/healthz").status_code == 200
