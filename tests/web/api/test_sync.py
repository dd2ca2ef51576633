"""Manual sync over the API and from the command line."""

from __future__ import annotations

import threading
import time
import uuid

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from app.core.db import transaction
from app.sync import manual, runs
from tests.sync.manual_runs import (
    TABLE,
    begin,
    conversations,
    let_time_pass,
    memory_table,
    stored,
    sync,
    write,
)
from tests.web.api_keys import make_key
from tests.web.signed_in import bearer, make_user

__all__ = ["memory_table"]
pytestmark = pytest.mark.usefixtures("memory_table")


@pytest.fixture
def headers(client: FlaskClient) -> dict[str, str]:
    make_user()
    return bearer(client)


def test_a_sync_is_started_and_followed(client: FlaskClient, headers: dict[str, str]) -> None:
    conversations(4, promised=2)
    started = client.post("/api/v1/sync", headers=headers)
    assert started.status_code == 202
    assert started.json is not None
    assert set(started.json) == {"id"}
    run_id = started.json["id"]
    answer = client.get(f"/api/v1/sync/{run_id}", headers=headers).json
    assert answer == {"status": "running", "progress": 0, "report": dict.fromkeys(runs.COUNTS, 0)}
    manual.work(uuid.UUID(run_id))
    answer = client.get(f"/api/v1/sync/{run_id}", headers=headers).json
    assert answer is not None
    assert (answer["status"], answer["progress"]) == ("done", 1)
    assert set(answer["report"]) == {
        "rows_read",
        "sessions_created",
        "messages_added",
        "completions_found",
        "leads_created",
        "deliveries_enqueued",
        "set_aside",
    }
    assert answer["report"]["completions_found"] == 2


def test_a_second_one_has_to_wait_and_an_interrupted_one_goes_on(
    client: FlaskClient, headers: dict[str, str]
) -> None:
    first = client.post("/api/v1/sync", headers=headers).json
    refused = client.post("/api/v1/sync", headers=headers)
    assert refused.status_code == 409
    assert int(refused.headers["Retry-After"]) > 0
    assert refused.json is not None
    assert "running already" in refused.json["detail"]
    assert first is not None
    let_time_pass(uuid.UUID(first["id"]))
    again = client.post("/api/v1/sync", headers=headers)
    assert (again.status_code, again.json) == (202, first)


def test_an_unknown_sync_is_not_found(client: FlaskClient, headers: dict[str, str]) -> None:
    assert client.get(f"/api/v1/sync/{uuid.uuid4()}", headers=headers).status_code == 404


def test_only_who_has_the_scope_for_every_site_may(app: Flask, client: FlaskClient) -> None:
    make_user("bob@example.com", "agent")
    run_id = begin()
    with transaction() as session:
        session.execute(text("UPDATE sites SET key = 'own'"))
    for headers in (
        bearer(client, "bob@example.com"),
        {"X-API-Key": make_key(app, "--scopes", "sessions:write")},
        {"X-API-Key": make_key(app, "--scopes", "sync:run", "--site", "own")},
    ):
        assert client.post("/api/v1/sync", headers=headers).status_code == 403
        assert client.get(f"/api/v1/sync/{run_id}", headers=headers).status_code == 403
    headers = {"X-API-Key": make_key(app, "--scopes", "sync:run")}
    assert client.get(f"/api/v1/sync/{run_id}", headers=headers).status_code == 200


def test_unknown_fields_are_refused(client: FlaskClient, headers: dict[str, str]) -> None:
    assert client.post("/api/v1/sync", json={"all": True}, headers=headers).status_code == 422
    assert client.post("/api/v1/sync", json={}, headers=headers).status_code == 202


def test_the_command_says_what_it_found_and_which_rows_were_set_aside(app: Flask) -> None:
    conversations(3, promised=1)
    write(("chat-0", {"type": "strange", "content": "?"}))
    result = app.test_cli_runner().invoke(args=["sync"])
    assert result.exit_code == 0, result.output
    assert "7 rows read, 3 new sessions, 6 new messages, 1 bookings found" in result.output
    assert f'{TABLE} row 7: Its type is "strange", which is unknown.' in result.output
    assert "Done" in result.output


def test_the_command_goes_on_with_what_was_interrupted(app: Flask) -> None:
    conversations(20)
    run_id = begin()
    steps = iter([False, True])
    manual.work(run_id, lambda: next(steps))
    result = app.test_cli_runner().invoke(args=["sync"])
    assert "Going on with the sync that was interrupted at" in result.output
    assert result.exit_code == 0
    assert stored(run_id)["status"] == "done"


def test_the_command_does_what_was_asked_for_where_no_worker_has_begun(
    app: Flask, client: FlaskClient, headers: dict[str, str]
) -> None:
    conversations(3, promised=1)
    run_id = client.post("/api/v1/sync", headers=headers).json["id"]  # type: ignore[index]
    result = app.test_cli_runner().invoke(args=["sync"])
    assert result.exit_code == 0, result.output
    assert "It is done here instead" in result.output
    assert client.get(f"/api/v1/sync/{run_id}", headers=headers).json["status"] == "done"  # type: ignore[index]


def test_the_command_follows_a_sync_that_runs_elsewhere(app: Flask) -> None:
    run_id = begin()
    has_begun = threading.Event()

    def slowly() -> bool:
        has_begun.set()
        time.sleep(1)
        return False

    def elsewhere() -> None:
        with app.app_context():
            manual.work(run_id, slowly)

    other = threading.Thread(target=elsewhere)
    other.start()
    assert has_begun.wait(60)
    result = app.test_cli_runner().invoke(args=["sync"])
    other.join()
    assert "A sync is running already, in another process." in result.output
    assert "Done" in result.output


def test_the_command_fails_with_the_run(app: Flask) -> None:
    with transaction() as session:
        session.execute(text(f"ALTER TABLE {TABLE} RENAME COLUMN message TO note"))
    result = app.test_cli_runner().invoke(args=["sync"])
    assert result.exit_code == 1
    assert f"Error: {TABLE}: " in result.output
    assert sync()["status"] == "failed"


def test_ctrl_c_leaves_the_run_so_that_it_can_go_on(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(manual, "judge_chunk", interrupted)
    result = app.test_cli_runner().invoke(args=["sync"])
    assert result.exit_code == 130
    assert "run flask sync again to go on" in result.output
    monkeypatch.undo()
    assert app.test_cli_runner().invoke(args=["sync"]).exit_code == 0
    with transaction() as session:
        assert session.scalar(text("SELECT count(*) FROM runs")) == 1


def test_the_trigger_is_installed_or_it_is_said_why_not(app: Flask) -> None:
    result = app.test_cli_runner().invoke(args=["sync", "install-trigger"])
    assert result.exit_code == 0, result.output
    assert f"{TABLE}: from now on it tells of new rows at once." in result.output
    with transaction() as session:
        session.execute(text(f"DROP TABLE {TABLE}"))
    result = app.test_cli_runner().invoke(args=["sync", "install-trigger"])
    assert result.exit_code == 1
    assert f"There is no table {TABLE} yet." in result.output
