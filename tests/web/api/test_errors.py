"""Workflows report what failed: N8n's own body, grouped, redacted, each told once."""

from __future__ import annotations

import json
import re
import uuid
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, text

from app.core.db import db, transaction
from app.incidents.n8n import NO_REASON
from app.models import ChatSession, Incident
from tests.factories import make_chat
from tests.incidents.test_record import at_once
from tests.web.error_reports import (
    BODY,
    NEVER_BEGAN,
    SAMPLE,
    changed,
    listed,
    made_key,
    post,
    posted,
)

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture
def headers(database: Flask) -> dict[str, str]:
    return made_key()


def test_an_error_of_a_workflow_is_an_incident(
    client: FlaskClient, headers: dict[str, str]
) -> None:
    noted = posted(client, headers)
    assert noted == {"id": noted["id"], "count": 1, "session_id": None}
    (incident,) = listed(client, headers)
    assert re.fullmatch(r"2\d{3}-.*Z", incident.pop("first_at"))
    assert re.fullmatch(r"2\d{3}-.*Z", incident.pop("last_at"))
    assert incident == {
        "id": noted["id"],
        "source": "n8n",
        "title": "Lead intake, at “Send mail”",
        "problem": "Could not mail [e-mail]",
        "detail": {
            "workflow": "Lead intake",
            "node": "Send mail",
            "error": "NodeOperationError",
            "mode": "webhook",
        },
        "count": 1,
        "resolved": False,
        "resolved_at": None,
        "site": None,
        "session_id": None,
        "url": "http://127.0.0.1:5678/workflow/aBcDeFgHiJkLmN12/executions/7",
    }


def test_nothing_personal_or_secret_of_a_report_is_stored(
    client: FlaskClient, headers: dict[str, str]
) -> None:
    secrets = "Bearer abc.def-123, +44 20 7946 0958, password=hunter2, zoe@example.com"
    body = changed(
        execution__error__message=f"{secrets} said no",
        execution__error__name=f"Error of {secrets}",
        execution__error__node__name=f"Mail {secrets}",
        execution__mode=secrets,
        execution__url="https://ann:hunter2@n8n.example/executions/7?token=open-sesame",
        workflow__name=f"Leads {secrets}",
    )
    posted(client, headers, body)
    with db.engine.connect() as connection:
        stored = " ".join(
            connection.scalar(text(f"SELECT coalesce(json_agg(t)::text, '') FROM {table} t"))  # noqa: S608
            for table in ("incidents", "incident_reports")
        )
    assert "said no" in stored
    for gone in (
        "Ann Lee", "ann@", "zoe@", "7946", "abc.def", "hunter2", "open-sesame", "secret.js",
    ):  # fmt: skip
        assert gone not in stored, gone


def test_alike_errors_are_one_incident(client: FlaskClient, headers: dict[str, str]) -> None:
    messages = [
        "Order 17 of “Ann” failed at 10:32 on 2026-11-22 for ann@example.com",
        "Order 204 of “Bob Smith” failed at 9:01 on 2026-01-03 for bob.smith@mail.example.org",
    ]
    first, second = (
        posted(client, headers, changed(execution__id=str(n), execution__error__message=message))
        for n, message in enumerate(messages)
    )
    assert (second["id"], second["count"]) == (first["id"], 2)
    assert "Order 204" in listed(client, headers)[0]["problem"]


@pytest.mark.parametrize(
    "values",
    [
        {"workflow__id": "another"},
        {"execution__error__node__name": "Another step"},
        {"execution__error__name": "AnotherError"},
        {"execution__error__message": "Nobody answered ann@example.com"},
    ],
    ids=lambda values: next(iter(values)),
)
def test_other_workflows_steps_kinds_and_messages_are_other_incidents(
    client: FlaskClient, headers: dict[str, str], values: dict[str, str]
) -> None:
    assert posted(client, headers)["id"] != posted(client, headers, changed(**values))["id"]


def test_a_renamed_workflow_is_the_same_one(client: FlaskClient, headers: dict[str, str]) -> None:
    posted(client, headers)
    posted(client, headers, changed(workflow__name="Lead intake 2", execution__id="8"))
    (incident,) = listed(client, headers)
    assert (incident["count"], incident["title"]) == (2, "Lead intake 2, at “Send mail”")


def test_a_report_that_is_repeated_counts_once(
    client: FlaskClient, headers: dict[str, str]
) -> None:
    first = posted(client, headers)
    assert posted(client, headers) == first
    assert posted(client, headers, changed(execution__id=7)) == first
    assert posted(client, headers, changed(execution__id="8"))["count"] == 2


def test_fifty_reports_at_once_are_counted_right(database: Flask, headers: dict[str, str]) -> None:
    def tell(number: int) -> int:
        body = changed(execution__id=f"run-{number % 25}")
        return post(database.test_client(), headers, body).status_code

    assert at_once(database, tell) == [201] * 50
    assert db.session().scalars(select(Incident.count)).all() == [25]


def test_what_the_editor_sends_is_taken_too(client: FlaskClient, headers: dict[str, str]) -> None:
    posted(client, headers, SAMPLE)
    assert posted(client, headers, SAMPLE)["count"] == 1
    (incident,) = listed(client, headers)
    assert incident["title"] == "Example Workflow, at “Node With Error”"
    assert incident["problem"] == "Example Error Message"


