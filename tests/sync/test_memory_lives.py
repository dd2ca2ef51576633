"""A table that was emptied or made anew is a new source; one that was only tidied up is not."""

# ruff: noqa: S608 - tests name their own tables
from __future__ import annotations

from datetime import timedelta

import pytest

from app.core import clock
from app.core.db import transaction
from app.models import ChatSession, DeletedSession
from app.sync.memory import read_new
from tests.sync import n8n
from tests.sync.n8n import TABLE, count, run, stored, write


def read() -> int:
    return read_new(None, cause="auto_sync").messages_added


@pytest.fixture
def filled(memory: str) -> str:
    """20 rows of ten sessions, all read."""
    for number in range(10):
        write(f"S-{number}", f"Question {number}", f"Answer {number}")
    assert read() == 20
    return memory


def _make_anew() -> None:
    run(f"DROP TABLE {TABLE}")
    n8n.make()


def _delete_and_restart() -> None:
    run(f"DELETE FROM {TABLE}")
    run(f"ALTER SEQUENCE {TABLE}_id_seq RESTART")


def _truncate() -> None:
    run(f"TRUNCATE {TABLE} RESTART IDENTITY")


@pytest.mark.parametrize("begin_anew", [_truncate, _make_anew, _delete_and_restart])
def test_a_table_that_starts_at_1_again_is_read_from_1_again(filled: str, begin_anew) -> None:  # type: ignore[no-untyped-def]
    begin_anew()
    assert read() == 0
    assert count("memory_sources") == 1
    write("N-1", "New question", "New answer")
    assert read() == 2
    assert stored("N-1") == ["New question", "New answer"]
    assert count("memory_sources WHERE ended_at IS NULL") == 1
    assert count("memory_sources") == 2
    write("N-1", "And another")
    assert read() == 1
    assert count("memory_sources") == 2


@pytest.mark.parametrize("begin_anew", [_truncate, _make_anew, _delete_and_restart])
def test_refilled_past_the_old_height_while_nobody_looked(filled: str, begin_anew) -> None:  # type: ignore[no-untyped-def]
    begin_anew()
    for number in range(30):
        write(f"N-{number}", "New question", "New answer")
    assert read() == 60
    assert count("chat_sessions") == 40


@pytest.mark.parametrize("begin_anew", [_truncate, _make_anew])
def test_the_same_visitors_come_back_to_a_new_table(filled: str, begin_anew) -> None:  # type: ignore[no-untyped-def]
    begin_anew()
    for number in range(10):
        write(f"S-{9 - number}", f"Later question {number}", f"Later answer {number}")
    assert read() == 20
    assert stored("S-9") == ["Question 9", "Answer 9", "Later question 0", "Later answer 0"]


def test_a_long_life_of_many_batches_is_read_to_its_end(filled: str) -> None:
    _truncate()
    n8n.fill("'N-' || g", "'line ' || g", 1, 1800)
    assert read() == 1800


@pytest.mark.parametrize(
    "statement",
    [
        f"DELETE FROM {TABLE} WHERE id > 12",
        f"DELETE FROM {TABLE} WHERE id = 20",
        f"DELETE FROM {TABLE} WHERE id < 15",
        f"DELETE FROM {TABLE}",
        f"TRUNCATE {TABLE}",
        f"VACUUM FULL {TABLE}",
        f"CLUSTER {TABLE} USING {TABLE}_pkey",
        f"UPDATE {TABLE} SET message = jsonb_set(message, '{{content}}', '\"erased\"')",
        f'UPDATE {TABLE} SET message = message || \'{{"id": "run-1"}}\'',
        f"ALTER TABLE {TABLE} ADD COLUMN created_at timestamptz DEFAULT now()",
    ],
)
@pytest.mark.parametrize("then", ["", f"VACUUM FULL {TABLE}"])
def test_what_tidies_up_makes_no_new_source(filled: str, statement: str, then: str) -> None:
    run(statement)
    if then:
        run(then)
    assert read() == 0
    write("S-1", "One more")
    assert read() == 1
    assert count("memory_sources") == 1
    assert count("messages") == 21


def test_a_restored_dump_makes_no_new_source(filled: str) -> None:
    run(f"CREATE TABLE kept AS SELECT * FROM {TABLE}")
    _make_anew()
    run(f"INSERT INTO {TABLE} SELECT * FROM kept")
    run(f"SELECT setval('{TABLE}_id_seq', 20)")
    run("DROP TABLE kept")
    assert read() == 0
    write("S-1", "One more")
    assert read() == 1
    assert count("memory_sources") == 1


def _restore_to_12() -> None:
    run(f"DELETE FROM {TABLE} WHERE id > 12")
    run(f"SELECT setval('{TABLE}_id_seq', 12)")
    run(f"VACUUM FULL {TABLE}")


def test_numbers_used_again_after_an_older_backup_came_back_are_new_rows(filled: str) -> None:
    _restore_to_12()
    assert read() == 0
    write("N-1", "New question", "New answer")
    assert read() == 2
    write("N-1", "And another")
    assert read() == 1
    assert stored("N-1") == ["New question", "New answer", "And another"]
    assert stored("S-9") == ["Question 9", "Answer 9"]
    assert count("memory_sources") == 1


@pytest.mark.parametrize("sessions", [2, 8, 100])
def test_an_older_backup_that_nobody_noticed_until_it_grew(filled: str, sessions: int) -> None:
    _restore_to_12()
    for number in range(sessions):
        write(f"N-{number}", "New question", "New answer")
    assert read() == 2 * sessions
    assert count("chat_sessions") == 10 + sessions
    assert count("memory_sources") == 1
    assert read() == 0


def test_newest_rows_that_come_back_are_known(filled: str) -> None:
    run(f"CREATE TABLE kept AS SELECT * FROM {TABLE} WHERE id > 12")
    run(f"DELETE FROM {TABLE} WHERE id > 12")
    assert read() == 0
    run(f"INSERT INTO {TABLE} SELECT * FROM kept")
    run("DROP TABLE kept")
    assert read() == 0
    assert count("messages") == 20


def test_deleted_sessions_are_no_sign_of_a_new_table(filled: str) -> None:
    with transaction() as session:
        for chat in session.query(ChatSession).all():
            session.add(
                DeletedSession(
                    session_id=chat.id,
                    site_id=chat.site_id,
                    channel=chat.channel,
                    external_session_id=chat.external_session_id,
                    deleted_at=clock.now(),
                )
            )
        session.execute(n8n.text("DELETE FROM chat_sessions"))
    run(f"DELETE FROM {TABLE} WHERE id > 18")
    assert read() == 0
    assert count("memory_sources") == 1
    assert count("chat_sessions") == 0


def test_gaps_of_a_life_end_with_it(filled: str) -> None:
    n8n.taken_numbers(3)
    write("S-1", "One more")
    read()
    assert count("memory_gaps") == 1
    _truncate()
    write("N-1", "New question")
    assert read() == 1
    assert count("memory_gaps") == 0
    with clock.moved(timedelta(days=1)):
        assert read() == 0
