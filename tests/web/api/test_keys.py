from __future__ import annotations

import base64

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from app.core.db import db, transaction
from app.models import ApiKey
from tests.factories import make_chat, make_site
from tests.web.api_keys import make_key

pytestmark = pytest.mark.usefixtures("database")


def test_a_key_may_do_what_its_scopes_say_and_no_more(app: Flask, client: FlaskClient) -> None:
    headers = {"X-API-Key": make_key(app, "--scopes", "sessions:read")}
    assert client.get("/api/v1/sessions", headers=headers).status_code == 200
    assert client.post("/api/v1/messages", json={}, headers=headers).status_code == 403


def test_a_webhook_secret_is_printed_for_us_and_for_n8n(app: Flask) -> None:
    result = app.test_cli_runner().invoke(args=["keys", "webhook-secret"])
    ours, for_n8n = result.stdout.split()
    assert base64.b64decode(ours.removeprefix("whsec_")).decode() == for_n8n
    assert "N8N_WEBHOOK_SECRET" in result.stderr


def test_only_a_hash_of_the_key_is_kept(app: Flask) -> None:
    plain = make_key(app, "--scopes", "sessions:read")
    key = db.session.scalars(select(ApiKey)).one()
    assert plain not in (key.hash, key.name)
    assert len(plain) > 40


def test_a_key_of_one_site_sees_nothing_of_another(app: Flask, client: FlaskClient) -> None:
    with transaction() as session:
        own = make_chat(session, make_site(session, key="own"))
        other = make_chat(session, make_site(session, key="other"))
    scopes = ("--scopes", "sessions:read,sessions:write", "--site", "own")
    headers = {"X-API-Key": make_key(app, *scopes)}
    listed = client.get("/api/v1/sessions", headers=headers).json
    assert [each["id"] for each in listed["data"]] == [str(own.id)]  # type: ignore[index]
    assert client.get(f"/api/v1/sessions/{own.id}", headers=headers).status_code == 200
    for what in ("", "/messages"):
        path = f"/api/v1/sessions/{other.id}{what}"
        assert client.get(path, headers=headers).status_code == 404


@pytest.mark.parametrize("key", ["p5_wrong", "\u00e9"])
def test_a_wrong_key_is_refused_in_plain_words(client: FlaskClient, key: str) -> None:
    answer = client.get("/api/v1/sessions", headers={"X-API-Key": key})
    assert answer.status_code == 401
    assert "not valid" in answer.json["detail"]  # type: ignore[index]


def test_a_withdrawn_key_is_refused(app: Flask, client: FlaskClient) -> None:
    headers = {"X-API-Key": make_key(app, "--scopes", "sessions:read")}
    assert client.get("/api/v1/sessions", headers=headers).status_code == 200
    with transaction() as session:
        key = session.scalars(select(ApiKey)).one()
        assert key.last_used_at is not None
        key.revoked_at = key.created_at
    assert client.get("/api/v1/sessions", headers=headers).status_code == 401


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--name", "x", "--scopes", "everything"), "There is no scope 'everything'"),
        (("--name", " ", "--scopes", "sessions:read"), "what the key is for"),
        (("--name", "x", "--scopes", "sessions:read", "--site", "nowhere"), "no site"),
    ],
)
def test_a_wrong_key_is_not_made(app: Flask, arguments: tuple[str, ...], sentence: str) -> None:
    result = app.test_cli_runner().invoke(args=["keys", "create", *arguments])
    assert result.exit_code == 1
    assert sentence in result.output
    assert db.session.scalars(select(ApiKey)).all() == []
