"""A row of n8n's memory that kills who imports it is set aside; the table is read on."""

from __future__ import annotations

from datetime import timedelta

import pytest

from app.core import clock
from app.core.db import transaction
from app.sync import crash_guard, lines, sources
from app.sync.memory import read_alone, read_new
from tests.sync.conftest import memory, site
from tests.sync.n8n import count, rows, stored, write

__all__ = ["memory", "site"]
LATER = crash_guard.SUSPECT_AFTER + timedelta(seconds=1)


def source_id() -> int:
    with transaction() as session:
        return sources.current(session)[0].id


def read_what_is_suspect() -> None:
    with clock.moved(LATER):
        for each in crash_guard.suspects():
            read_alone(each, cause="auto_sync", is_stopping=lambda: False)


def test_a_batch_that_was_imported_leaves_no_note(memory: str) -> None:
    write("S-1", "Hello", "Hi")
    assert read_new(None, cause="auto_sync").messages_added == 2
    assert count("memory_reads") == 0


def test_a_table_over_which_a_process_died_is_left_to_a_process_of_its_own(memory: str) -> None:
    write("S-1", "Hello", "Hi")
    read_new(None, cause="auto_sync")
    crash_guard._begin(source_id(), 0)  # and then the process dies
    write("S-1", "Are you there?", "Yes")
    report = read_new(None, cause="auto_sync")
    assert (report.rows_read, report.is_done) == (0, True)
    read_what_is_suspect()
    assert stored("S-1") == ["Hello", "Hi", "Are you there?", "Yes"]
    assert count("memory_reads") == 0
    write("S-1", "Good")
    assert read_new(None, cause="auto_sync").messages_added == 1


def test_a_row_over_which_two_processes_died_alone_is_set_aside(memory: str) -> None:
    write("S-1", "Hello", "Hi")
    read_new(None, cause="auto_sync")
    last = write("S-1", "a row that kills", "and one behind it")
    killing = last - 1
    for row in (0, killing, killing):
        crash_guard._begin(source_id(), row)
    read_what_is_suspect()
    assert stored("S-1") == ["Hello", "Hi", "and one behind it"]
    [aside] = rows("SELECT source_row, reason FROM memory_rows_set_aside")
    assert aside.source_row == killing
    assert "stopped each time" in aside.reason


def test_an_error_that_kills_nobody_leaves_no_note(
    memory: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("broken")

    write("S-1", "Hello")
    monkeypatch.setattr(lines, "ingest", broken)
    with pytest.raises(RuntimeError):
        read_new(None, cause="auto_sync")
    assert count("memory_reads") == 0
