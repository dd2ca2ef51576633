"""Incidents over the API: who may see and change which, in pages."""

from __future__ import annotations

import uuid

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.core.db import transaction
from tests.factories import make_chat, make_site
from tests.web.error_reports import changed, listed, made_key, post, posted
from tests.web.signed_in import bearer, make_user

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture
def headers(database: Flask) -> dict[str, str]:
    return made_key()


def test_a_key_of_one_site_sees_and_changes_its_own_incidents_only(
    client: FlaskClient, headers: dict[str, str]
) -> None:
    with transaction() as session:
        for name in ("clinic", "garage"):
            make_site(session, key=name)
    clinic, garage = made_key("clinic"), made_key("garage")
    ids = {name: posted(client, who)["id"] for name, who in
           {"clinic": clinic, "garage": garage, "": headers}.items()}  # fmt: skip
    assert len(set(ids.values())) == 3
    assert [each["id"] for each in listed(client, clinic)] == [ids["clinic"]]
    assert listed(client, clinic, "?site=garage") == []
    assert len(listed(client, headers)) == 3
    assert [each["site"] for each in listed(client, headers, "?site=garage")] == ["garage"]
    for other in ("garage", ""):
        answer = client.patch(
            f"/api/v1/errors/{ids[other]}", json={"resolved": True}, headers=clinic
        )
        assert answer.status_code == 404
    assert listed(client, headers, "?resolved=true") == []


def test_a_key_of_one_site_names_sessions_of_that_site_only(
    client: FlaskClient, headers: dict[str, str]
) -> None:
    with transaction() as session:
        own = make_chat(session, make_site(session, key="clinic")).id
        foreign = make_chat(session, make_site(session, key="garage")).id
    body = changed(execution__error__message=f"Neither {foreign}")
    assert posted(client, made_key("clinic"), body)["session_id"] is None
    both = changed(execution__id="8", execution__error__message=f"Neither {foreign} nor {own}")
    assert posted(client, made_key("clinic"), both)["session_id"] == str(own)
    # Where a report is of no site, its latest session tells the site.
    posted(client, headers, body)
    assert [each["session_id"] for each in listed(client, headers, "?site=garage")] == [
        str(foreign)
    ]


def test_resolving_and_opening_again(client: FlaskClient, headers: dict[str, str]) -> None:
    noted = posted(client, headers)

    def resolved(value: object) -> TestResponse:
        body = {"resolved": value}
        return client.patch(f"/api/v1/errors/{noted['id']}", json=body, headers=headers)

    for _ in range(2):
        answer = resolved(True).json
        assert answer["resolved"] is True  # type: ignore[index]
        assert answer == listed(client, headers, "?resolved=true")[0]
    assert listed(client, headers, "?resolved=false") == []
    for _ in range(2):
        assert resolved(False).json["resolved_at"] is None  # type: ignore[index]
    resolved(True)
    posted(client, headers)  # repeated: nothing new
    assert listed(client, headers, "?resolved=false") == []
    posted(client, headers, changed(execution__id="8"))
    assert [each["count"] for each in listed(client, headers, "?resolved=false")] == [2]
    assert resolved("yes").status_code == 422
    assert resolved(1).status_code == 422
    unknown = client.patch(
        f"/api/v1/errors/{uuid.uuid4()}", json={"resolved": True}, headers=headers
    )
    assert unknown.status_code == 404


def test_the_list_comes_in_pages_and_by_source(
    client: FlaskClient, headers: dict[str, str]
) -> None:
    for number in range(5):
        posted(client, headers, changed(workflow__id=f"W{number}", workflow__name=f"W{number}"))
    seen, cursor = [], ""
    while True:
        answer = client.get(f"/api/v1/errors?limit=2{cursor}", headers=headers).json
        assert answer is not None
        seen += [each["detail"]["workflow"] for each in answer["data"]]
        if answer["next_cursor"] is None:
            break
        cursor = f"&cursor={answer['next_cursor']}"
    assert seen == ["W4", "W3", "W2", "W1", "W0"]
    assert listed(client, headers, "?source=assistant") == []
    assert len(listed(client, headers, "?source=n8n")) == 5


@pytest.mark.parametrize(
    "query", ["source=zapier", "resolved=perhaps", "cursor=x", "limit=0", "limit=201", "colour=red"]
)
def test_a_wrong_query_is_refused_by_name(
    client: FlaskClient, headers: dict[str, str], query: str
) -> None:
    answer = client.get(f"/api/v1/errors?{query}", headers=headers)
    assert answer.status_code == 422
    assert list(answer.json["errors"]) == [query.partition("=")[0]]  # type: ignore[index]


def test_who_may_report_and_who_may_read(client: FlaskClient) -> None:
    writer, reader = made_key(scopes=("errors:write",)), made_key(scopes=("errors:read",))
    make_user()
    make_user("bob@example.com", role="agent")
    noted = posted(client, writer)
    asked = {
        "post": lambda who: post(client, who).status_code,
        "get": lambda who: client.get("/api/v1/errors", headers=who).status_code,
        "patch": lambda who: (
            client.patch(
                f"/api/v1/errors/{noted['id']}", json={"resolved": True}, headers=who
            ).status_code
        ),
    }
    expected = {
        "nobody": ({}, 401, 401, 401),
        "writer": (writer, 201, 403, 200),
        "reader": (reader, 403, 200, 403),
        "admin": (bearer(client), 201, 200, 200),
        "agent": (bearer(client, "bob@example.com"), 403, 200, 403),
    }
    for name, (who, *statuses) in expected.items():
        assert [ask(who) for ask in asked.values()] == statuses, name