def test_a_workflow_that_could_not_begin_is_an_incident(
    client: FlaskClient, headers: dict[str, str]
) -> None:
    posted(client, headers, NEVER_BEGAN)
    assert posted(client, headers, NEVER_BEGAN)["count"] == 1
    later = json.loads(json.dumps(NEVER_BEGAN))
    later["trigger"]["error"]["timestamp"] += 60_000
    assert posted(client, headers, later)["count"] == 2
    (incident,) = listed(client, headers)
    assert incident["title"] == "Mailbox, at “On new mail”"
    assert (incident["url"], incident["detail"]["mode"]) == (None, "trigger")


def test_a_failed_code_node_is_known_by_the_last_node_executed(
    client: FlaskClient, headers: dict[str, str]
) -> None:
    posted(client, headers, changed(execution__error__node=None))
    assert listed(client, headers)[0]["detail"]["node"] == "Send mail"


def test_an_error_without_words_says_so(client: FlaskClient, headers: dict[str, str]) -> None:
    posted(client, headers, changed(execution__error={"message": None}, execution__id="9"))
    assert listed(client, headers)[0]["problem"] == NO_REASON


@pytest.mark.parametrize(
    "where",
    ["execution__error__message", "execution__error__node__parameters", "execution__error__context",
     "execution__executionContext"],
)  # fmt: skip
@pytest.mark.parametrize("written", ["{}", "Session {} is gone", "{}__Postgres_Chat_Memory"])
def test_the_session_it_is_about_is_found(
    client: FlaskClient, headers: dict[str, str], where: str, written: str
) -> None:
    with transaction() as session:
        chat_id = make_chat(session).id
    said = written.format(str(chat_id).upper() if "gone" in written else chat_id)
    body = changed(**{where: said if where.endswith("message") else {"deep": [{"in": said}]}})
    assert posted(client, headers, body)["session_id"] == str(chat_id)
    assert str(chat_id) not in listed(client, headers)[0]["problem"]


def test_an_id_that_is_no_session_of_ours_is_not_named(
    client: FlaskClient, headers: dict[str, str]
) -> None:
    body = changed(execution__error__message=f"Session {uuid.uuid4()} is gone")
    assert posted(client, headers, body)["session_id"] is None


def test_the_session_of_an_incident_may_be_deleted(
    client: FlaskClient, headers: dict[str, str]
) -> None:
    with transaction() as session:
        chat_id = make_chat(session).id
    posted(client, headers, changed(execution__error__message=f"Session {chat_id} is gone"))
    with transaction() as session:
        session.delete(session.get_one(ChatSession, chat_id))
    assert listed(client, headers)[0]["session_id"] is None


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({}, "workflow"),
        ({"workflow": {"id": "1"}}, "execution"),
        ({"workflow": {"id": "1"}, "execution": "broken"}, "execution"),
        ({"workflow": {"id": "1"}, "execution": []}, "execution"),
        ({"workflow": {"id": "1"}, "execution": {}}, "execution.error"),
        ({"workflow": {"id": "1"}, "trigger": {}}, "trigger.error"),
        (changed(execution__error="broken"), "execution.error"),
        (changed(execution__error__message={"a": 1}), "execution.error.message"),
        (changed(execution__error__node="Send"), "execution.error.node"),
        (changed(execution__error__node__name=[]), "execution.error.node.name"),
        (changed(execution__id=True), "execution.id"),
        (changed(execution__id={}), "execution.id"),
        (changed(execution__id="x" * 256), "execution.id"),
        (changed(execution__id="\x00"), "execution.id"),
        (changed(execution__id="\ud800"), "execution.id"),
        (changed(workflow="Lead intake"), "workflow"),
        (changed(workflow={"id": None}), "workflow.id"),
        ([BODY], "body"),
    ],
)
def test_a_broken_report_is_refused_with_the_path_of_what_is_wrong(
    client: FlaskClient, headers: dict[str, str], body: Any, path: str
) -> None:
    answer = post(client, headers, body)
    assert answer.status_code == 422, answer.text
    errors: dict[str, list[str]] = answer.json["errors"]  # type: ignore[index]
    assert path in errors
    assert all(words[0].startswith(("Please", "This")) for words in errors.values()), errors


def test_what_cannot_be_stored_is_left_out_of_the_words(
    client: FlaskClient, headers: dict[str, str]
) -> None:
    odd = "a\x00b\ud800c"
    posted(client, headers, changed(
        execution__error__message=odd, execution__error__node__name=odd, workflow__name=odd,
        execution__mode=odd, execution__url=f"http://{odd}/",
    ))  # fmt: skip
    (incident,) = listed(client, headers)
    assert (incident["title"], incident["problem"]) == ("abc, at “abc”", "abc")


def test_a_large_report_is_taken_and_a_huge_one_is_not(
    client: FlaskClient, headers: dict[str, str]
) -> None:
    large = changed(execution__error__stack="x" * 1_500_000, execution__error__message="y " * 9000)
    posted(client, headers, large)
    assert len(listed(client, headers)[0]["problem"]) <= 500
    assert (
        post(client, headers, changed(execution__error__stack="x" * 3_000_000)).status_code == 413
    )


@pytest.mark.parametrize(
    ("data", "mimetype", "status"),
    [
        (b"{", "application/json", 400),
        (b"\xff", "application/json", 400),
        (b"[" * 100_000, "application/json", 400),
        (b"{}", "text/plain", 415),
    ],
)
def test_what_cannot_be_read_is_refused(
    client: FlaskClient, headers: dict[str, str], data: bytes, mimetype: str, status: int
) -> None:
    answer = client.post("/api/v1/errors", data=data, content_type=mimetype, headers=headers)
    assert answer.status_code == status
