"""The keys page: a key is shown once, works, and is turned away once revoked."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from app.core.db import transaction
from app.models import ApiKey, AuditEntry
from app.web.dashboard.keys import labels as key_labels
from tests.factories import make_site
from tests.reporting.queries import counted
from tests.web.signed_in import csrf_token

pytestmark = pytest.mark.usefixtures("database")


def send(client: FlaskClient, path: str, **values: Any) -> TestResponse:
    return client.post(path, data={"csrf_token": csrf_token(client.get("/keys")), **values})


def stored() -> ApiKey:
    with transaction() as session:
        return session.scalars(select(ApiKey)).one()


def audited() -> list[tuple[str, str | None, dict[str, Any]]]:
    with transaction() as session:
        entries = session.scalars(select(AuditEntry).order_by(AuditEntry.id))
        return [
            (entry.action, entry.object_id, entry.details)
            for entry in entries
            if entry.object_type == "key"
        ]


def test_a_key_is_made_shown_once_used_and_revoked(app: Flask, admin: FlaskClient) -> None:
    with transaction() as session:
        make_site(session, key="harbour", name="Harbour")
    made = send(
        admin,
        "/keys",
        name=" Bridge <b> ",
        scopes=["errors:write", "errors:read", "users:write"],
        site="harbour",
    )
    assert made.status_code == 201
    assert made.headers["Cache-Control"] == "no-store"
    [plain] = re.findall(r'value="(p5_[^"]+)"', made.text)
    key = stored()
    assert (key.name, key.scopes) == ("Bridge <b>", ["errors:read", "errors:write"])
    page = admin.get("/keys").text
    assert plain not in page
    assert "Bridge &lt;b&gt;" in page
    assert "Report errors, read incidents" in page
    assert page.count("Harbour") == 2  # the key's, and one that can be chosen

    program = app.test_client()
    assert program.get("/api/v1/errors", headers={"X-API-Key": plain}).status_code == 200
    assert "Last used: </span><time" in admin.get("/keys").text

    asked = admin.get(f"/keys/{key.id}/revocation")
    assert "Bridge &lt;b&gt;" in asked.text
    assert program.get("/api/v1/errors", headers={"X-API-Key": plain}).status_code == 200
    for _ in range(2):  # the second changes nothing
        assert send(admin, f"/keys/{key.id}/revocation").status_code == 302
    assert program.get("/api/v1/errors", headers={"X-API-Key": plain}).status_code == 401
    assert "1 revoked key<" in admin.get("/keys").text
    assert audited() == [
        ("key.created", str(key.id), {"name": "Bridge <b>"}),
        ("key.revoked", str(key.id), {"name": "Bridge <b>"}),
    ]


def test_what_is_wrong_stands_beside_its_field_and_what_was_typed_stays(
    admin: FlaskClient,
) -> None:
    answer = send(admin, "/keys", name="x" * 101, site="nowhere", scopes=["users:write"])
    assert answer.status_code == 422
    for name, sentence in (
        ("name", "Please use at most 100 characters."),
        ("scopes", "Please choose at least one."),
        ("site", "There is no site with the key"),
    ):
        assert re.search(rf'id="{name}-error"><p>{sentence}', answer.text), name
    answer = send(admin, "/keys", name="", scopes=["sync:run"])
    assert answer.status_code == 422
    assert re.search(r'value="sync:run" checked', answer.text)
    answer = send(admin, "/keys", name='"Bridge"')
    assert 'value="&#34;Bridge&#34;"' in answer.text
    answer = send(admin, "/keys", name="a\x00b", site="a\x00b", scopes=["sync:run"])
    assert (answer.status_code, "There is no site" in answer.text) == (422, True)
    with transaction() as session:
        assert session.scalars(select(ApiKey)).all() == []


def test_every_scope_the_api_asks_for_can_be_given(app: Flask) -> None:
    asked_for = {
        getattr(app.view_functions[rule.endpoint], "permission", "public")
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/api/")
    }
    assert asked_for - {"public"} <= key_labels.SCOPES.keys()


def test_many_keys_cost_no_more_queries_than_none(admin: FlaskClient) -> None:
    def statements() -> int:
        with counted() as seen:
            admin.get("/keys")
        return len(seen)

    statements()
    before = statements()
    for number in range(8):
        send(admin, "/keys", name=f"Key {number}", scopes="sync:run")
    assert statements() == before
