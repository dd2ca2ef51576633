"""N8n's rows become sessions and messages, each once, whatever else happens to them."""

from __future__ import annotations

import base64
import random
import threading
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import text

from app.core import clock
from app.core.db import db, transaction
from app.models import ChatSession, DeletedSession, Site
from app.sync import lines
from app.sync.memory import read_new
from tests.factories import make_site
from tests.sync import n8n
from tests.sync.n8n import PROMISE, count, stored, write


def test_a_conversation_of_n8n_becomes_a_session_and_is_completed(memory: str) -> None:
    write("S-1__Postgres_Chat_Memory", "I need a dentist", "Of course.", "ann@example.com", PROMISE)
    report = read_new(None, cause="auto_sync")
    assert (report.rows_read, report.sessions_created, report.messages_added) == (4, 1, 4)
    assert (report.completions_found, report.leads_created, report.is_done) == (1, 1, True)
    with transaction() as session:
        chat = session.query(ChatSession).one()
        assert (chat.channel, chat.external_session_id) == ("n8n", "S-1")
        assert (chat.completion_status, chat.completion_cause) == ("completed", "auto_sync")
    assert stored("S-1") == ["I need a dentist", "Of course.", "ann@example.com", PROMISE]
    assert read_new(None, cause="auto_sync").rows_read == 0


def test_tool_rows_are_no_messages(memory: str) -> None:
    with db.engine.begin() as connection:
        n8n.insert(connection, "S-1", {"type": "human", "content": "calc 2+2"})
        n8n.insert(connection, "S-1", {"type": "ai", "content": [], "tool_calls": [{"id": "c"}]})
        n8n.insert(connection, "S-1", {"type": "tool", "content": PROMISE, "tool_call_id": "c"})
        n8n.insert(connection, "S-1", {"type": "ai", "content": "It is 4.", "tool_calls": []})
    report = read_new(None, cause="auto_sync")
    assert (report.rows_read, report.messages_added, report.completions_found) == (4, 2, 0)
    assert stored("S-1") == ["calc 2+2", "It is 4."]


def test_a_row_that_cannot_be_read_is_set_aside_with_its_reason(memory: str) -> None:
    with db.engine.begin() as connection:
        bad = n8n.insert(connection, "S-1__Node", {"type": "assistant", "content": "Hello"})
        n8n.insert(connection, "S-1__Node", {"type": "human", "content": "Hello"})
    report = read_new(None, cause="auto_sync")
    assert (report.set_aside, report.messages_added) == (1, 1)
    (aside,) = n8n.rows("SELECT * FROM memory_rows_set_aside")
    assert (aside.source_row, aside.session_key) == (bad, "S-1")
    assert "assistant" in aside.reason
    assert "Hello" in aside.excerpt
    assert read_new(None, cause="auto_sync").rows_read == 0


def test_one_poisoned_row_among_10000_loses_only_itself(
    memory: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ingest = lines.ingest

    def breaks(session, conversations, **others):  # type: ignore[no-untyped-def]
        if any(line.text == "poison" for each in conversations for line in each.lines):
            session.execute(text("SELECT 1 / 0"))
        return ingest(session, conversations, **others)

    monkeypatch.setattr(lines, "ingest", breaks)
    poison = "CASE g WHEN 7777 THEN 'poison' ELSE 'line ' || g END"
    n8n.fill("'S-' || g / 10", poison, 1, 10_000)
    report = read_new(None, cause="auto_sync")
    assert (report.rows_read, report.messages_added, report.set_aside) == (10_000, 9_999, 1)
    assert [row.source_row for row in n8n.rows("SELECT * FROM memory_rows_set_aside")] == [7777]
    assert count("messages") == 9_999
    assert stored("S-777") == [f"line {g}" for g in range(7770, 7780) if g != 7777]


def test_what_a_row_holds_can_be_large(memory: str) -> None:
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + _noise()}}
    with db.engine.begin() as connection:
        n8n.insert(connection, "S-1", {"type": "human", "content": [picture]})
    read_new(None, cause="auto_sync")
    assert stored("S-1") == ["[picture]"]


