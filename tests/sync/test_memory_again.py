"""Reading everything again: nothing twice, and what was missed is found."""

from __future__ import annotations

from app.core.db import transaction
from app.sync import sources
from app.sync.memory import ReadReport, highest_row, read_batch, read_new
from tests.sync import n8n
from tests.sync.n8n import PROMISE, count, stored, write


def source_id() -> int:
    with transaction() as session:
        (source,) = sources.current(session)
        return source.id


def read_all(limit: int = 100) -> ReadReport:
    total = ReadReport()
    at: int | None = 0
    while at is not None:
        report, at = read_batch(source_id(), at, limit, "manual_sync")
        total.add(report)
    return total


def test_what_is_known_is_read_and_not_stored_again(memory: str) -> None:
    for number in range(100):
        write(f"S-{number}", "Hello", "Hi")
    read_new(None, cause="auto_sync")
    report = read_all(limit=33)
    assert (report.rows_read, report.messages_added, report.sessions_created) == (200, 0, 0)
    assert highest_row(source_id()) == 200


def test_what_nobody_read_yet_is_stored_and_judged(memory: str) -> None:
    n8n.taken_numbers(2)
    write("S-1", "Hello, I am Ann, ann@example.com", PROMISE)
    report = read_all()
    assert (report.rows_read, report.messages_added, report.completions_found) == (2, 2, 1)
    assert [(row.first_row, row.last_row) for row in n8n.rows("SELECT * FROM memory_gaps")] == [
        (1, 2)
    ]
    assert read_new(None, cause="auto_sync").rows_read == 0


def test_a_row_in_an_old_gap_is_found_and_the_gap_closed(memory: str) -> None:
    (number,) = n8n.taken_numbers(1)
    write("S-1", "Second")
    read_new(None, cause="auto_sync")
    write("S-1", "First", row=number)
    assert read_all().messages_added == 1
    assert stored("S-1") == ["First", "Second"]
    assert count("memory_gaps") == 0


def test_a_row_whose_message_was_lost_here_is_stored_again(memory: str) -> None:
    write("S-1", "Hello", "Hi")
    read_new(None, cause="auto_sync")
    with transaction() as session:
        session.execute(n8n.text("DELETE FROM messages WHERE source_row = 1"))
    assert read_all().messages_added == 1
    assert stored("S-1") == ["Hello", "Hi"]


def test_rows_set_aside_are_tried_again_and_taken_back_when_they_can_be_read(memory: str) -> None:
    with n8n.db.engine.begin() as connection:
        n8n.insert(connection, "S-1", {"type": "assistant", "content": "Hello"})
    read_new(None, cause="auto_sync")
    assert read_all().set_aside == 1
    assert count("memory_rows_set_aside") == 1
    n8n.run("UPDATE n8n_chat_histories SET message = jsonb_set(message, '{type}', '\"human\"')")
    report = read_all()
    assert (report.set_aside, report.messages_added) == (0, 1)
    assert count("memory_rows_set_aside") == 0


def test_a_table_whose_life_is_over_has_no_more_rows(memory: str) -> None:
    write("S-1", "Hello", "Hi")
    read_new(None, cause="auto_sync")
    before = source_id()
    n8n.run(f"TRUNCATE {n8n.TABLE} RESTART IDENTITY")
    write("N-1", "New")
    assert read_batch(before, 0, 100, "manual_sync") == (ReadReport(), None)
    assert read_new(None, cause="auto_sync").messages_added == 1
    assert read_batch(before, 0, 100, "manual_sync") == (ReadReport(), None)
    assert read_all().rows_read == 1


def test_an_empty_or_missing_table_has_no_rows(site: str) -> None:
    assert read_batch(source_id(), 0, 100, "manual_sync") == (ReadReport(), None)
    assert highest_row(source_id()) == 0
