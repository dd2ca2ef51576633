"""The page of manual syncs, in each of its states."""

from __future__ import annotations

import re
import uuid

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text

from app.core.db import transaction
from app.models.run import MANUAL_SYNC
from app.runs import engine
from app.sync import manual, runs
from tests.reporting.queries import counted
from tests.sync.manual_runs import (
    TABLE,
    begin,
    conversations,
    let_time_pass,
    memory_table,
    sync,
    write,
)
from tests.sync.set_aside import set_aside
from tests.web.signed_in import csrf_token, make_user, sign_in

__all__ = ["memory_table"]
pytestmark = pytest.mark.usefixtures("memory_table")


@pytest.fixture
def admin(client: FlaskClient) -> FlaskClient:
    make_user()
    sign_in(client)
    return client


def press(client: FlaskClient) -> str:
    token = csrf_token(client.get("/sync"))
    return client.post("/sync", data={"csrf_token": token}, follow_redirects=True).text


def test_with_nothing_to_show_the_page_says_what_it_is(admin: FlaskClient) -> None:
    page = admin.get("/sync").text
    assert "Nothing was synced by hand yet" in page
    assert "No table has been looked for yet" in page
    assert "Every row could be read." in page
    assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)", page)


def test_a_sync_is_waiting_running_interrupted_and_done(admin: FlaskClient) -> None:
    conversations(3, promised=1)
    page = press(admin)
    assert 'data-state="waiting"' in page
    assert "No worker is running" in page
    assert "A sync is running already." in press(admin)
    with transaction() as session:
        run = runs.running(session)
    assert run is not None
    runner = uuid.uuid4()
    assert engine.claim(MANUAL_SYNC, run.id, runner)
    assert 'data-state="running"' in admin.get("/sync/live").text
    let_time_pass(run.id)
    page = admin.get("/sync/live").text
    assert 'data-state="interrupted"' in page
    assert "Go on" in page
    assert 'data-state="waiting"' in press(admin)
    manual.work(run.id)
    page = admin.get("/sync").text
    assert 'data-state="done"' in page
    assert "ann@example.com" in page
    assert re.search(r"<dt>New messages</dt><dd>6</dd>", page)
    assert f'title="{TABLE}"' in page
    assert "read to row 6" in page


def test_a_failed_sync_says_why(admin: FlaskClient) -> None:
    with transaction() as session:
        session.execute(text(f"ALTER TABLE {TABLE} RENAME COLUMN message TO note"))
    sync()
    page = admin.get("/sync").text
    assert 'data-state="failed"' in page
    assert f"{TABLE}: " in page
    assert "no chat memory of N8n" in page


def test_rows_set_aside_are_shown_with_the_reason(admin: FlaskClient) -> None:
    write(("chat-1", {"type": "strange", "content": "<i>?</i>"}))
    sync()
    page = admin.get("/sync").text
    assert "Its type is &#34;strange&#34;, which is unknown." in page
    assert "&lt;i&gt;?&lt;/i&gt;" in page


def test_many_rows_set_aside_are_turned_page_by_page(admin: FlaskClient) -> None:
    set_aside(120)
    seen: list[str] = []
    address = "/sync"
    for _ in range(3):
        page = admin.get(address).text
        seen += re.findall(r"Row (\d{3}) is bad", page)
        after = re.search(r'rel="next" href="([^"]+)"', page)
        address = after[1] if after else ""
    assert seen == [f"{row:03}" for row in range(120, 0, -1)]
    assert not address
    back = re.search(r'rel="prev" href="([^"]+)"', page)
    assert back
    assert re.findall(r"Row (\d{3}) is bad", admin.get(back[1]).text) == seen[50:100]
    assert admin.get("/sync?cursor=next-x-1").status_code == 422


def test_the_page_takes_the_same_number_of_queries_for_any_number(admin: FlaskClient) -> None:
    def queries() -> int:
        with counted() as seen:
            assert admin.get("/sync").status_code == 200
        return len(seen)

    sync()
    sync()
    few = queries()
    set_aside(40)
    for _ in range(5):
        sync()
    with transaction() as session:
        session.execute(text("UPDATE memory_sources SET ended_at = now() WHERE seen_at IS NULL"))
    assert queries() == few


def test_an_agent_may_not_and_is_not_shown_the_page(client: FlaskClient) -> None:
    make_user("bob@example.com", "agent")
    sign_in(client, "bob@example.com")
    assert 'href="/sync"' not in client.get("/sessions").text
    token = csrf_token(client.get("/sessions"))
    assert client.get("/sync").status_code == 403
    assert client.get("/sync/live").status_code == 403
    assert client.post("/sync", data={"csrf_token": token}).status_code == 403


def test_a_form_without_its_token_starts_nothing(admin: FlaskClient) -> None:
    assert admin.post("/sync").status_code == 400
    with transaction() as session:
        assert runs.running(session) is None


def test_a_sync_of_the_command_line_is_shown_without_a_name(admin: FlaskClient) -> None:
    manual.work(begin())
    assert "by a program" in admin.get("/sync").text