def _noise() -> str:
    return base64.b64encode(random.Random(1).randbytes(600_000)).decode()


def test_a_deleted_session_does_not_come_back(memory: str) -> None:
    write("S-1", "Hello", "Hi")
    read_new(None, cause="auto_sync")
    with transaction() as session:
        chat = session.query(ChatSession).one()
        session.add(
            DeletedSession(
                session_id=chat.id,
                site_id=chat.site_id,
                channel=chat.channel,
                external_session_id=chat.external_session_id,
                deleted_at=clock.now(),
            )
        )
        session.execute(text("DELETE FROM chat_sessions"))
    write("S-1", "Are you there?", PROMISE)
    read_new(None, cause="auto_sync")
    assert count("chat_sessions") == 0
    assert count("memory_sources") == 1


def test_a_table_that_appears_later_is_read_then(site: str) -> None:
    report = read_new(None, cause="auto_sync")
    assert (report.rows_read, report.is_done) == (0, True)
    assert n8n.rows("SELECT last_error, skip_until FROM memory_sources") == [(None, None)]
    with n8n.memory_table():
        write("S-1", "Hello")
        assert read_new(None, cause="auto_sync").messages_added == 1


def test_without_a_site_there_is_nothing_to_do(database: Flask) -> None:
    with n8n.memory_table():
        write("S-1", "Hello")
        assert read_new(None, cause="auto_sync").rows_read == 0
        assert count("memory_sources") == 0


def test_a_table_belongs_to_the_oldest_site_that_names_it(memory: str) -> None:
    with transaction() as session:
        now = clock.now()
        for days, key in ((1, "younger"), (2, "older")):
            at = now + timedelta(days=-days)
            make_site(session, key=key, memory_table="Chats_Of_Two", created_at=at)
    with n8n.memory_table("chats_of_two"):
        n8n.run("""INSERT INTO chats_of_two (session_id, message)
            VALUES ('T-1', '{"type": "human", "content": "Hi"}')""")
        write("S-1", "Hello")
        assert read_new(None, cause="auto_sync").sessions_created == 2
    with transaction() as session:
        chats = session.query(ChatSession).all()
        keys = {chat.external_session_id: session.get_one(Site, chat.site_id).key for chat in chats}
    # The two are older than the first site, and what nobody names belongs to the oldest.
    assert keys == {"T-1": "older", "S-1": "older"}


def test_one_table_under_two_names_is_read_once(memory: str) -> None:
    with transaction() as session:
        make_site(session, memory_table="public.n8n_chat_histories")
    write("S-1", "Hello", "Hi")
    read_new(None, cause="auto_sync")
    assert read_new(None, cause="auto_sync").rows_read == 0
    assert stored("S-1") == ["Hello", "Hi"]


def test_with_its_layer_off_rows_are_stored_and_left_unjudged(memory: str) -> None:
    write("S-1", "Hello", PROMISE)
    report = read_new(None, cause="no such layer")
    assert (report.messages_added, report.completions_found) == (2, 0)
    assert count("messages WHERE NOT is_checked") == 2


def test_two_readers_at_once_import_each_row_once(memory: str, database: Flask) -> None:
    for number in range(300):
        write(f"S-{number}", "Hello", "Hi", "Please call me", PROMISE)
    failures: list[BaseException] = []

    def reader() -> None:
        try:
            with database.app_context():
                for _ in range(20):
                    read_new(None, cause="auto_sync")
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=reader) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    read_new(None, cause="auto_sync")
    assert count("messages") == 1200
    assert count("chat_sessions WHERE completion_status = 'completed'") == 300
    assert count("leads") == 300


def test_little_time_reads_a_little_and_says_so(memory: str) -> None:
    n8n.fill("'S-' || g", "'Hello'", 1, 3000)
    report = read_new(0.05, cause="sweep")
    assert not report.is_done
    assert 0 < report.rows_read < 3000
    while not report.is_done:
        report = read_new(0.05, cause="sweep")
    assert count("messages") == 3000
