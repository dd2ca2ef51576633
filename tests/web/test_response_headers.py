"""What every response tells a browser, whatever route or error it comes from."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app import create_app
from app.core.db import db
from tests.web.every_route import every_request


def responses(app: Flask, client: FlaskClient) -> Iterator[tuple[str, TestResponse]]:
    for method, path, endpoint in every_request(app):
        if endpoint != "dashboard.live":  # a stream without end
            yield f"{method} {path}", client.open(path, method=method)


@pytest.fixture
def production(app: Flask) -> Iterator[Flask]:
    settings = app.extensions["settings"]
    changed = dataclasses.replace(
        settings, app_env="production", public_url="https://chat.example.com"
    )
    made = create_app(changed)
    yield made
    with made.app_context():
        db.engine.dispose()


@pytest.mark.parametrize("role", ["admin", "nobody"])
def test_no_response_leaves_its_type_to_be_guessed_or_itself_in_a_cache(
    database: Flask, app: Flask, client: FlaskClient, request: pytest.FixtureRequest, role: str
) -> None:
    asking = request.getfixturevalue("admin") if role == "admin" else client
    without = {}
    for asked, response in responses(app, asking):
        missing = {"X-Content-Type-Options", "Cache-Control"} - set(response.headers.keys())
        if missing or response.headers["X-Content-Type-Options"] != "nosniff":
            without[asked] = missing
    assert without == {}


def test_demo_and_json_say_nosniff(client: FlaskClient) -> None:
    for path in (
        "/demo",
        "/healthz",
        "/readyz",
        "/api/v1/sessions",
        "/widget/nobody/look",
        "/embed.js",
    ):
        assert client.get(path).headers["X-Content-Type-Options"] == "nosniff", path


def test_a_browser_that_came_by_https_stays_there_in_production(production: Flask) -> None:
    client = production.test_client()
    for asked, response in responses(production, client):
        assert response.headers["Strict-Transport-Security"] == "max-age=31536000", asked


def test_without_https_nothing_is_promised(app: Flask, client: FlaskClient) -> None:
    assert "Strict-Transport-Security" not in client.get("/healthz").headers
    settings = dataclasses.replace(
        app.extensions["settings"], app_env="production", public_url="http://10.0.0.5"
    )
    response = create_app(settings).test_client().get("/healthz")
    assert "Strict-Transport-Security" not in response.headers
